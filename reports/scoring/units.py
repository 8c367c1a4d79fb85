"""Units of resampling: clusters (samples, tows, stations), or single objects if there are none.

Objects of one tow are similar, so an interval from single objects is too narrow (Miller 2024, arXiv 2411.00640). Of the
confusion matrix of each unit only the sufficient counts are kept. Single objects with the same truth and prediction are
interchangeable, so they are units of one kind, with the cells of the confusion matrix as kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .metrics import Totals, confusion_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS_COMPARED = 100  # of a unit; units with more rows are hardly ever the same


@dataclass(frozen=True)
class Units:
    """Units, grouped into kinds with identical counts.

    Attributes:
        counts: hits, support and predicted, concatenated, float64 of shape (n_kinds, 3 * n_classes).
        weights: number of units of each kind, int64 of shape (n_kinds,).
        clusters_of_class: number of units in which each class has support, int64 of shape (n_classes,).

    """

    counts: NDArray[np.float64]
    weights: NDArray[np.int64]
    clusters_of_class: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of units."""
        return int(self.weights.sum())

    @property
    def by_kind(self) -> Totals:
        """Counts of one unit of each kind, of shape (n_kinds, n_classes)."""
        return Totals(*np.split(self.counts, 3, axis=1))

    @property
    def totals(self) -> Totals:
        """Counts of all units, of shape (n_classes,)."""
        return Totals(*np.split(self.weights @ self.counts, 3))

    def without_each(self) -> Totals:
        """Return the counts without one unit of each kind, of shape (n_kinds, n_classes)."""
        return Totals(*np.split(self.weights @ self.counts - self.counts, 3, axis=1))


def cluster_units(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], clusters: NDArray[np.integer], n_classes: int
) -> Units:
    """Count hits, support and predictions per cluster.

    Args:
        truth: codes of shape (n_objects,), below n_classes.
        predicted: codes of shape (n_objects,), up to n_classes (any other name).
        clusters: codes of shape (n_objects,), from 0 without gaps, in an order independent of the order of rows.
        n_classes: number of classes.

    """
    n_clusters = int(clusters.max()) + 1
    right = truth == predicted
    known = predicted < n_classes

    def count(codes: NDArray[np.integer], rows: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        cells = np.bincount(clusters[rows] * n_classes + codes[rows], minlength=n_clusters * n_classes)
        return cells.reshape(n_clusters, n_classes)

    support = count(truth, slice(None))
    counts = np.hstack([count(truth, right), support, count(predicted, known)]).astype(np.float64)
    return Units(counts, np.ones(n_clusters, np.int64), (support > 0).sum(axis=0))


def object_units(matrix: NDArray[np.int64]) -> Units:
    """Return single objects as units; kinds are the cells of a confusion matrix of shape (n_classes, n_classes + 1)."""
    n_classes = len(matrix)
    truth, predicted = np.nonzero(matrix)
    kinds = np.arange(len(truth))
    counts = np.zeros((len(truth), 3 * n_classes))
    counts[kinds[truth == predicted], truth[truth == predicted]] = 1
    counts[kinds, n_classes + truth] = 1
    known = predicted < n_classes
    counts[kinds[known], 2 * n_classes + predicted[known]] = 1
    return Units(counts, matrix[truth, predicted], matrix.sum(axis=1))


def count_units(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], clusters: NDArray[np.integer] | None, n_classes: int
) -> tuple[NDArray[np.int64], Units]:
    """Return the confusion matrix of all objects, and the resampling units: clusters, or objects if these are None."""
    matrix = confusion_matrix(truth, predicted, n_classes)
    if clusters is None:
        return matrix, object_units(matrix)
    return matrix, cluster_units(truth, predicted, clusters, n_classes)


def repeated_units(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], units: NDArray[np.integer], n_classes: int
) -> Units:
    """Return units of objects that several runs test; kinds are units with the same predictions.

    Args:
        truth: codes of shape (n_rows,), below n_classes.
        predicted: codes of shape (n_rows,), up to n_classes (any other name).
        units: cluster or object of each row, codes of shape (n_rows,), from 0 without gaps.
        n_classes: number of classes.

    """
    sizes = np.bincount(units)
    if sizes.max() > MOST_ROWS_COMPARED:
        return cluster_units(truth, predicted, units, n_classes)
    cells = truth * (n_classes + 1) + predicted
    order = np.lexsort((cells, units))
    position = np.arange(len(units)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    patterns = np.full((len(sizes), sizes.max()), -1, np.int64)
    patterns[units[order], position] = cells[order]
    kinds, weights = np.unique(patterns, axis=0, return_counts=True)
    kind, column = np.nonzero(kinds >= 0)
    of_kind = cluster_units(*np.divmod(kinds[kind, column], n_classes + 1), kind, n_classes)
    present = of_kind.by_kind.support > 0
    return Units(of_kind.counts, weights, weights @ present)
