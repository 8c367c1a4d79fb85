"""Scores of several methods and differences of all pairs of them, with their uncertainty, over one or several runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.estimate import DIFFERENCES, LEVEL, SCORES
from .moderated_variance import moderated_variances
from .over_datasets import holm
from .over_runs import OverRuns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..scoring.estimate import Estimate


@dataclass(frozen=True)
class AllPairs:
    """Macro F1 of several methods for the same objects.

    Attributes:
        macro_f1: macro F1 of each method in each run, float64 of shape (n_runs, n_methods).
        without_each: the same without each unit, float64 of shape (n_runs, n_methods, n_units).
        test_to_train: number of test objects / number of training objects if the runs are on several splits; else 0.

    """

    macro_f1: NDArray[np.float64]
    without_each: NDArray[np.float64]
    test_to_train: float = 0.0

    @cached_property
    def estimates(self) -> list[Estimate]:
        """Mean macro F1 of each method over runs, with its uncertainty."""
        n_methods = self.macro_f1.shape[1]
        over_runs = [
            OverRuns(self.macro_f1[:, k], self.without_each[:, k], self.test_to_train, SCORES) for k in range(n_methods)
        ]
        return self._moderated(over_runs, n_methods)

    @cached_property
    def differences(self) -> dict[tuple[int, int], Estimate]:
        """Mean difference in macro F1 of each pair of methods (a, b), a < b, with its uncertainty."""
        pairs = list(combinations(range(self.macro_f1.shape[1]), 2))
        found = self._moderated([self.over_runs(*pair) for pair in pairs], self.macro_f1.shape[1] - 1)
        return dict(zip(pairs, found, strict=True))

    def difference(self, a: int, b: int) -> Estimate:
        """Return the mean difference of two methods, first minus second."""
        return self.differences[a, b] if a < b else self.differences[b, a].negated

    def over_runs(self, a: int, b: int) -> OverRuns:
        """Return the difference of two methods in each run."""
        values, left_out = (of[:, a] - of[:, b] for of in (self.macro_f1, self.without_each))
        return OverRuns(values, left_out, self.test_to_train, DIFFERENCES)

    @cached_property
    def adjusted_p_values(self) -> dict[tuple[int, int], float]:
        """p-value of the difference of each pair of methods (a, b), a < b, adjusted for all pairs by Holm's method."""
        p_values = np.array([estimate.p_value for estimate in self.differences.values()])
        return dict(zip(self.differences, holm(p_values).tolist(), strict=True)) if len(p_values) else {}

    def adjusted_p_value(self, a: int, b: int) -> float:
        """Return the p-value of the difference of two methods, adjusted for all pairs by Holm's method."""
        return self.adjusted_p_values[min(a, b), max(a, b)]

    def is_different(self, a: int, b: int) -> bool:
        """Return whether two methods differ at the 5 % level, adjusted for all pairs of methods."""
        return a != b and self.adjusted_p_value(a, b) <= 1 - LEVEL

    def _moderated(self, found: Sequence[OverRuns], n_independent: int) -> list[Estimate]:
        """Return the estimates with variances over runs, of which so many are independent, moderated by the others."""
        own_df = max(1, len(self.macro_f1) - 1)
        over_runs = np.array([one.variance for one in found])
        variances, df = moderated_variances(over_runs, own_df, n_independent * own_df)
        return [one.of_method(variance, df) for one, variance in zip(found, variances.tolist(), strict=True)]
