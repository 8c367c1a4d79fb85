"""Scores of several methods and differences of all pairs of them, with their uncertainty, over one or several runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.estimate import LEVEL, ROUNDING, SCORES
from ..scoring.intervals import score_interval
from .moderated_variance import FEWEST_VARIANCES, moderated_variances
from .over_runs import OverRuns
from .step_down import adjusted_p_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..scoring.estimate import Estimate


@dataclass(frozen=True)
class AllPairs:
    """A score of several methods for the same objects, such as macro F1.

    Attributes:
        scores: score of each method in each run, float64 of shape (n_runs, n_methods).
        without_each: the same without each unit, float64 of shape (n_runs, n_methods, n_units).
        test_to_train: number of test objects / number of training objects if the runs are on several splits; else 0.
        limits: smallest and largest possible score.
        n_objects: number of objects that the scores are about, for the interval of a score of 0 or 1.

    """

    scores: NDArray[np.float64]
    without_each: NDArray[np.float64]
    test_to_train: float = 0.0
    limits: tuple[float, float] = SCORES
    n_objects: int = 0

    @cached_property
    def varies(self) -> NDArray[np.bool_]:
        """Whether the score of each method varies over runs, bool of shape (n_methods,)."""
        return np.asarray(np.ptp(self.scores, axis=0) >= ROUNDING)

    @property
    def n_varying(self) -> int:
        """Number of methods that vary over runs; the others have no variance of training."""
        return int(self.varies.sum())

    @property
    def is_moderated(self) -> bool:
        """Whether variances over runs are moderated by those of the other methods."""
        return self.n_varying >= FEWEST_VARIANCES

    @cached_property
    def estimates(self) -> list[Estimate]:
        """Mean score of each method over runs, with its uncertainty."""
        values = [
            OverRuns(self.scores[:, k], self.without_each[:, k], self.test_to_train, self.limits)
            for k in range(len(self.varies))
        ]
        return self._of_methods(values, self.varies, self.n_varying)

    @cached_property
    def intervals(self) -> list[tuple[float, float]]:
        """95 % interval of the mean score of each method, which is that of `score` for macro F1 of a single run."""
        if self.limits != SCORES:
            return [estimate.interval for estimate in self.estimates]
        return [score_interval(estimate, self.n_objects) for estimate in self.estimates]

    @cached_property
    def differences(self) -> dict[tuple[int, int], Estimate]:
        """Mean difference in score of each pair of methods (a, b), a < b, with its uncertainty."""
        n_methods = len(self.varies)
        pairs = list(combinations(range(n_methods), 2))
        varies = np.array([self.varies[a] or self.varies[b] for a, b in pairs], bool)
        found = self._of_methods(
            [self.pair_values(*pair) for pair in pairs], varies, min(self.n_varying, n_methods - 1)
        )
        return dict(zip(pairs, found, strict=True))

    def difference(self, a: int, b: int) -> Estimate:
        """Return the mean difference of two methods, first minus second."""
        if a == b:
            return self.pair_values(a, b).of_fitted_models
        return self.differences[a, b] if a < b else self.differences[b, a].negated

    def pair_values(self, a: int, b: int) -> OverRuns:
        """Return the difference of two methods in each run."""
        values, left_out = (of[:, a] - of[:, b] for of in (self.scores, self.without_each))
        low, high = self.limits
        return OverRuns(values, left_out, self.test_to_train, (low - high, high - low))

    @cached_property
    def adjusted_p_values(self) -> dict[tuple[int, int], float]:
        """p-value of the difference of each pair of methods (a, b), a < b, adjusted for all pairs (`step_down`)."""
        return adjusted_p_values(self.differences, len(self.varies), len(self.scores) - 1)

    def adjusted_p_value(self, a: int, b: int) -> float:
        """Return the p-value of two methods, adjusted for all pairs; 1 for a method and itself."""
        return self.adjusted_p_values.get((min(a, b), max(a, b)), 1.0)

    def is_different(self, a: int, b: int) -> bool:
        """Return whether two methods differ at the 5 % level, adjusted for all pairs of methods."""
        return self.adjusted_p_value(a, b) <= 1 - LEVEL

    def _of_methods(self, values: Sequence[OverRuns], varies: NDArray[np.bool_], n_independent: int) -> list[Estimate]:
        """Return the estimates, with moderated variances of those that vary, of which so many are independent."""
        own_df = len(self.scores) - 1
        variances, df = np.array([one.variance for one in values]), np.full(len(values), float(own_df))
        if self.is_moderated:
            variances[varies], df[varies] = moderated_variances(variances[varies], own_df, n_independent)
        return [one.of_method(*of_runs) for one, *of_runs in zip(values, variances.tolist(), df.tolist(), strict=True)]
