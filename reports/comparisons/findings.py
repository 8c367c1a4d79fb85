"""Findings of a paper, tested on stored runs: differences of a score between two methods, with Holm's correction.

Each finding states the direction of a difference. It holds if the difference is significantly on that side, and does
not hold if it is significantly on the other side; everything else is inconclusive, since a difference that was not
detected may exist. A finding that two methods are equally good can only hold with a margin, which is its `bound`.
Findings on numbers that are not scores, such as training times, are tested over runs alone, without that correction.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..scoring.estimate import FEWEST_UNITS, LEVEL, ROUNDING, SCORES, SMALLEST_P, Estimate
from .over_datasets import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .all_pairs import AllPairs

Verdict = Literal["holds", "does not hold", "inconclusive", "not tested"]
Side = Literal["above", "below"]
Published = dict[str, dict[str, dict[str, float]]]
"""Scores in a paper by experiment, method and name of the score."""


@dataclass(frozen=True)
class PublishedFinding:
    """A statement of a paper on a score of one method, or on the difference of two methods.

    Attributes:
        statement: the finding in words.
        score: name of the score.
        a: name of the method.
        b: name of the method whose score is subtracted; empty if the statement is about the score of `a` itself.
        side: on which side of `bound` the value is.
        bound: 0 for a difference in sign; a margin for methods that are about equally good.

    """

    statement: str
    score: str
    a: str
    b: str = ""
    side: Side = "above"
    bound: float = 0.0

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that the finding is about."""
        return (self.a, self.b) if self.b else (self.a,)

    def published_values(self, published: Published) -> dict[str, float]:
        """Return the value in each experiment of the paper that has it."""
        found = {}
        for experiment, of_method in published.items():
            values = [of_method.get(method, {}).get(self.score, float("nan")) for method in self.methods]
            value = values[0] - (values[1] if self.b else 0)
            if np.isfinite(value):
                found[experiment] = value
        return found


def findings_on(
    statement: str, scores: Sequence[str], a: str, b: str = "", *, side: Side = "above", bound: float = 0.0
) -> list[PublishedFinding]:
    """Return one finding for each of several scores."""
    return [PublishedFinding(statement, score, a, b, side, bound) for score in scores]


@dataclass(frozen=True)
class EvaluatedFinding:
    """A finding with its test.

    Attributes:
        finding: the finding.
        estimate: the value, or difference, with its uncertainty over test units and runs.
        interval: its 95 % interval.
        scores: scores of the methods, mean over runs.
        p_holm: two-sided p-value of the bound, adjusted for all findings that were tested together (Holm 1979).
        n_objects: number of objects that the score of a single method is about.

    """

    finding: PublishedFinding
    estimate: Estimate
    interval: tuple[float, float]
    scores: tuple[float, ...]
    p_holm: float = 1.0
    n_objects: int = 0

    @cached_property
    def p_value(self) -> float:
        """Two-sided p-value of the bound: the alpha at which the interval ends at the bound."""
        if self.finding.b or self.estimate.limits != SCORES:
            return replace(self.estimate, value=self.estimate.value - self.finding.bound).p_value
        return _p_value_of_score(self.estimate, self.finding.bound, self.n_objects)

    @property
    def verdict(self) -> Verdict:
        """Whether the finding holds at the 5 % level; never if the interval contains the bound."""
        verdict = verdict_of_interval(self.interval, self.finding.side, self.finding.bound)
        return verdict if self.p_holm <= 1 - LEVEL else "inconclusive"


def verdict_of_interval(interval: tuple[float, float], side: Side, bound: float) -> Verdict:
    """Return whether an interval lies on the stated side of a bound (holds), on the other, or contains the bound."""
    low, high = interval
    if not (low > bound or high < bound):
        return "inconclusive"
    return "holds" if (low > bound) == (side == "above") else "does not hold"


