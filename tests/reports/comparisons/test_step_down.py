"""Adjusted p-values of all pairs: Holm's where variances are moderated or absent, the studentized range elsewhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from planktonbench.reports.comparisons.over_datasets import holm
from planktonbench.reports.comparisons.step_down import adjusted_p_values, largest_difference
from planktonbench.reports.scoring.estimate import Estimate
from scipy.stats import studentized_range

PAIRS = list(combinations(range(4), 2))
RUNS_ONLY = {"error": 1e-9, "n_units": 100, "run_error": 0.01}
"""Differences with hardly any variation over test objects."""


def estimates(run_error: float, run_df: float) -> dict[tuple[int, int], Estimate]:
    """Return differences of four methods, of which some are large."""
    values = 0.01 * np.array([0.5, 2, 3, 4, 8, 12])
    return {
        pair: Estimate(float(value), 0.01, 50, run_error, run_df) for pair, value in zip(PAIRS, values, strict=True)
    }


@pytest.mark.parametrize(("run_error", "run_df"), [(0.0, 2), (0.005, 8.5)])
def test_other_differences_have_holms_correction(run_error: float, run_df: float) -> None:
    """Those without variance over runs, and those whose variance is moderated and has more degrees of freedom."""
    differences = estimates(run_error, run_df)
    p_values = np.array([one.p_value for one in differences.values()])

    assert adjusted_p_values(differences, 4, 2) == pytest.approx(dict(zip(PAIRS, holm(p_values), strict=True)))


def test_own_variances_have_the_quantile_of_the_studentized_range() -> None:
    """If nothing else varies, the p-value of the largest difference is that of the range of all means."""
    differences = {pair: Estimate(0.0, run_df=2, **RUNS_ONLY) for pair in PAIRS}
    for value in (0.04, 0.08, 0.2):
        largest = {**differences, PAIRS[0]: Estimate(value, run_df=2, **RUNS_ONLY)}
        expected = studentized_range.sf(value / 0.01 * np.sqrt(2), 4, 2)

        assert adjusted_p_values(largest, 4, 2)[PAIRS[0]] == pytest.approx(expected, rel=0.01)


def test_no_p_value_is_above_holms() -> None:
    """The smaller of both quantiles is used, and none is below the p-value of the pair alone."""
    differences = estimates(0.01, 2)
    by_holm = holm(np.array([one.p_value for one in differences.values()]))
    found = adjusted_p_values(differences, 4, 2)

    for pair, largest in zip(PAIRS, by_holm, strict=True):
        assert differences[pair].p_value <= found[pair] * 1.0001 <= largest * 1.0002
    assert found[PAIRS[-1]] < 0.8 * by_holm[-1]


def test_larger_differences_have_smaller_p_values() -> None:
    """They fall in steps: no difference is significant while a larger one with the same errors is not."""
    found = list(adjusted_p_values(estimates(0.01, 2), 4, 2).values())

    assert found == sorted(found, reverse=True)


def test_two_methods_need_no_correction() -> None:
    """There is one pair."""
    one = Estimate(0.05, 0.01, 50, 0.01, 2)

    assert adjusted_p_values({(0, 1): one}, 2, 2)[0, 1] == pytest.approx(one.p_value, rel=0.005)


def test_a_single_unit_or_no_difference_shows_nothing() -> None:
    """The adjusted p-value is 1, also with a variance over runs."""
    one = Estimate(0.05, 0.0, 1, 0.01, 2)
    found = adjusted_p_values({(0, 1): one, (0, 2): replace(one, value=0.0, n_units=9), (1, 2): one}, 3, 2)

    assert set(found.values()) == {1.0}


@pytest.mark.parametrize(("n_methods", "df"), [(3, 1), (12, 2), (9, 4), (40, 9)])
def test_quantiles_are_those_of_scipy(n_methods: int, df: int) -> None:
    """Within 2 in 1,000, and infinite where the distribution is inaccurate."""
    for alpha in (0.5, 0.05, 0.005):
        expected = studentized_range.isf(alpha, n_methods, df) / np.sqrt(2)

        assert largest_difference(alpha, n_methods, df) == pytest.approx(expected, rel=2e-3)
    assert largest_difference(1e-12, n_methods, df) == np.inf
