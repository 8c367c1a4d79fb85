"""Estimates: interval, p-value and power agree with each other, with SciPy and with simulations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planktonbench.reports.scoring.estimate import SMALLEST_P, Estimate, jackknife_error
from scipy import stats

estimates = st.builds(
    Estimate,
    value=st.floats(-1, 1),
    error=st.just(0.0) | st.floats(1e-6, 0.5),
    n_units=st.integers(1, 200),
    run_error=st.just(0.0) | st.floats(1e-6, 0.5),
    run_df=st.sampled_from([1.0, 2.0, 4.7, 30.0, np.inf]),
)


@given(estimates)
@settings(max_examples=300, deadline=None)
def test_the_interval_excludes_zero_if_and_only_if_p_is_below_five_percent(estimate: Estimate) -> None:
    """Both are about the same test; the p-value is a probability above zero."""
    assume(abs(estimate.p_value - 0.05) > 1e-6)

    assert SMALLEST_P <= estimate.p_value <= 1
    assert estimate.excludes_zero is (estimate.p_value < 0.05)


@given(estimates)
@settings(max_examples=100, deadline=None)
def test_negation_mirrors_the_estimate(estimate: Estimate) -> None:
    """Only signs change, and only those of the value and the bounds."""
    low, high = estimate.interval
    negated = replace(estimate, limits=(-0.5, 1)).negated

    assert estimate.negated.interval == (-high, -low)
    assert (estimate.negated.p_value, estimate.negated.detectable) == (estimate.p_value, estimate.detectable)
    assert estimate.negated.negated == estimate
    assert negated.limits == (-1, 0.5)


@pytest.mark.parametrize("n", [2, 5, 40, 100_000])
@pytest.mark.parametrize("t", [0.0, 0.3, 2.0, 9.0, -25.0])
def test_without_runs_the_test_is_that_of_student(n: int, t: float) -> None:
    """For a mean, interval and p-value are those of SciPy's one-sample t test."""
    error = 0.01
    expected = stats.t(n - 1)
    estimate = Estimate(t * error, error, n, limits=(-np.inf, np.inf))

    assert estimate.p_value == pytest.approx(max(2 * expected.sf(abs(t)), SMALLEST_P), rel=1e-9)
    assert estimate.interval == pytest.approx(expected.interval(0.95) * np.array(error) + t * error)


def test_a_huge_statistic_has_the_smallest_p_value() -> None:
    """It is bounded, with and without variation over runs."""
    assert Estimate(0.3, 0.001, 100_000).p_value == SMALLEST_P
    assert Estimate(0.3, 0.001, 100_000, 0.001, np.inf).p_value == SMALLEST_P


def test_quantiles_of_both_errors_are_combined_in_quadrature() -> None:
    """The half-width has the t quantile of each component with its own degrees of freedom."""
    estimate = Estimate(0.1, 0.02, 11, 0.03, 2)
    expected = np.hypot(stats.t.ppf(0.975, 10) * 0.02, stats.t.ppf(0.975, 2) * 0.03)

    assert estimate.half_width(0.05) == pytest.approx(expected)
    assert estimate.half_width(estimate.p_value) == pytest.approx(0.1)
    assert estimate.detectable == pytest.approx(
        np.hypot(*((stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * error for df, error in ((10, 0.02), (2, 0.03))))
    )


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_single_unit_shows_nothing(value: float) -> None:
    """The interval is the whole range, also with variation over runs."""
    for estimate in (Estimate(value, 0, 1), Estimate(value, 0, 1, 0.1, 2)):
        assert (estimate.interval, estimate.p_value, estimate.excludes_zero) == ((-1, 1), 1, False)
        assert estimate.detectable == np.inf


@pytest.mark.parametrize(("n", "is_enough"), [(2, False), (5, False), (6, True), (30, True)])
def test_unanimous_units_are_judged_by_a_sign_test(n: int, *, is_enough: bool) -> None:
    """The smallest p-value of a sign test, as SciPy computes it, decides whether units without variation suffice."""
    estimate = Estimate(0.2, 0, n)

    assert estimate.p_value == pytest.approx(stats.binomtest(n, n).pvalue)
    assert estimate.interval == ((0.2, 0.2) if is_enough else (-1, 1))


def test_no_difference_on_any_unit_is_certain() -> None:
    """The interval of identical predictions is a point."""
    estimate = Estimate(0, 0, 2)

    assert (estimate.interval, estimate.p_value, estimate.detectable) == ((0, 0), 1, 0)


def test_bounds_are_within_the_limits() -> None:
    """A score is not below 0 or above 1."""
    assert Estimate(0.95, 0.1, 9, limits=(0, 1)).interval[1] == 1
    assert Estimate(0.05, 0.1, 9, limits=(0, 1)).interval[0] == 0


def test_the_detectable_difference_is_detected_in_80_percent() -> None:
    """Of 4,000 simulated means of 20 units."""
    rng = np.random.default_rng(0)
    detectable = Estimate(0, 1 / np.sqrt(20), 20).detectable
    values = rng.normal(detectable, 1, (4000, 20))
    errors = values.std(axis=1, ddof=1) / np.sqrt(20)
    found = [
        Estimate(mean, error, 20, limits=(-9, 9)).excludes_zero
        for mean, error in zip(values.mean(axis=1), errors, strict=True)
    ]

    assert 0.77 < np.mean(found) < 0.83


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
@settings(deadline=None)
def test_the_jackknife_error_of_a_mean_is_its_standard_error(values: list[float]) -> None:
    """Exactly, as for any linear statistic."""
    n = len(values)
    left_out = (np.sum(values) - np.array(values)) / (n - 1)

    assert jackknife_error(left_out) == (pytest.approx(stats.sem(values), abs=1e-12), n)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=12))
@settings(deadline=None)
def test_the_jackknife_error_equals_its_formula(kinds: list[tuple[float, int]]) -> None:
    """With kinds of identical units repeated; a sum over units, in pure Python."""
    values, weights = (np.array(column) for column in zip(*kinds, strict=True))
    units = np.repeat(values, weights).tolist()
    n = len(units)
    mean = sum(units) / n
    variance = (n - 1) / n * sum((value - mean) ** 2 for value in units)

    assert jackknife_error(values, weights) == (pytest.approx(variance**0.5, abs=1e-12), n)


def test_units_without_a_value_do_not_count() -> None:
    """They contribute neither to the sum nor to the number of units."""
    assert jackknife_error(np.array([0.1, np.nan, 0.3])) == jackknife_error(np.array([0.1, 0.3]))
    assert jackknife_error(np.array([0.1, np.nan])) == (0, 1)
    assert jackknife_error(np.array([np.nan]))[1] == 0


def test_rounding_is_no_variation() -> None:
    """Units that agree up to rounding are unanimous."""
    assert jackknife_error(np.array([0.1 + 0.2, 0.3, 0.3])) == (0, 3)
    assert jackknife_error(np.array([0.3 + 1e-9, 0.3, 0.3]))[0] > 0
    assert jackknife_error(1e6 + np.array([1e-9, 0, 0])) == (0, 3)
    assert jackknife_error(1e6 + np.array([1e-3, 0, 0]))[0] > 0
