"""The difference between two sets of predictions of the same objects, with a paired interval.

The same draw of clusters (or objects) is scored for both, so that what makes an object hard for both cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .bootstrap import CELLS_AT_ONCE, LEVEL
from .metrics import Totals

if TYPE_CHECKING:
    from numpy.typing import NDArray

Verdict = Literal["a", "b", "tie"]


@dataclass(frozen=True)
class Paired:
    """What a paired comparison says.

    Attributes:
        macro_f1_a: macro F1 of the first.
        macro_f1_b: macro F1 of the second.
        interval: percentile interval of 95 % of the difference.
        p_value: two-sided, 2 · min over both sides of (1 + draws beyond zero) / (1 + draws), at most 1 (Davison &
            Hinkley 1997, Bootstrap Methods and their Application, equation 4.11).
        n_clusters: what was resampled.

    """

    macro_f1_a: float
    macro_f1_b: float
    interval: tuple[float, float]
    p_value: float
    n_clusters: int

    @property
    def delta(self) -> float:
        """By how much the first is better."""
        return self.macro_f1_a - self.macro_f1_b

    @property
    def verdict(self) -> Verdict:
        """Which is better; a tie when the interval holds zero."""
        low, high = self.interval
        return "a" if low > 0 else "b" if high < 0 else "tie"

    def turned(self) -> Paired:
        """Return the comparison the other way round."""
        low, high = self.interval
        return Paired(self.macro_f1_b, self.macro_f1_a, (-high, -low), self.p_value, self.n_clusters)


@dataclass(frozen=True)
class Calls:
    """What two methods called the same objects.

    Attributes:
        truth: codes of shape (n_objects,), below n_classes.
        a: codes that the first called them, up to n_classes (any other name).
        b: codes that the second called them.
        clusters: codes of shape (n_objects,), from 0 without gaps; None resamples objects.
        n_classes: number of classes.

    """

    truth: NDArray[np.integer]
    a: NDArray[np.integer]
    b: NDArray[np.integer]
    clusters: NDArray[np.integer] | None
    n_classes: int


def compare_calls(calls: Calls, draws: int, rng: np.random.Generator) -> Paired:
    """Compare two methods on the same objects; who is first only turns the sign.

    Args:
        calls: truth, and what both called.
        draws: number of resamples.
        rng: all randomness.

    """
    if calls.a.tolist() > calls.b.tolist():
        return compare_calls(Calls(calls.truth, calls.b, calls.a, calls.clusters, calls.n_classes), draws, rng).turned()
    rows, weights = _units(calls)
    counts = _counts(calls, rows, len(weights))
    of_all = _macro_f1(weights @ counts)
    n = int(weights.sum())
    batch = max(1, CELLS_AT_ONCE // len(weights))
    drawn = [
        _macro_f1(rng.multinomial(n, weights / n, size=min(batch, draws - start)) @ counts)
        for start in range(0, draws, batch)
    ]
    deltas = np.concatenate([found[0] - found[1] for found in drawn])
    low, high = np.quantile(deltas, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    beyond = min((deltas <= 0).sum(), (deltas >= 0).sum())
    return Paired(
        macro_f1_a=float(of_all[0]),
        macro_f1_b=float(of_all[1]),
        interval=(float(low), float(high)),
        p_value=min(1.0, 2 * (1 + int(beyond)) / (1 + draws)),
        n_clusters=n,
    )


def _units(calls: Calls) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Return the unit that each object belongs to, and how often each stands in the data.

    Single objects with the same truth and the same two calls cannot be told apart: each such kind is a unit that stands
    there as often as it has objects.
    """
    if calls.clusters is not None:
        return calls.clusters, np.ones(int(calls.clusters.max()) + 1, np.int64)
    base = calls.n_classes + 1
    _, kinds, counts = np.unique(
        (calls.truth * base + calls.a) * base + calls.b, return_inverse=True, return_counts=True
    )
    return kinds, counts


def _counts(calls: Calls, units: NDArray[np.integer], n_units: int) -> NDArray[np.float64]:
    """Count per unit: hits of a, hits of b, support, called by a, called by b; (n_units, 5 · n_classes)."""
    n_classes, kinds = calls.n_classes, calls.clusters is None
    size = np.bincount(units, minlength=n_units) if kinds else np.ones(n_units)

    def count(codes: NDArray[np.integer], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        cells = np.bincount(units[rows] * n_classes + codes[rows], minlength=n_units * n_classes)
        return cells.reshape(n_units, n_classes) / size[:, None]

    everybody = np.ones(len(units), bool)
    hits = [count(calls.truth, calls.truth == called) for called in (calls.a, calls.b)]
    called = [count(called, called < n_classes) for called in (calls.a, calls.b)]
    return np.hstack([*hits, count(calls.truth, everybody), *called])


def _macro_f1(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return macro F1 of both from counts of shape (..., 5 · n_classes)."""
    hits_a, hits_b, support, called_a, called_b = np.split(counts, 5, axis=-1)
    first, second = Totals(hits_a, support, called_a), Totals(hits_b, support, called_b)
    return first.macro(first.f1), second.macro(second.f1)