@dataclass(frozen=True)
class RunFinding:
    """A statement of a paper on a number that each run has, such as its training time, over runs of two methods.

    Attributes:
        statement: the finding in words.
        score: name of the number, or of the ratio of both.
        a: name of the first method.
        b: name of the second method.
        numbers: that of both in each run that they have in common, float64 of shape (n_runs, 2), above 0 for a ratio.
        side: on which side of `bound` the value is.
        bound: 0 for a difference in sign, 1 for a ratio.
        is_ratio: whether it is about the ratio of both instead of their difference.
        published: value in each experiment of the paper.
        reason: how the value is computed, and what the paper says.
        obstacle: why runs do not show whether it holds; empty if they do.

    """

    statement: str
    score: str
    a: str
    b: str
    numbers: NDArray[np.float64]
    side: Side = "above"
    bound: float = 0.0
    is_ratio: bool = False
    published: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    obstacle: str = ""

    @cached_property
    def from_bound(self) -> Estimate:
        """Mean over runs of difference - bound, or of log ratio - log bound, with its standard error over runs."""
        scaled = np.log(self.numbers) if self.is_ratio else self.numbers
        distances = scaled[:, 0] - scaled[:, 1] - self._scaled_bound
        n_runs = len(distances)
        deviation = distances.std(ddof=1) if n_runs > 1 and np.ptp(distances) >= ROUNDING else 0.0
        limits = (-np.inf, np.inf)
        return Estimate(float(distances.mean()), float(deviation / np.sqrt(n_runs)), n_runs, limits=limits)

    @property
    def value(self) -> float:
        """Mean difference over runs, or geometric mean of the ratios."""
        return self._unscaled(self.from_bound.value)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval, from the quantile of Student's t with n_runs - 1 degrees of freedom; NaN with a single run."""
        if len(self.numbers) < FEWEST_UNITS:
            return np.nan, np.nan
        low, high = self.from_bound.interval
        return self._unscaled(low), self._unscaled(high)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the bound, not adjusted for other findings; NaN with a single run."""
        return self.from_bound.p_value if len(self.numbers) >= FEWEST_UNITS else np.nan

    @property
    def verdict(self) -> Verdict:
        """Whether the finding holds at the 5 % level, which a single run cannot show."""
        if len(self.numbers) < FEWEST_UNITS:
            return "not tested"
        return "inconclusive" if self.obstacle else verdict_of_interval(self.interval, self.side, self.bound)

    @property
    def _scaled_bound(self) -> float:
        return float(np.log(self.bound)) if self.is_ratio else self.bound

    def _unscaled(self, distance: float) -> float:
        return float(np.exp(distance + self._scaled_bound)) if self.is_ratio else distance + self.bound


def evaluated(
    findings: Sequence[PublishedFinding], names: Sequence[str], pairs: Mapping[str, AllPairs]
) -> dict[PublishedFinding, EvaluatedFinding]:
    """Test the findings whose methods have runs.

    Args:
        findings: the findings of a paper.
        names: names of the methods, in the order of `pairs`.
        pairs: scores of the methods and their differences, by name of the score.

    Returns:
        The tested findings. One whose score is undefined in a run is left out.

    """
    found = [_estimated(one, names, pairs[one.score]) for one in findings if set(one.methods) <= set(names)]
    known = [one for one in found if np.isfinite(one.estimate.value)]
    adjusted = holm(np.array([one.p_value for one in known]))
    return {one.finding: replace(one, p_holm=float(p)) for one, p in zip(known, adjusted, strict=True)}


def _estimated(finding: PublishedFinding, names: Sequence[str], pairs: AllPairs) -> EvaluatedFinding:
    positions = [names.index(method) for method in finding.methods]
    means = pairs.scores.mean(axis=0)
    if finding.b:
        estimate = pairs.difference(*positions)
        interval = estimate.interval
    else:
        estimate, interval = pairs.estimates[positions[0]], pairs.intervals[positions[0]]
    scores = tuple(float(means[position]) for position in positions)
    return EvaluatedFinding(finding, estimate, interval, scores, n_objects=pairs.n_objects)


def _p_value_of_score(estimate: Estimate, bound: float, n_objects: int) -> float:
    """Return the two-sided p-value of a bound of a score from 0 to 1, consistent with `score_interval`.

    A score that varies over units is compared on the scale of its interval, 2 arcsin √score; one that does not vary is
    a proportion of so many objects.
    """
    value = estimate.value
    if not estimate.error and (estimate.n_units >= FEWEST_UNITS or value in SCORES):
        return _p_value_of_proportion(estimate, bound, n_objects)
    if not 0 < value < 1:
        return replace(estimate, value=value - bound).p_value
    distance = 2 * (np.arcsin(np.sqrt(value)) - np.arcsin(np.sqrt(np.clip(bound, 0, 1))))
    return replace(estimate, value=float(distance * np.sqrt(value * (1 - value)))).p_value


def _p_value_of_proportion(estimate: Estimate, bound: float, n_objects: int) -> float:
    """Return the alpha at which the exact interval of a proportion, combined with the variation over runs, ends."""
    from scipy.optimize import brentq
    from scipy.special import betaincinv

    value = estimate.value
    found, missed = value * n_objects, (1 - value) * n_objects
    if not n_objects or value == bound:
        return 1.0

    def excess(log_alpha: float) -> float:
        alpha = float(np.exp(log_alpha))
        if value > bound:
            end = betaincinv(found, missed + 1, alpha / 2)
        else:
            end = 1 - betaincinv(missed, found + 1, alpha / 2) if missed else 1.0
        return float(np.hypot(value - end, estimate.run_half_width(alpha)) - abs(value - bound))

    lowest = float(np.log(SMALLEST_P))
    if excess(0.0) >= 0:
        return 1.0
    return SMALLEST_P if excess(lowest) <= 0 else float(np.exp(brentq(excess, lowest, 0.0, xtol=1e-10)))
