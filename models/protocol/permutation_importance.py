"""Feature importance of a track, measured on validation rows.

Permutation importance: Breiman 2001, Machine Learning 45, section 10 (doi 10.1023/A:1010933404324), as
`sklearn.inspection.permutation_importance` computes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .validation_score import macro_f1

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .objects import Objects
    from .track import Track

MOST_ROWS = 1000
REPEATS = 3


@dataclass(frozen=True)
class _Fitted:
    """A fitted track as scikit-learn's inspection wants it: a table in, class codes out."""

    track: Track
    objects: Objects

    def fit(self) -> None:
        """Exist, as scikit-learn asks of an estimator; the track is fitted."""

    def predict(self, table: pd.DataFrame) -> NDArray[np.intp]:
        """Return the code of the class with the highest score."""
        scores = self.track.predict(replace(self.objects, native=table))
        return np.asarray(scores.argmax(axis=1), np.intp)


def permutation(track: Track, valid: Objects, features: Sequence[str], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return by how much macro F1 falls when a feature's values change places among validation rows.

    Args:
        track: a fitted track on native features.
        valid: validation rows with labels; of more than `MOST_ROWS`, so many are drawn.
        features: native columns to look at; the others keep their values.
        rng: draws rows and permutations.

    Returns:
        Mean loss over `REPEATS` permutations, float64 of shape (n_features,); negative where chance made it better.

    """
    from sklearn.inspection import permutation_importance

    rows = np.sort(rng.permutation(len(valid))[:MOST_ROWS])
    table, y = valid.table.iloc[rows], valid.y[rows]
    objects = replace(valid.without_labels(), object_ids=valid.object_ids[rows])
    aside = table.drop(columns=list(features))  # scikit-learn permutes each column that it is given

    def score(fitted: _Fitted, chosen: pd.DataFrame, truth: NDArray[np.int64]) -> float:
        return macro_f1(truth, fitted.predict(chosen.join(aside)[list(table.columns)]))

    found = permutation_importance(
        _Fitted(track, objects),
        table[list(features)],
        y,
        scoring=score,
        n_repeats=REPEATS,
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(found.importances_mean, dtype=np.float64)
