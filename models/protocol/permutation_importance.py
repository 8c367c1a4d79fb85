"""Permutation importance of native features, measured on validation rows.

Source: Breiman 2001, Machine Learning 45, section 10 (doi 10.1023/A:1010933404324), as implemented in
`sklearn.inspection.permutation_importance`.
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
    """Adapter that presents a fitted track to `sklearn.inspection`: takes a table, returns class codes."""

    track: Track
    objects: Objects

    def fit(self) -> None:
        """Do nothing; scikit-learn requires this method, and the track is already fitted."""

    def predict(self, table: pd.DataFrame) -> NDArray[np.intp]:
        """Return the code of the class with the highest score."""
        scores = self.track.predict(replace(self.objects, native=table))
        return np.asarray(scores.argmax(axis=1), np.intp)


def permutation(track: Track, valid: Objects, features: Sequence[str], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the drop in macro F1 when the values of a feature are permuted among validation rows.

    Args:
        track: a fitted track on native features.
        valid: validation rows with labels; at most `MOST_ROWS` of them are drawn at random.
        features: native columns to permute, one at a time; the others keep their values.
        rng: draws rows and permutations.

    Returns:
        Mean drop over `REPEATS` permutations, float64 of shape (n_features,); negative if macro F1 rose by chance.

    """
    from sklearn.inspection import permutation_importance

    rows = np.sort(rng.permutation(len(valid))[:MOST_ROWS])
    table, y = valid.table.iloc[rows], valid.y[rows]
    objects = replace(valid.without_labels(), object_ids=valid.object_ids[rows])
    unchanged = table.drop(columns=list(features))  # scikit-learn permutes every column of the table it receives

    def score(fitted: _Fitted, chosen: pd.DataFrame, truth: NDArray[np.int64]) -> float:
        return macro_f1(truth, fitted.predict(chosen.join(unchanged)[list(table.columns)]))

    found = permutation_importance(
        _Fitted(track, objects),
        table[list(features)],
        y,
        scoring=score,
        n_repeats=REPEATS,
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(found.importances_mean, dtype=np.float64)
