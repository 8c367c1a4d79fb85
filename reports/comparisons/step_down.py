"""p-values of all pairs of methods, adjusted for their number, if some variances have few degrees of freedom.

Holm's step-down (1979) compares the smallest p-value with alpha / n, the next one with alpha / (n - 1), and so on. For
variances with two degrees of freedom, its bound is far from what is needed: with 12 methods, of which 66 pairs are
tested, a mean of three runs would have to be 36 standard errors from zero, since Bonferroni's inequality takes each
pair for an event of its own. But all pairs of one method share its variance, and the largest of all differences of
equal methods is above 10 standard errors in 5 % of cases only (studentized range). This quantile is used for the
component over runs of pairs with a variance of their own, as Games and Howell do for groups of unequal variance (1976,
Pairwise multiple comparison procedures with unequal n's and/or variances, Journal of Educational Statistics 1, 113-125,
doi 10.3102/10769986001002113).

The component over test objects, and variances that are moderated by those of other methods, which have many degrees of
freedom, keep Bonferroni's quantile, so that equal methods do not differ more often than with Holm's correction alone
(`tox -e bench-statistics`).
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..scoring.estimate import Estimate

Pair = tuple[int, int]
GRID = np.geomspace(0.02, 2000, 40)
"""Differences in standard errors at which the distribution of the largest one is computed, which takes SciPy 5 ms."""
SMALLEST_TAIL = 1e-9  # of the distribution in SciPy, below which it is inaccurate


def adjusted_p_values(differences: Mapping[Pair, Estimate], n_methods: int, own_df: int) -> dict[Pair, float]:
    """Adjust the p-values of all pairs of some methods for their number.

    Args:
        differences: difference of each pair.
        n_methods: number of methods.
        own_df: degrees of freedom of variances over runs that are not moderated; 0 for a single run.

    Returns:
        Adjusted p-value of each pair, in the same order.

    """
    quantiles = {
        pair: partial(largest_difference, n_methods=n_methods, df=own_df)
        for pair, one in differences.items()
        if one.run_error and one.run_df <= own_df
    }
    smallest_first = sorted(
        differences, key=lambda pair: differences[pair].p_value_among(len(differences), quantiles.get(pair))
    )
    adjusted: dict[Pair, float] = {}
    largest = 0.0
    for n_left, pair in zip(range(len(differences), 0, -1), smallest_first, strict=True):
        largest = max(largest, differences[pair].p_value_among(n_left, quantiles.get(pair)))
        adjusted[pair] = largest
    return {pair: adjusted[pair] for pair in differences}


def largest_difference(alpha: float, n_methods: int, df: int) -> float:
    """Return what the largest difference of equal methods, in standard errors, exceeds with a probability of alpha.

    Quantile of the studentized range / √2, since a difference has √2 times the standard error of a mean; infinite for
    an alpha below 1e-9.

    Args:
        alpha: probability.
        n_methods: number of methods.
        df: degrees of freedom of the standard error.

    """
    return _quantiles(n_methods, df)(alpha)


@cache
def _quantiles(n_methods: int, df: int) -> Callable[[float], float]:
    """Return the quantile function, interpolated between the points of `GRID`."""
    from scipy.interpolate import PchipInterpolator
    from scipy.stats import studentized_range

    tails = studentized_range.sf(GRID * np.sqrt(2), n_methods, df)
    decreasing = np.append(np.diff(tails) < 0, True) & (tails > SMALLEST_TAIL)
    log_tails = np.log(tails[decreasing])[::-1]
    interpolated = PchipInterpolator(log_tails, np.log(GRID[decreasing])[::-1])

    def quantile(alpha: float) -> float:
        log_alpha = np.log(alpha)
        if log_alpha < log_tails[0]:
            return np.inf
        return float(np.exp(interpolated(min(log_alpha, log_tails[-1]))))

    return quantile
