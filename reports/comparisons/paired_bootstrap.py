"""Paired bootstrap of macro F1: several methods on the same objects, with the same draws of clusters.

The difficulty that an object has for both methods cancels out in their difference. The draws depend only on the
clusters: the values of a method depend neither on the other methods compared at the same time nor on the names.
Percentile intervals are too narrow for few clusters or rare classes; they are only compared with jackknife intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.bootstrap import CELLS_AT_ONCE, percentile_interval
from ..scoring.metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .paired_predictions import PairedPredictions

COUNT = np.float32
"""Type of the counts of units, which is exact up to 16 million objects and twice as fast as float64."""


@dataclass(frozen=True)
class Resampled:
    """Macro F1 of several methods in the same draws.

    Attributes:
        drawn: macro F1 in each draw, float64 of shape (n_methods, draws); NaN in a draw without objects of any run.

    """

    drawn: NDArray[np.float64]

    def interval(self, a: int, b: int) -> tuple[float, float]:
        """Return the 95 % percentile interval of the difference between two methods by position, first minus second."""
        return percentile_interval(self._differences(a, b))

    def mean(self, a: int, b: int) -> float:
        """Return the mean difference over draws."""
        return float(self._differences(a, b).mean())

    def _differences(self, a: int, b: int) -> NDArray[np.float64]:
        drawn = self.drawn[a] - self.drawn[b]
        return np.asarray(drawn[~np.isnan(drawn)])


def resample(
    runs: Sequence[PairedPredictions], n_units: int, n_classes: int, *, draws: int, rng: np.random.Generator
) -> Resampled:
    """Draw units with replacement and score all methods on each draw.

    With several runs (folds or seeds), macro F1 is the mean over runs, and a unit is drawn in all runs that test it. A
    run without any object in a draw is excluded from the mean of that draw.

    Args:
        runs: predictions in each run, with the methods in the same order.
        n_units: number of units over all runs.
        n_classes: number of classes.
        draws: number of resamples.
        rng: random number generator.

    """
    counts = [_counts(predictions, n_units, n_classes) for predictions in runs]
    batch = max(1, CELLS_AT_ONCE // max(n_units, counts[0].shape[0]))
    drawn = [_mean_macro_f1(counts, weights, n_classes) for weights in _draws(n_units, draws, batch, rng)]
    return Resampled(np.hstack(drawn))


def _draws(n_units: int, draws: int, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Yield the count of each unit, shape (n_units, n_batch); the batch size does not change the draws."""
    for start in range(0, draws, batch):
        drawn = rng.integers(n_units, size=(min(batch, draws - start), n_units))
        counts = np.array([np.bincount(units, minlength=n_units) for units in drawn], dtype=COUNT)
        yield np.ascontiguousarray(counts.T)


def _counts(predictions: PairedPredictions, n_units: int, n_classes: int) -> csr_array:
    """Count support, misses and false predictions per unit, shape ((1 + 2 · n_methods) · n_classes, n_units).

    Misses and false predictions are counted for each method. There are fewer of them than of hits, and a unit has few
    classes, so the counts are sparse.
    """
    from scipy.sparse import csr_array

    truth, n_objects = predictions.truth, len(predictions.truth)
    missed = [(truth, truth != predicted) for predicted in predictions.predicted]
    false = [(predicted, (truth != predicted) & (predicted < n_classes)) for predicted in predictions.predicted]
    blocks = [(truth, np.ones(n_objects, bool)), *missed, *false]
    rows = np.concatenate([block * n_classes + codes[counted] for block, (codes, counted) in enumerate(blocks)])
    columns = np.concatenate([predictions.units[counted] for _, counted in blocks])
    cells = (np.ones(len(rows), COUNT), (rows, columns))
    return csr_array(cells, shape=(len(blocks) * n_classes, n_units))  # sums duplicate cells


def _mean_macro_f1(counts: Sequence[csr_array], weights: NDArray[np.float32], n_classes: int) -> NDArray[np.float64]:
    """Return macro F1 of each method in each draw, averaged over the runs with objects in the draw."""
    drawn = [(of_run @ weights).reshape(-1, n_classes, weights.shape[1]) for of_run in counts]
    values = np.stack([_macro_f1(of_run.astype(np.float64)) for of_run in drawn])
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=0) / known.sum(axis=0))


def _macro_f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return macro F1, shape (n_methods, n_draws); NaN without support.

    `counts` has the shape (1 + 2 · n_methods, n_classes, n_draws): support, then misses and false predictions of each
    method.
    """
    support, missed, false = np.split(np.moveaxis(counts, 1, 2), [1, 1 + len(counts) // 2])
    hits = support - missed
    totals = Totals(hits, support, hits + false)
    with np.errstate(invalid="ignore"):
        return totals.macro(totals.f1)
