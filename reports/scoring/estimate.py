"""Estimate with its standard error: interval, p-value and smallest detectable difference.

A score varies with the objects that happen to be tested, and the score of a method also with its training. The first
component is estimated by the jackknife that leaves out one unit at a time, the second from the variation over runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
POWER = 0.8
FEWEST_UNITS = 2  # a single one has no variance
SMALLEST_P = 1e-100  # p-values are not below it, where quantiles become inaccurate
ROUNDING = 1e-12  # of sums and means, relative to values above 1
SCORES, DIFFERENCES = (0.0, 1.0), (-1.0, 1.0)
"""Ranges of scores and of differences of scores."""


@dataclass(frozen=True)
class Estimate:
    """Value with its standard error over units and, if it is a mean over runs, over runs.

    Attributes:
        value: the score, or difference of scores.
        error: standard error over the tested units, from the jackknife.
        n_units: number of units; the error has one degree of freedom less.
        run_error: standard error over runs, beyond that over units; 0 for a single run.
        run_df: degrees of freedom of `run_error`.
        limits: smallest and largest possible value.

    """

    value: float
    error: float
    n_units: int
    run_error: float = 0.0
    run_df: float = 1.0
    limits: tuple[float, float] = DIFFERENCES

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Interval at the 95 % level.

        For a difference it is value ± `half_width`, within the limits. For a score between 0 and 1 it is computed on
        the scale 2 arcsin √score, on which the standard error is error / √(score · (1 - score)) (Bartlett 1936, The
        square root transformation in analysis of variance, Supplement to the Journal of the Royal Statistical Society
        3), since near 0 and 1 the distribution is skew, above all with few objects.
        """
        half = self.half_width(1 - LEVEL)
        if self.limits == SCORES and 0 < self.value < 1 and np.isfinite(half):
            return self._on_arcsine_scale(half)
        return max(self.value - half, self.limits[0]), min(self.value + half, self.limits[1])

    def _on_arcsine_scale(self, half: float) -> tuple[float, float]:
        centre, scaled = 2 * np.arcsin(np.sqrt(self.value)), half / np.sqrt(self.value * (1 - self.value))
        low, high = np.sin(np.clip([centre - scaled, centre + scaled], 0, np.pi) / 2) ** 2
        return float(low), float(high)

    def half_width(self, alpha: float, largest_run_quantile: float = np.inf) -> float:
        """Return half the width of the interval at the level 1 - alpha.

        √((t · error)² + (u · run_error)²), where t and u are the quantiles of Student's t with the degrees of freedom
        of each error: the components are independent, and this combination of their intervals is exact if one of them
        is zero (Zou & Donner 2008, doi 10.1002/sim.3095, equation 1). If there is only one unit, or all units agree and
        are too few for a sign test at this level, nothing is known: the half-width is infinite.

        Args:
            alpha: one minus the level.
            largest_run_quantile: u if that of Student's t is larger.

        """
        if self.n_units < FEWEST_UNITS or (self._is_unanimous and _sign_test(self.n_units) > alpha):
            return np.inf
        of_runs = min(_upper_quantile(alpha / 2, self.run_df), largest_run_quantile)
        return self._combined(_upper_quantile(alpha / 2, self.n_units - 1), of_runs)

    def run_half_width(self, alpha: float) -> float:
        """Return the part of `half_width` that is due to runs alone, u · run_error."""
        return _upper_quantile(alpha / 2, self.run_df) * self.run_error

    @property
    def _is_unanimous(self) -> bool:
        """Whether no unit changes a value other than zero."""
        return self.error == 0 and self.value != 0

    def _combined(self, units: float, runs: float) -> float:
        return float(np.hypot(units * self.error, runs * self.run_error if self.run_error else 0.0))

    @cached_property
    def p_value(self) -> float:
        """Two-sided p-value of the value zero: the alpha at which the interval ends at zero."""
        from scipy.special import stdtr

        if self.run_error or self.value == 0 or self.n_units < FEWEST_UNITS:
            return self._alpha_at_zero(self.half_width)
        if self._is_unanimous:
            return min(1.0, _sign_test(self.n_units))
        return max(SMALLEST_P, float(2 * stdtr(self.n_units - 1, -abs(self.value) / self.error)))

    def p_value_among(self, n_tests: int, run_quantile: Callable[[float], float] | None = None) -> float:
        """Return the p-value if it is the smallest of several tests, by Bonferroni's inequality.

        Args:
            n_tests: number of tests.
            run_quantile: value that the largest of the tests, each relative to its `run_error`, exceeds with a
                probability of alpha; used where it is smaller than Bonferroni's quantile for runs.

        """
        if run_quantile is None or not self.run_error:
            return min(1.0, n_tests * self.p_value)
        return self._alpha_at_zero(lambda alpha: self.half_width(alpha / n_tests, run_quantile(alpha)))

    def _alpha_at_zero(self, half_width: Callable[[float], float]) -> float:
        """Return the alpha between `SMALLEST_P` and 1 at which the half-width is the distance from zero."""
        from scipy.optimize import brentq

        def excess(log_alpha: float) -> float:
            return half_width(float(np.exp(log_alpha))) - abs(self.value)

        lowest = float(np.log(SMALLEST_P))
        if self.value == 0 or excess(0.0) >= 0:
            return 1.0
        return SMALLEST_P if excess(lowest) <= 0 else float(np.exp(brentq(excess, lowest, 0.0, xtol=1e-7)))

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does not contain zero."""
        low, high = self.interval
        return low > 0 or high < 0

    @property
    def negated(self) -> Estimate:
        """The estimate of the negative value."""
        low, high = self.limits
        return replace(self, value=-self.value, limits=(-high, -low))

    @property
    def detectable(self) -> float:
        """Smallest difference that is detected with a probability of 80 % at the 5 % level.

        As `half_width`, with the sum of the quantiles of both probabilities (Bloom 1995, Minimum detectable effects,
        Evaluation Review 19, page 548).
        """
        if self.n_units < FEWEST_UNITS:
            return np.inf
        tails = (1 - LEVEL) / 2, 1 - POWER
        both = [sum(_upper_quantile(tail, df) for tail in tails) for df in (self.n_units - 1, self.run_df)]
        return self._combined(*both)


def _upper_quantile(tail: float, df: float) -> float:
    """Return the value that Student's t exceeds with a probability of `tail`; a `df` of infinity is the normal one."""
    from scipy.special import ndtri, stdtrit

    return -float(stdtrit(df, tail) if np.isfinite(df) else ndtri(tail))


