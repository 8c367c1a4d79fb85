"""Paired bootstrap of macro F1: differences between methods on the same objects, with the same draws of clusters.

The difficulty that an object has for both methods cancels out in their difference, so its interval is narrower than two
separate intervals suggest. The draws depend only on the clusters: the interval of a pair depends neither on the other
methods compared at the same time nor on the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..scoring.bootstrap import CELLS_AT_ONCE, LEVEL
from ..scoring.metrics import Totals, confusion_matrix, totals_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

Verdict = Literal["a", "b", "tie"]
POWER = 0.8
DETECTABLE = NormalDist().inv_cdf((1 + LEVEL) / 2) + NormalDist().inv_cdf(POWER)
"""Smallest difference detectable with 80 % power at the 5 % level, in standard errors: 2.80 (Bloom 1995, Minimum
detectable effects, Evaluation Review 19, page 548)."""


@dataclass(frozen=True)
class PairedPredictions:
    """Predictions of several methods for the test objects of one run.

    Attributes:
        truth: codes of shape (n_objects,), below n_classes.
        predicted: codes of shape (n_methods, n_objects), up to n_classes (any other name).
        units: resampling unit of each object (its cluster, or the object), codes of shape (n_objects,), below n_units.

    """

    truth: NDArray[np.integer]
    predicted: NDArray[np.integer]
    units: NDArray[np.integer]


@dataclass(frozen=True)
class Paired:
    """Paired comparison of two methods.

    Attributes:
        macro_f1_a: macro F1 of the first method.
        macro_f1_b: macro F1 of the second method.
        drawn: difference in each draw, float64 of shape (draws,).
        n_clusters: number of resampled units.

    """

    macro_f1_a: float
    macro_f1_b: float
    drawn: NDArray[np.float64]
    n_clusters: int

    @property
    def delta(self) -> float:
        """Difference in macro F1, first minus second."""
        return self.macro_f1_a - self.macro_f1_b

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % percentile interval of the difference."""
        return percentile_interval(self.drawn)

    @property
    def p_value(self) -> float:
        """Two-sided p-value, which is never 0.

        2 · min over both sides of (1 + draws at zero or beyond) / (1 + draws), at most 1 (Davison & Hinkley 1997,
        Bootstrap Methods and their Application, equation 4.11).
        """
        beyond = min((self.drawn <= 0).sum(), (self.drawn >= 0).sum())
        return min(1.0, 2 * (1 + int(beyond)) / (1 + len(self.drawn)))

    @property
    def verdict(self) -> Verdict:
        """The better method; a tie if the interval contains zero."""
        low, high = self.interval
        return "a" if low > 0 else "b" if high < 0 else "tie"

    @property
    def detectable(self) -> float:
        """Smallest difference detectable with 80 % power at the 5 % level."""
        return float(DETECTABLE * self.drawn.std())


@dataclass(frozen=True)
class Resampled:
    """Macro F1 of several methods in the same draws.

    Attributes:
        macro_f1: macro F1 of each method on all objects, mean over the runs, float64 of shape (n_methods,).
        drawn: macro F1 in each draw, float64 of shape (n_methods, draws).
        n_units: number of resampled units.

    """

    macro_f1: NDArray[np.float64]
    drawn: NDArray[np.float64]
    n_units: int

    def pair(self, a: int, b: int) -> Paired:
        """Compare two methods by position."""
        return Paired(float(self.macro_f1[a]), float(self.macro_f1[b]), self.drawn[a] - self.drawn[b], self.n_units)

    def interval(self, method: int) -> tuple[float, float]:
        """Return the 95 % percentile interval of a method's macro F1."""
        return percentile_interval(self.drawn[method])


def percentile_interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds of the 95 % percentile interval; negating the values mirrors it exactly."""
    tail = (1 - LEVEL) / 2
    return float(np.quantile(drawn, tail)), -float(np.quantile(-drawn, tail))


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
    macro_f1 = np.mean([macro_f1_of(predictions, n_classes) for predictions in runs], axis=0)
    return Resampled(macro_f1, np.hstack(drawn), n_units)


def macro_f1_of(predictions: PairedPredictions, n_classes: int) -> NDArray[np.float64]:
    """Return macro F1 of each method in one run, shape (n_methods,)."""
    matrices = np.stack(
        [confusion_matrix(predictions.truth, predicted, n_classes) for predicted in predictions.predicted]
    )
    totals = totals_of(matrices)
    return totals.macro(totals.f1)


def _draws(n_units: int, draws: int, batch: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Yield the count of each unit, shape (n_units, n_batch); the batch size does not change the draws."""
    for start in range(0, draws, batch):
        drawn = rng.integers(n_units, size=(min(batch, draws - start), n_units))
        yield np.stack([np.bincount(units, minlength=n_units) for units in drawn], axis=1).astype(np.float64)


def _counts(predictions: PairedPredictions, n_units: int, n_classes: int) -> csr_array:
    """Count support, hits and predictions per unit, shape ((1 + 2 · n_methods) · n_classes, n_units).

    Hits and predictions are counted for each method. A unit has few classes, so the counts are sparse.
    """
    from scipy.sparse import csr_array

    hits = [(predictions.truth, predictions.truth == predicted) for predicted in predictions.predicted]
    predicted = [(predicted, predicted < n_classes) for predicted in predictions.predicted]
    blocks = [(predictions.truth, np.ones(len(predictions.truth), bool)), *hits, *predicted]
    rows = np.concatenate([block * n_classes + codes[counted] for block, (codes, counted) in enumerate(blocks)])
    columns = np.concatenate([predictions.units[counted] for _, counted in blocks])
    cells = (np.ones(len(rows)), (rows, columns))
    return csr_array(cells, shape=(len(blocks) * n_classes, n_units))  # sums duplicate cells


def _mean_macro_f1(counts: Sequence[csr_array], weights: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return macro F1 of each method in each draw, averaged over the runs with objects in the draw."""
    values = np.stack([_macro_f1((of_run @ weights).reshape(-1, n_classes, weights.shape[1])) for of_run in counts])
    known = ~np.isnan(values)
    return np.asarray(np.where(known, values, 0).sum(axis=0) / known.sum(axis=0))


def _macro_f1(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return macro F1, shape (n_methods, n_draws); NaN without support.

    `counts` has the shape (1 + 2 · n_methods, n_classes, n_draws): support, then hits and predictions of each method.
    """
    support, hits, predicted = np.split(np.moveaxis(counts, 1, 2), [1, 1 + len(counts) // 2])
    totals = Totals(hits, support, predicted)
    with np.errstate(invalid="ignore"):
        return totals.macro(totals.f1)
