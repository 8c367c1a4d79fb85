"""Uncertainty of a mean over runs: from the tested units, and from training with other seeds and objects.

Over runs, values vary because the models differ, and because the test objects differ. The jackknife over units already
contains the second component, which is therefore subtracted from the variance over runs. What remains is the variance
of training, of which the mean over J runs has the share 1/J + n_test/n_train: training sets of several splits overlap,
so their models resemble each other (Nadeau & Bengio 2003, Inference for the generalization error, Machine Learning 52,
section 3). On a single split it has the share 1/J, and the statement holds for training on these objects.

The difference of two estimated variances can be zero or negative by chance, so half of the variance over runs is always
kept. `tox -e bench-statistics` shows how often two sets of seeds of one algorithm are found to differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.estimate import DIFFERENCES, ROUNDING, Estimate, jackknife_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST_SHARE = 0.5  # of the variance over runs


@dataclass(frozen=True)
class OverRuns:
    """A score, or a difference of scores, over runs.

    Attributes:
        values: value in each run, float64 of shape (n_runs,).
        left_out: value in each run without each unit, float64 of shape (n_runs, n_units); NaN if no object of a run
            remains.
        test_to_train: number of test objects / number of training objects if the runs are on several splits; else 0.
        limits: smallest and largest possible value.

    """

    values: NDArray[np.float64]
    left_out: NDArray[np.float64]
    test_to_train: float = 0.0
    limits: tuple[float, float] = DIFFERENCES

    @property
    def df(self) -> int:
        """Degrees of freedom of the variance over runs; 0 for a single run."""
        return len(self.values) - 1

    @property
    def variance(self) -> float:
        """Variance over runs; 0 for a single run, or if all values agree up to rounding."""
        return float(self.values.var(ddof=1)) if np.ptp(self.values) >= ROUNDING else 0.0

    @cached_property
    def of_fitted_models(self) -> Estimate:
        """The mean of these fitted models, which varies only with the tested units."""
        known = ~np.isnan(self.left_out)
        with np.errstate(invalid="ignore"):
            means = np.where(known, self.left_out, 0).sum(axis=0) / known.sum(axis=0)
        error, n_units = jackknife_error(means)
        return Estimate(float(self.values.mean()), error, n_units, limits=self.limits)

    def of_method(self, variance: float, df: float) -> Estimate:
        """Return the mean of the method, which also varies with training.

        It is that of the fitted models if training does not vary. It does not vary either if it is zero in all runs and
        without any unit, as the difference of methods with identical predictions.

        Args:
            variance: variance over runs, that of these values or a moderated one (`moderated_variance`); 0 if training
                does not vary.
            df: its degrees of freedom.

        """
        fitted, n_runs = self.of_fitted_models, len(self.values)
        if not variance or not (self.values.any() or fitted.error):
            return fitted
        of_runs = np.mean([jackknife_error(run)[0] ** 2 for run in self.left_out])
        tested = n_runs / self.df * float(of_runs - fitted.error**2)
        training_variance = max(variance - tested, SMALLEST_SHARE * variance)
        error = float(np.sqrt((1 / n_runs + self.test_to_train) * training_variance))
        return Estimate(fitted.value, fitted.error, fitted.n_units, error, df, self.limits)
