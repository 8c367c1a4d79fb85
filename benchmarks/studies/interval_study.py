"""Coverage, false alarms, width and power of intervals of macro F1, by simulation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...reports.comparisons.all_pairs import AllPairs
from ...reports.comparisons.paired_bootstrap import resample
from ...reports.comparisons.paired_jackknife import macro_f1_without_each
from ...reports.comparisons.paired_predictions import macro_f1_of
from ...reports.scoring.bootstrap import percentile_interval
from ...reports.scoring.estimate import LEVEL
from .simulated_predictions import SimulatedDesign, draw_predictions, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...reports.comparisons.paired_predictions import PairedPredictions

SAMPLES = (5, 10, 20, 30, 60)
BETTER = 0.5  # difference in skill of the alternative
DRAWS = 500
METHODS = ("percentile", "expanded percentile", "jackknife")
"""The intervals: the bootstrap percentiles used until version 0.1; those at the level that a t quantile and the factor
√(n/(n - 1)) imply (Hesterberg 2015, doi 10.1080/00031305.2015.1089789, section 3.1); and the jackknife with t."""


def designs() -> Iterator[SimulatedDesign]:
    """Yield the designs: 5 to 60 samples with even and patchy classes, and independent objects with rare classes."""
    rare = (100, 40, 20, 10, 5, 3, 2)
    for samples in SAMPLES:
        yield SimulatedDesign(repeated([80], 7), samples)
        yield SimulatedDesign((200, 100, 50, 25, 10, 5, 3), samples, patchy=True)
        yield SimulatedDesign(repeated(rare, 39), samples, patchy=True)
        yield SimulatedDesign(repeated([60, 20, 10, 5, 3, 2], 121), samples, patchy=True)
    yield SimulatedDesign(repeated([3], 7))
    yield SimulatedDesign(repeated([2, 3, 5, 30], 7))
    yield SimulatedDesign(repeated([2, 3, 5, 30], 12))
    yield SimulatedDesign(repeated([2, 3, 5, 30], 39))
    yield SimulatedDesign(repeated([2, 3, 5], 121))
    yield SimulatedDesign(repeated([2, 3, 5, 30], 121))


class Replicate(NamedTuple):
    """Result of one replicate.

    Attributes:
        value: macro F1 of the first method.
        intervals: interval of it by each of `METHODS`, of shape (n_methods, 2).
        null: interval of its difference from an equally good method, likewise.
        better: interval of its difference from a worse method, likewise.
        difference: difference from the worse method.

    """

    value: float
    intervals: NDArray[np.float64]
    null: NDArray[np.float64]
    better: NDArray[np.float64]
    difference: float


@dataclass(frozen=True)
class IntervalResult:
    """Properties of the intervals in a design, each of shape (n_methods,) in the order of `METHODS`.

    Attributes:
        design: the design.
        replicates: number of replicates.
        coverage: share of intervals of macro F1 that contain its expectation on such test sets.
        false_alarms: share of intervals of the difference of two equally good methods that exclude zero.
        width: mean width relative to the percentile interval.
        power: share of intervals of the difference from a worse method that exclude zero.
        difference: mean of this difference.

    """

    design: SimulatedDesign
    replicates: int
    coverage: NDArray[np.float64]
    false_alarms: NDArray[np.float64]
    width: NDArray[np.float64]
    power: NDArray[np.float64]
    difference: float


def tasks(design: SimulatedDesign, replicates: int, chunk: int) -> Iterator[Callable[[], list[Replicate]]]:
    """Yield the replicates of a design as functions for parallel execution, some at a time."""
    for start in range(0, replicates, chunk):
        yield partial(_replicates, design, range(start, min(start + chunk, replicates)))


def _replicates(design: SimulatedDesign, seeds: range) -> list[Replicate]:
    return [_replicate(design, np.random.default_rng((seed, design.n_units, design.n_classes))) for seed in seeds]


def _replicate(design: SimulatedDesign, rng: np.random.Generator) -> Replicate:
    predictions = draw_predictions(design, (0.0, 0.0, -BETTER), rng)
    sizes = design.n_units, design.n_classes
    resampled = resample([predictions], *sizes, draws=DRAWS, rng=rng)
    methods = all_pairs_of(predictions, design)
    drawn = resampled.drawn
    return Replicate(
        value=float(methods.scores[0, 0]),
        intervals=_intervals(drawn[0], methods.estimates[0].interval, design.n_units),
        null=_intervals(drawn[0] - drawn[1], methods.difference(0, 1).interval, design.n_units),
        better=_intervals(drawn[0] - drawn[2], methods.difference(0, 2).interval, design.n_units),
        difference=methods.difference(0, 2).value,
    )


def all_pairs_of(predictions: PairedPredictions, design: SimulatedDesign) -> AllPairs:
    """Return the scores of methods in a single run with their uncertainty."""
    without_each = macro_f1_without_each(predictions, design.n_units, design.n_classes)
    return AllPairs(macro_f1_of(predictions, design.n_classes)[None], without_each[None])


def _intervals(drawn: NDArray[np.float64], jackknife: tuple[float, float], n: int) -> NDArray[np.float64]:
    from scipy.stats import norm, t

    known = drawn[~np.isnan(drawn)]
    tail = norm.sf(t.ppf((1 + LEVEL) / 2, n - 1) * np.sqrt(n / (n - 1)))
    expanded = np.quantile(known, [tail, 1 - tail])
    return np.array([percentile_interval(known), expanded, jackknife])


def summarise(design: SimulatedDesign, found: list[Replicate]) -> IntervalResult:
    """Return the properties of the intervals over all replicates."""
    values = np.array([one.value for one in found])
    of_score, of_null, of_better = (
        np.stack([getattr(one, name) for one in found]) for name in ("intervals", "null", "better")
    )
    expected = values.mean()
    widths = of_score[:, :, 1] - of_score[:, :, 0]
    return IntervalResult(
        design,
        len(found),
        coverage=((of_score[:, :, 0] <= expected) & (expected <= of_score[:, :, 1])).mean(axis=0),
        false_alarms=_excludes_zero(of_null),
        width=widths.mean(axis=0) / widths[:, 0].mean(),
        power=_excludes_zero(of_better),
        difference=float(np.mean([one.difference for one in found])),
    )


def _excludes_zero(intervals: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(((intervals[:, :, 0] > 0) | (intervals[:, :, 1] < 0)).mean(axis=0))