def _sign_test(n_units: int) -> float:
    """Return the smallest p-value of a two-sided sign test with this number of units."""
    return float(2.0 ** (1 - n_units))


def jackknife_error(left_out: NDArray[np.float64], weights: ArrayLike = 1) -> tuple[float, int]:
    """Return the standard error of the jackknife that leaves out one unit at a time, and the number of units.

    √((n - 1)/n · Σ (θ₍ᵢ₎ - mean)²) (Efron & Stein 1981, doi 10.1214/aos/1176345462, equation 1.4, as a standard error).

    Args:
        left_out: values without one unit, float64 of shape (n_kinds,), of scores or differences of scores; a unit
            without which the value is not defined (NaN) does not count. Deviations within `ROUNDING` are zero.
        weights: number of units of each kind, of shape (n_kinds,).

    Returns:
        The standard error, 0 with fewer than two units, and the number of units.

    """
    known = ~np.isnan(left_out)
    values, counts = left_out[known], np.broadcast_to(weights, left_out.shape)[known]
    n = int(counts.sum())
    if n < FEWEST_UNITS:
        return 0.0, n
    mean = (values * counts).sum() / n  # a matrix product would start threads, which takes longer
    deviations = values - mean
    deviations[np.abs(deviations) < ROUNDING * max(1.0, abs(mean))] = 0
    return float(np.sqrt((deviations**2 * counts).sum() * (n - 1) / n)), n
