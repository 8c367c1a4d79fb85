"""Coverage of intervals of the scores of single classes, by simulation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...reports.scoring.bootstrap import draws_of
from ...reports.scoring.estimate import LEVEL
from ...reports.scoring.intervals import class_intervals
from ...reports.scoring.metrics import Totals
from ...reports.scoring.proportions import FEWEST_CLUSTERS
from ...reports.scoring.units import count_units
from .monte_carlo import percent
from .simulated_predictions import SimulatedDesign, draw_predictions, repeated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ...reports.scoring.units import Units

SCORES = ("precision", "recall", "f1")
SUPPORTS = (200.0, 60.0, 20.0, 10.0, 5.0)
CLASS_DESIGNS = (
    SimulatedDesign(repeated(SUPPORTS, 10)),
    SimulatedDesign(repeated(SUPPORTS, 10), 20, patchy=True),
    SimulatedDesign(repeated(SUPPORTS, 10), 60, patchy=True),
)
DRAWS = 200
REFERENCE_SIZE = 400  # test sets that together give the values for all objects


class ClassReplicate(NamedTuple):
    """Whether each interval contains the value for all objects, by score and class; NaN if a class has no interval.

    Attributes:
        percentile: of the bootstrap percentile intervals, float64 of shape (3, n_classes).
        proportion: of the intervals of proportions, likewise.

    """

    percentile: NDArray[np.float64]
    proportion: NDArray[np.float64]


def class_tasks(design: SimulatedDesign, replicates: int, chunk: int) -> Iterator[Callable[[], list[ClassReplicate]]]:
    """Yield the replicates of a design as functions for parallel execution, some at a time."""
    for start in range(0, replicates, chunk):
        yield partial(_replicates, design, range(start, min(start + chunk, replicates)))


def _replicates(design: SimulatedDesign, seeds: range) -> list[ClassReplicate]:
    expected = _values(_reference(design))
    return [_replicate(design, expected, np.random.default_rng((seed, design.n_units, 1))) for seed in seeds]


def _reference(design: SimulatedDesign) -> Totals:
    """Return the counts of many test sets together."""
    rng = np.random.default_rng((2**32, design.n_units))
    found = [_units(design, rng).totals for _ in range(REFERENCE_SIZE)]
    return Totals(*(np.sum([getattr(one, name) for one in found], axis=0) for name in ("hits", "support", "predicted")))


def _units(design: SimulatedDesign, rng: np.random.Generator) -> Units:
    predictions = draw_predictions(design, [0.0], rng)
    clusters = predictions.units if design.samples else None
    if clusters is not None:
        clusters = np.unique(clusters, return_inverse=True)[1]
    return count_units(predictions.truth, predictions.predicted[0], clusters, design.n_classes)[1]


def _values(totals: Totals) -> NDArray[np.float64]:
    return np.stack([getattr(totals, name) for name in SCORES])


def _replicate(design: SimulatedDesign, expected: NDArray[np.float64], rng: np.random.Generator) -> ClassReplicate:
    units = _units(design, rng)
    drawn = np.concatenate([_values(totals) for totals in draws_of(units, DRAWS, rng)], axis=1)
    tail = (1 - LEVEL) / 2
    percentile = np.moveaxis(np.quantile(drawn, [tail, 1 - tail], axis=1), 0, -1)
    percentile[:, units.clusters_of_class < FEWEST_CLUSTERS] = np.nan
    found = class_intervals(units)
    proportion = np.stack([found[name] for name in SCORES])
    return ClassReplicate(_contains(percentile, expected), _contains(proportion, expected))


def _contains(bounds: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = (bounds[..., 0] <= expected) & (expected <= bounds[..., 1])
    return np.where(np.isnan(bounds[..., 0]), np.nan, inside)


def summarise_classes(design: SimulatedDesign, found: list[ClassReplicate]) -> Iterator[list[str]]:
    """Yield support, and coverage of the percentile and the new interval for each score, as text."""
    percentile, proportion = (np.stack([getattr(one, name) for one in found]) for name in ClassReplicate._fields)
    supports = np.array(design.supports)
    for support in sorted(set(design.supports)):
        cells = [
            np.nanmean(of[:, k, supports == support]) for k in range(len(SCORES)) for of in (percentile, proportion)
        ]
        n = int((~np.isnan(proportion[:, 0, supports == support])).sum())
        yield [f"{support:.0f}", *(percent(float(cell), n) for cell in cells)]
