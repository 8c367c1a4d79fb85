"""Agreement of clusters with taxa: accuracy and F1 after matching, NMI and ARI, with intervals.

All are computed from a contingency table (rows clusters, columns classes). Their intervals come from the jackknife:
resampling with replacement repeats objects, which raises NMI and ARI, so that percentiles may not contain the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .estimate import FEWEST_UNITS, SCORES, Estimate, jackknife_error
from .intervals import score_interval
from .metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

RANGES = {"acc": SCORES, "f1": SCORES, "nmi": SCORES, "ari": (-1.0, 1.0)}
"""Measures in the order of `agreement`, with the smallest and largest value of each."""


class Matching(NamedTuple):
    """Pairs of a cluster and a class, each used at most once: int64 of shape (n_pairs,)."""

    clusters: NDArray[np.int64]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class Contingency:
    """Objects with their cluster and class.

    Attributes:
        clusters: codes of the clusters from 0, int64 of shape (n_objects,).
        truth: class codes from 0, int64 of shape (n_objects,).
        samples: sample codes from 0 without gaps, int64 of shape (n_objects,); None leaves out single objects.

    """

    clusters: NDArray[np.integer]
    truth: NDArray[np.integer]
    samples: NDArray[np.integer] | None = None

    @property
    def table(self) -> NDArray[np.int64]:
        """Number of objects by cluster and class, int64 of shape (n_clusters, n_classes)."""
        return self._counted(slice(None))

    def without_each_unit(self) -> Iterator[tuple[NDArray[np.int64], int]]:
        """Yield the table without one sample, or without one object, with the number of units of which this holds."""
        table = self.table
        if self.samples is None:
            for cluster, taxon in np.argwhere(table):
                less = table.copy()
                less[cluster, taxon] -= 1
                yield less, int(table[cluster, taxon])
        else:
            for sample in range(int(self.samples.max()) + 1):
                yield table - self._counted(self.samples == sample), 1

    def _counted(self, rows: NDArray[np.bool_] | slice) -> NDArray[np.int64]:
        shape = int(self.clusters.max()) + 1, int(self.truth.max()) + 1
        cells = np.asarray(self.clusters[rows] * shape[1] + self.truth[rows], np.int64)
        return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def best_matching(table: NDArray[np.int64]) -> Matching:
    """Match clusters and classes one to one so that most objects are in the class of their cluster.

    Hungarian method (Kuhn 1955, doi 10.1002/nav.3800020109) as in Xie et al. 2016 (arXiv 1511.06335, equation 10). Of
    several such matchings the one with the highest macro F1 is used, so that the order of the classes does not matter.
    """
    from scipy.optimize import linear_sum_assignment

    sizes = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True)
    f1 = np.divide(2 * table, sizes, out=np.zeros(table.shape), where=sizes > 0)
    less_than_an_object = 1 / (min(table.shape) + 1)  # their sum, over all pairs of a matching
    return Matching(*linear_sum_assignment(table + f1 * less_than_an_object, maximize=True))


def agreement(table: NDArray[np.int64], matching: Matching | None = None) -> NDArray[np.float64]:
    """Return the agreement of clusters with classes.

    * acc: share of objects in the class that their cluster is matched to.
    * f1: macro F1 after matching over the classes with objects; objects in clusters without a match are errors.
    * nmi: mutual information over the arithmetic mean of both entropies (scikit-learn's default).
    * ari: Rand index adjusted for chance (Hubert & Arabie 1985, doi 10.1007/BF01908075).

    Args:
        table: number of objects, int64 of shape (n_clusters, n_classes).
        matching: pairs of clusters and classes; None uses `best_matching`.

    Returns:
        float64 of shape (4,), in the order of `RANGES`.

    """
    clusters, classes = matching or best_matching(table)
    hits, predicted = np.zeros((2, table.shape[1]))
    hits[classes] = table[clusters, classes]
    predicted[classes] = table[clusters].sum(axis=1)
    totals = Totals(hits, table.sum(axis=0).astype(np.float64), predicted)
    after_matching = float(totals.accuracy), float(totals.macro(totals.f1))
    return np.array([*after_matching, _normalised_mutual_information(table), _adjusted_rand_index(table)])


def agreement_intervals(contingency: Contingency) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the agreement of clusters with classes and its 95 % jackknife intervals.

    Value ± t · standard error, where the standard error is that of the jackknife that leaves out one sample at a time,
    or one object if there are no samples, and t has one degree of freedom less than there are units (Efron & Stein
    1981, doi 10.1214/aos/1176345462). The matching is that of all objects. A measure that is the same without each unit
    has the interval of `score_interval` if it is from 0 to 1, else none.

    Args:
        contingency: clusters and classes of the objects.

    Returns:
        Values of shape (4,) and bounds of shape (4, 2), in the order of `RANGES`; the bounds are NaN if there is only
        one unit, or no interval.

    """
    table = contingency.table
    matching = best_matching(table)
    values = agreement(table, matching)
    found = [(agreement(less, matching), n) for less, n in contingency.without_each_unit() if less.any()]
    left_out, counts = np.array([one for one, _ in found]), [n for _, n in found]
    if sum(counts) < FEWEST_UNITS:
        return values, np.full((len(values), 2), np.nan)
    bounds = [
        _interval(Estimate(float(value), *jackknife_error(without, counts), limits=limits), len(contingency.truth))
        for value, without, limits in zip(values, left_out.T, RANGES.values(), strict=True)
    ]
    return values, np.array(bounds)


def _interval(estimate: Estimate, n_objects: int) -> tuple[float, float]:
    if estimate.limits == SCORES:
        return score_interval(estimate, n_objects)
    return estimate.interval if estimate.error else (np.nan, np.nan)


def _normalised_mutual_information(table: NDArray[np.int64]) -> float:
    n = table.sum()
    clusters, classes = _entropy(table.sum(axis=1) / n), _entropy(table.sum(axis=0) / n)
    mean = (clusters + classes) / 2
    if mean == 0:  # one cluster and one class
        return 1.0
    return float(np.clip((clusters + classes - _entropy(table.ravel() / n)) / mean, 0, 1))  # rounding


def _entropy(shares: NDArray[np.float64]) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def _adjusted_rand_index(table: NDArray[np.int64]) -> float:
    def pairs(counts: NDArray[np.int64]) -> float:
        return float((counts * (counts - 1)).sum()) / 2

    together, clusters, classes = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    n = int(table.sum())
    expected = clusters * classes / max(1, n * (n - 1) / 2)
    most = (clusters + classes) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)
