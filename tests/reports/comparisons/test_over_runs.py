"""Uncertainty over runs: components of the variance, shares of training, and coverage by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.comparisons.over_runs import SMALLEST_SHARE, OverRuns
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from planktonbench.reports.scoring.estimate import Estimate


def means_over_runs(values: NDArray[np.float64], test_to_train: float = 0) -> OverRuns:
    """Return the mean over units in each run, for values of shape (n_runs, n_units) of the same units."""
    n = values.shape[1]
    left_out = (values.sum(axis=1, keepdims=True) - values) / (n - 1)
    return OverRuns(values.mean(axis=1), left_out, test_to_train, (-9.0, 9.0))


def of_method(values: OverRuns) -> Estimate:
    """Return the estimate of the method by its own variance over runs."""
    return values.of_method(values.variance, values.df)


def test_a_single_run_is_about_the_fitted_model() -> None:
    """There is no variation over runs; the error is that of the units."""
    values = np.random.default_rng(0).normal(size=(1, 30))
    found = means_over_runs(values)

    assert of_method(found) == found.of_fitted_models
    assert found.of_fitted_models.error == pytest.approx(stats.sem(values[0]))
    assert (found.variance, found.df) == (0, 0)


def test_the_variance_of_training_excludes_that_of_the_units() -> None:
    """What single runs have more than their mean is subtracted; half of the variance over runs always remains."""
    rng = np.random.default_rng(1)
    common, own, training = rng.normal(size=40), rng.normal(size=(4, 40)), np.array([0, 1.0, 3, -2])
    varied, units_only = means_over_runs(common + own + training[:, None]), means_over_runs(common + own)
    runs = common + own + training[:, None]
    of_units = 4 / 3 * (np.mean(stats.sem(runs, axis=1) ** 2) - stats.sem(runs.mean(axis=0)) ** 2)

    assert of_method(varied).run_error ** 2 == pytest.approx((varied.variance - of_units) / 4)
    assert varied.variance - of_units > SMALLEST_SHARE * varied.variance
    assert of_method(units_only).run_error ** 2 >= SMALLEST_SHARE * units_only.variance / 4


def test_without_noise_of_units_all_variance_is_of_training() -> None:
    """On one split the mean has the share 1 / J, on several splits 1 / J + n_test / n_train."""
    runs = np.array([0.1, 0.3, 0.2, 0.4])
    values = np.repeat(runs[:, None], 20, axis=1)

    for ratio in (0.0, 0.5):
        found = of_method(means_over_runs(values, ratio))

        assert found.run_error**2 == pytest.approx((1 / 4 + ratio) * runs.var(ddof=1))
        assert found.interval == pytest.approx(
            0.25 + stats.t.ppf([0.025, 0.975], 3) * np.sqrt(1 / 4 + ratio) * runs.std(ddof=1)
        )


def test_a_moderated_variance_replaces_that_of_the_values() -> None:
    """With its degrees of freedom."""
    found = means_over_runs(np.repeat([[0.1], [0.3]], 20, axis=1)).of_method(0.5, 7.0)

    assert (found.run_error, found.run_df) == (pytest.approx(0.5), 7)


def test_identical_methods_do_not_vary() -> None:
    """Differences of zero without any unit remain certain, also if other pairs vary over runs."""
    found = OverRuns(np.zeros(3), np.zeros((3, 8))).of_method(0.01, 4.0)

    assert (found.interval, found.p_value, found.detectable) == ((0, 0), 1, 0)


@pytest.mark.parametrize("value", [0.1, 0.0871, 0.7])
def test_rounding_is_no_variation_over_runs(value: float) -> None:
    """The mean of equal scores can differ from them in the last digit (0.1 in three runs), which is no training."""
    found = OverRuns(np.full(3, value), np.full((3, 8), value))

    assert found.variance == 0
    assert OverRuns(np.array([value, value, value + 1e-9]), np.full((3, 8), value)).variance > 0
    assert of_method(found) == found.of_fitted_models


def test_a_run_without_units_is_excluded_from_the_mean() -> None:
    """Leaving out the only unit of a run leaves the mean of the others."""
    left_out = np.array([[0.5, 0.7, 0.6], [0.4, 0.4, np.nan]])
    found = OverRuns(np.array([0.6, 0.4]), left_out).of_fitted_models
    means = np.array([0.45, 0.55, 0.6])

    assert found.error == pytest.approx(np.sqrt(2 / 3 * ((means - means.mean()) ** 2).sum()))


@pytest.mark.parametrize("n_runs", [3, 5, 10])
@pytest.mark.parametrize("training", [0.0, 0.3, 2.0])
def test_two_seeds_of_one_algorithm_rarely_differ(n_runs: int, training: float) -> None:
    """On one split with 40 units, whatever the share of training in the variance, in at most 7 % of 1,500 cases."""
    rng = np.random.default_rng(n_runs)
    alarms = [
        of_method(
            means_over_runs(
                rng.normal(0, 1, (n_runs, 40)) + rng.normal(0, 1, 40) + rng.normal(0, training, (n_runs, 1))
            )
        ).excludes_zero
        for _ in range(1500)
    ]

    assert np.mean(alarms) <= 0.07
