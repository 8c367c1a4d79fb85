"""Bootstrap of units: percentile interval and bias of macro F1.

A draw of clusters is a multinomial count of each; the metrics of a draw are computed from the counts of each cluster.
Drawing single objects is a multinomial draw of the cells of the confusion matrix. With few clusters or rare classes the
percentile interval is too narrow (`tox -e bench-statistics`), so it is only compared with the jackknife interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .estimate import LEVEL
from .metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .units import Units

CELLS_AT_ONCE = 1 << 22  # limits the memory of one batch of draws


@dataclass(frozen=True)
class Bootstrap:
    """Macro F1 of resampled data.

    Attributes:
        interval: 95 % percentile interval.
        bias: mean over draws minus the value of all objects.
        losing: share of draws in which some class has no support; it is excluded from the mean of that draw.

    """

    interval: tuple[float, float]
    bias: float
    losing: float


def bootstrap(units: Units, draws: int, rng: np.random.Generator) -> Bootstrap:
    """Resample units.

    The class list is fixed; a class without support in a draw is excluded from the mean of that draw only.

    Args:
        units: from `units.count_units`.
        draws: number of resamples.
        rng: random generator.

    """
    totals, losing, macro = units.totals, 0, []
    present = totals.support > 0
    for drawn in draws_of(units, draws, rng):
        macro.append(drawn.macro(drawn.f1))
        losing += int((drawn.support[:, present] == 0).any(axis=1).sum())
    values = np.concatenate(macro)
    return Bootstrap(percentile_interval(values), float(values.mean() - totals.macro(totals.f1)), losing / draws)


def draws_of(units: Units, draws: int, rng: np.random.Generator) -> Iterator[Totals]:
    """Yield the counts of resampled data in batches of draws, each of shape (n_batch, n_classes)."""
    shares = units.weights / units.n
    batch = max(1, CELLS_AT_ONCE // len(shares))
    for start in range(0, draws, batch):
        drawn = rng.multinomial(units.n, shares, size=min(batch, draws - start))
        yield Totals(*np.split(drawn @ units.counts, 3, axis=1))


def percentile_interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the bounds of the 95 % percentile interval; negating the values mirrors it exactly."""
    tail = (1 - LEVEL) / 2
    return float(np.quantile(drawn, tail)), -float(np.quantile(-drawn, tail))
