"""Percentile intervals from resampling clusters (samples, tows, stations), or single objects if there are none.

Objects of one tow are similar, so resampling single objects understates the width (Miller 2024, arXiv 2411.00640). A
draw of clusters is a multinomial count of each; the metrics of a draw are computed from one confusion matrix per
cluster, of which only the sufficient counts are kept. Single objects with the same truth and prediction are
interchangeable, so drawing objects is a multinomial draw of the cells of the confusion matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .metrics import Totals, confusion_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

LEVEL = 0.95
FEWEST_CLUSTERS = 5  # that contain a class; with fewer, it has no interval
CELLS_AT_ONCE = 1 << 22  # limits the memory of one batch of draws


@dataclass(frozen=True)
class Units:
    """Resampling units, grouped into kinds with identical counts.

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


@dataclass(frozen=True)
class Intervals:
    """Percentile intervals; they need not be symmetric.

    Attributes:
        macro_f1: lower and upper bound.
        accuracy: lower and upper bound.
        f1: bounds per class, float64 of shape (n_classes, 2); NaN if a class occurs in fewer than five units.
        losing: share of draws in which some class has no support; it is excluded from the mean of that draw.

    """

    macro_f1: tuple[float, float]
    accuracy: tuple[float, float]
    f1: NDArray[np.float64]
    losing: float


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


def draws_of(units: Units, draws: int, rng: np.random.Generator) -> Iterator[Totals]:
    """Yield the counts of resampled data in batches of draws, each of shape (n_batch, n_classes)."""
    shares = units.weights / units.n
    batch = max(1, CELLS_AT_ONCE // len(shares))
    for start in range(0, draws, batch):
        drawn = rng.multinomial(units.n, shares, size=min(batch, draws - start))
        hits, support, predicted = np.split(drawn @ units.counts, 3, axis=1)
        yield Totals(hits, support, predicted)


def intervals(units: Units, draws: int, rng: np.random.Generator) -> Intervals:
    """Resample units and return 95 % percentile intervals.

    The class list is fixed; a class without support in a draw is excluded from the mean of that draw only.

    Args:
        units: return value of `cluster_units` or `object_units`.
        draws: number of resamples.
        rng: random generator.

    """
    present = units.clusters_of_class > 0
    macro, accuracy, f1, losing = [], [], [], 0
    for totals in draws_of(units, draws, rng):
        macro.append(totals.macro(totals.f1))
        accuracy.append(totals.accuracy)
        f1.append(np.where(totals.support > 0, totals.f1, np.nan)[:, present])
        losing += int((totals.support[:, present] == 0).any(axis=1).sum())
    per_class = np.full((len(present), 2), np.nan)
    per_class[present] = _bounds(np.vstack(f1))
    per_class[units.clusters_of_class < FEWEST_CLUSTERS] = np.nan
    low, high = _bounds(np.concatenate(macro)[:, None])[0]
    low_accuracy, high_accuracy = _bounds(np.concatenate(accuracy)[:, None])[0]
    return Intervals(
        macro_f1=(float(low), float(high)),
        accuracy=(float(low_accuracy), float(high_accuracy)),
        f1=per_class,
        losing=losing / draws,
    )


def interval_of(
    metrics: Callable[[Totals], NDArray[np.float64]], units: Units, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Resample units and return 95 % percentile intervals of user-defined metrics.

    Args:
        metrics: takes counts of shape (n_draws, n_classes) and returns values of shape (n_draws, n_metrics); NaN where
            undefined.
        units: return value of `cluster_units` or `object_units`.
        draws: number of resamples.
        rng: random generator.

    Returns:
        Lower and upper bounds, float64 of shape (n_metrics, 2).

    """
    return _bounds(np.concatenate([metrics(totals) for totals in draws_of(units, draws, rng)]))


def _bounds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bounds of the interval of each column, shape (n_columns, 2); NaN values are ignored.

    A column without values has NaN bounds.
    """
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    if not np.isnan(values).any():
        return np.asarray(np.quantile(values, ends, axis=0).T)
    known = [column[~np.isnan(column)] for column in values.T]
    return np.array([np.quantile(column, ends) if len(column) else (np.nan, np.nan) for column in known])
