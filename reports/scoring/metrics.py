"""Metrics from counts: precision, recall and F1 per class, their means, and accuracy.

The label set is fixed by the truth: means are over the classes with support in the scored rows, so a prediction of an
absent class only lowers the recall of the true class. `zero_division` is 0 (definitions as in scikit-learn's
`precision_recall_fscore_support`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Totals:
    """Sufficient counts of one or more confusion matrices.

    Attributes:
        hits: objects of class c predicted as c, shape (..., n_classes).
        support: objects of class c.
        predicted: objects predicted as c.

    """

    hits: NDArray[np.float64]
    support: NDArray[np.float64]
    predicted: NDArray[np.float64]

    @property
    def precision(self) -> NDArray[np.float64]:
        """Hits / predicted, 0 where nothing was predicted; shape (..., n_classes)."""
        return _ratio(self.hits, self.predicted)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Hits / support, 0 where there is no support; shape (..., n_classes)."""
        return _ratio(self.hits, self.support)

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall, 2 * hits / (support + predicted); shape (..., n_classes)."""
        return _ratio(2 * self.hits, self.support + self.predicted)

    def macro(self, per_class: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over classes with support, shape (...); NaN without any support."""
        present = self.support > 0
        with np.errstate(invalid="ignore"):
            return np.asarray((per_class * present).sum(axis=-1) / present.sum(axis=-1))

    def of_classes(self, selected: NDArray[np.bool_]) -> Totals:
        """Return the counts of selected classes, of shape (..., n_selected); predictions of these are not changed.

        Args:
            selected: whether each class is selected, of shape (n_classes,).

        """
        return Totals(self.hits[..., selected], self.support[..., selected], self.predicted[..., selected])

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of correctly predicted objects, shape (...)."""
        return np.asarray(self.hits.sum(axis=-1) / self.support.sum(axis=-1))


METRICS: dict[str, Callable[[Totals], NDArray[np.float64]]] = {
    "accuracy": lambda totals: totals.accuracy,
    "balanced_accuracy": lambda totals: totals.macro(totals.recall),
    "macro_precision": lambda totals: totals.macro(totals.precision),
    "macro_recall": lambda totals: totals.macro(totals.recall),
}
"""Metrics besides macro F1, by the name of their column in scores.csv and of their field of `Score`."""


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def confusion_matrix(truth: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int) -> NDArray[np.int64]:
    """Count objects by true and predicted class.

    Args:
        truth: codes from 0 to n_classes - 1, shape (n_objects,).
        predicted: codes from 0 to n_classes, where n_classes represents any other name.
        n_classes: number of classes.

    Returns:
        int64 of shape (n_classes, n_classes + 1), rows truth, columns predicted.

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
