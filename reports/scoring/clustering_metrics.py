"""Agreement of clusters with taxa: accuracy and F1 after matching, NMI and ARI, with intervals.

All are computed from contingency tables (rows clusters, columns classes), so that the resamples of an interval need no
further pass over the objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bootstrap import drawn_counts, percentile_bounds
from .metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MEASURES = ("acc", "f1", "nmi", "ari")
"""Measures in the order of `agreement`."""

CELLS_AT_ONCE = 1 << 22  # limits the memory of one batch of draws


@dataclass(frozen=True)
class Contingency:
    """Objects counted by cluster and class.

    Attributes:
        clusters: codes of the clusters from 0, int64 of shape (n_objects,).
        truth: class codes from 0, int64 of shape (n_objects,).
        samples: sample codes from 0 without gaps, int64 of shape (n_objects,); None resamples single objects.

    """

    clusters: NDArray[np.integer]
    truth: NDArray[np.integer]
    samples: NDArray[np.integer] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of clusters and of classes."""
        return int(self.clusters.max()) + 1, int(self.truth.max()) + 1

    @property
    def n_units(self) -> int:
        """Number of resampling units: samples, or objects."""
        return len(self.truth) if self.samples is None else int(self.samples.max()) + 1

    @property
    def table(self) -> NDArray[np.int64]:
        """Number of objects by cluster and class, int64 of shape (n_clusters, n_classes)."""
        return np.bincount(self._cells, minlength=self.shape[0] * self.shape[1]).reshape(self.shape)

    def draws(self, draws: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        """Yield the tables of resampled data in batches, each of shape (n_batch, n_clusters, n_classes).

        Args:
            draws: number of resamples.
            rng: random generator.

        """
        from scipy.sparse import csr_array, eye_array

        cells, cell, counts = np.unique(self._cells, return_inverse=True, return_counts=True)
        if self.samples is None:  # objects of one cell are interchangeable
            units, weights = eye_array(len(cells), dtype=np.int64, format="csr"), counts
        else:
            ones = np.ones(len(cell), np.int64)
            units = csr_array((ones, (self.samples, cell)), shape=(self.n_units, len(cells)))
            weights = np.ones(self.n_units, np.int64)
        n_clusters, n_classes = self.shape
        batch = max(1, CELLS_AT_ONCE // max(len(weights), n_clusters * n_classes))
        for drawn in drawn_counts(units, weights, draws, rng, batch=batch):
            tables = np.zeros((len(drawn), n_clusters * n_classes), np.int64)
            tables[:, cells] = drawn
            yield tables.reshape(-1, n_clusters, n_classes)

    @property
    def _cells(self) -> NDArray[np.int64]:
        return np.asarray(self.clusters * self.shape[1] + self.truth, np.int64)


def agreement(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the agreement of clusters with classes.

    * acc: share of objects in the class that their cluster is matched to; clusters and classes are matched one to one
      so that this share is largest (Hungarian method; Xie et al. 2016, arXiv 1511.06335, equation 10).
    * f1: macro F1 after that matching over the classes with objects; clusters without a match are errors.
    * nmi: mutual information over the arithmetic mean of both entropies (scikit-learn's default).
    * ari: Rand index adjusted for chance (Hubert & Arabie 1985, doi 10.1007/BF01908075).

    Args:
        table: number of objects, int64 of shape (n_clusters, n_classes).

    Returns:
        float64 of shape (4,), in the order of `MEASURES`.

    """
    accuracy, f1 = _after_matching(table)
    return np.array([accuracy, f1, _normalised_mutual_information(table), _adjusted_rand_index(table)])


def agreement_intervals(
    contingency: Contingency, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the agreement of clusters with classes and its 95 % percentile intervals.

    Clusters are matched to classes anew in each resample.

    Args:
        contingency: clusters and classes of the objects.
        draws: number of resamples.
        rng: random generator.

    Returns:
        Values of shape (4,) and bounds of shape (4, 2), in the order of `MEASURES`.

    """
    resampled = np.array([agreement(table) for batch in contingency.draws(draws, rng) for table in batch])
    return agreement(contingency.table), percentile_bounds(resampled)


def _after_matching(table: NDArray[np.int64]) -> tuple[float, float]:
    from scipy.optimize import linear_sum_assignment

    cluster, taxon = linear_sum_assignment(table, maximize=True)
    hits, predicted = np.zeros((2, table.shape[1]))
    hits[taxon] = table[cluster, taxon]
    predicted[taxon] = table[cluster].sum(axis=1)
    totals = Totals(hits, table.sum(axis=0).astype(np.float64), predicted)
    return float(totals.accuracy), float(totals.macro(totals.f1))


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
