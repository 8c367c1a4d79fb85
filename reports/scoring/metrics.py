"""Metrics from counts: precision, recall and F1 per class, their means, and accuracy.

The label set is fixed by the truth: means run over the classes that have support in the scored rows, so that a stray
prediction of an absent class costs its victim and nobody else. `zero_division` is 0 (design of the field's reference:
`field/statistics.md` section 1; definitions as in scikit-learn's `precision_recall_fscore_support`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Totals:
    """Sufficient counts of a confusion matrix, or of many at once.

    Attributes:
        hits: objects of class c that were called c, shape (..., n_classes).
        support: objects of class c.
        predicted: objects that were called c.

    """

    hits: NDArray[np.float64]
    support: NDArray[np.float64]
    predicted: NDArray[np.float64]

    @property
    def precision(self) -> NDArray[np.float64]:
        """Hits / called, 0 where nothing was called so; shape (..., n_classes)."""
        return _ratio(self.hits, self.predicted)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Hits / support, 0 where there is no support; shape (..., n_classes)."""
        return _ratio(self.hits, self.support)

    @property
    def f1(self) -> NDArray[np.float64]:
        """2 * hits / (support + called), which is the harmonic mean of precision and recall; shape (..., n_classes)."""
        return _ratio(2 * self.hits, self.support + self.predicted)

    def macro(self, per_class: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over classes with support, shape (...)."""
        present = self.support > 0
        return np.asarray((per_class * present).sum(axis=-1) / present.sum(axis=-1))

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of objects that were called right, shape (...)."""
        return np.asarray(self.hits.sum(axis=-1) / self.support.sum(axis=-1))


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def confusion_matrix(truth: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int) -> NDArray[np.int64]:
    """Count objects by true and called class.

    Args:
        truth: codes from 0 to n_classes - 1, shape (n_objects,).
        predicted: codes from 0 to n_classes, where n_classes stands for any name outside of the classes.
        n_classes: number of classes.

    Returns:
        int64 of shape (n_classes, n_classes + 1), rows truth, columns called.

    """
    cells = np.bincount(truth * (n_classes + 1) + predicted, minlength=n_classes * (n_classes + 1))
    return cells.reshape(n_classes, n_classes + 1)


def totals_of(matrix: NDArray[np.int64]) -> Totals:
    """Return the sufficient counts of confusion matrices of shape (..., n_classes, n_classes + 1)."""
    known = matrix[..., :-1].astype(np.float64)
    return Totals(
        hits=np.diagonal(known, axis1=-2, axis2=-1),
        support=matrix.sum(axis=-1).astype(np.float64),
        predicted=known.sum(axis=-2),
    )
