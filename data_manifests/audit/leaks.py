"""Label leakage: features that alone recognise the classes far better than the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_ROWS = 20_000
LEAVES = 64  # or two per class, whichever is more
FAR_OUT = 3.0  # interquartile ranges above the third quartile: Tukey's outer fence
LEAST_LEAD = 0.15  # above the median column
FEWEST_COLUMNS = 4  # among fewer, outliers cannot be identified
LEAST_SCORE = 0.5  # balanced accuracy of an outlier that is more than the best of weak features
NEAR_PERFECT = 0.98  # balanced accuracy that measurements of plankton reach for two taxa only
FEWEST_TAXA = 3  # for which a nearly perfect feature is suspicious


def single_feature_scores(native: pd.DataFrame, taxa: pd.Series, seed: int = 0) -> pd.Series:
    """Return how well each feature alone recognises the classes.

    A decision tree of at most 64 leaves, or two per class, is fitted on one half of the rows and evaluated on the other
    by balanced accuracy (mean recall), so that the largest class counts no more than the others. It is fitted on ranks:
    they allow the same splits as the values, and keep ids apart that are equal in single precision. Missing values are
    treated as a value.

    Args:
        native: float64 table of shape (n_objects, n_features).
        taxa: taxon of each object.
        seed: seed of the two halves and of the subsample of at most 20,000 rows.

    Returns:
        Balanced accuracy on the held-out half, by column; empty if fewer than two classes have two objects.

    """
    import pandas as pd
    from sklearn.model_selection import train_test_split

    counts = taxa.value_counts()
    kept = taxa.isin(counts.index[counts > 1]).to_numpy()
    codes = pd.factorize(taxa[kept], sort=True)[0]
    table = native[kept]
    if len(set(codes)) < 2 or len(codes) < 2 * len(set(codes)):  # noqa: PLR2004 - two classes, two halves
        return pd.Series(dtype="float64")
    if len(codes) > MOST_ROWS:
        table, _, codes, _ = train_test_split(table, codes, train_size=MOST_ROWS, random_state=seed)
    train, test = train_test_split(range(len(codes)), test_size=0.5, stratify=_halves(codes), random_state=seed)
    return pd.Series({name: _score(table[[name]], codes, train, test) for name in table.columns})


def _halves(codes: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """Return codes to stratify by; None if the subsample has a class with a single row."""
    import numpy as np

    return codes if np.bincount(codes)[np.unique(codes)].min() > 1 else None


def _score(column: pd.DataFrame, codes: NDArray[np.intp], train: list[int], test: list[int]) -> float:
    import numpy as np
    from sklearn.metrics import recall_score
    from sklearn.tree import DecisionTreeClassifier

    leaves = max(LEAVES, 2 * len(set(codes)))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    values = column.rank(method="dense").to_numpy(np.float32)
    predicted = tree.fit(values[train], codes[train]).predict(values[test])
    truth = codes[test]
    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def suspicious(scores: pd.Series) -> pd.Series:
    """Return the columns whose scores are outliers, best first.

    An outlier lies beyond Tukey's outer fence (third quartile plus three interquartile ranges) and at least 0.15 above
    the median column. If a quarter of the columns or more leak the label, none of them is an outlier; such a table as a
    whole scores near 1.
    """
    if len(scores) < FEWEST_COLUMNS:
        return scores.iloc[:0]
    first, median, third = scores.quantile([0.25, 0.5, 0.75])
    limit = max(third + FAR_OUT * (third - first), median + LEAST_LEAD)
    return scores[scores > limit].sort_values(ascending=False)


def leaking(scores: pd.Series, n_taxa: int) -> pd.Series:
    """Return the columns that may leak the label, best first, by a stricter rule than `suspicious`.

    They are outliers that recognise half of the taxa or more, or nearly perfect among several taxa. Among the weak
    features of a set with many taxa, the best ones are often outliers.

    Args:
        scores: from `single_feature_scores`.
        n_taxa: number of taxa.

    """
    outliers = scores.index.isin(suspicious(scores).index) & (scores >= LEAST_SCORE)
    perfect = (scores >= NEAR_PERFECT) & (n_taxa >= FEWEST_TAXA)
    return scores[outliers | perfect].sort_values(ascending=False, kind="stable")
