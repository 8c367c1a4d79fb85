"""All pairs of methods: which variances over runs are moderated, and false alarms of methods that train unequally."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.comparisons.all_pairs import AllPairs

if TYPE_CHECKING:
    from collections.abc import Sequence

N_UNITS = 40


def all_pairs(values: Sequence[Sequence[float]], unit_spread: float = 1e-4) -> AllPairs:
    """Return methods with given macro F1, of shape (n_runs, n_methods), whose units vary little, alike in each run."""
    macro_f1 = np.array(values)
    of_units = np.random.default_rng(0).normal(0, unit_spread, (1, macro_f1.shape[1], N_UNITS))
    return AllPairs(macro_f1, macro_f1[:, :, None] + of_units - of_units.mean(axis=2, keepdims=True))


def random_methods(spreads: Sequence[float], n_runs: int, seed: int = 1) -> AllPairs:
    """Return equally good methods whose macro F1 varies over runs with given standard deviations."""
    rng = np.random.default_rng(seed)
    return all_pairs(0.7 + rng.normal(size=(n_runs, len(spreads))) * spreads)


def test_a_constant_method_borrows_no_variance() -> None:
    """Its score does not vary with training, also if 0.1 in three runs has a variance by rounding; others do."""
    varying = random_methods([0.02] * 4, 3).scores
    for value in (0.1, 0.0871):
        found = all_pairs(np.column_stack([varying, np.full(3, value)]))

        assert [one.run_error > 0 for one in found.estimates] == [True] * 4 + [False]
        assert found.n_varying == 4
        assert [one.run_df for one in found.estimates[:4]] == [one.run_df for one in all_pairs(varying).estimates]


def test_two_constant_methods_differ_as_fitted_models() -> None:
    """Their difference does not vary with training, unlike those from methods that vary."""
    varying = random_methods([0.02] * 4, 3).scores
    found = all_pairs(np.column_stack([varying, np.full((3, 2), [0.1, 0.3])]))

    assert found.difference(4, 5) == found.pair_values(4, 5).of_fitted_models
    assert found.difference(3, 5).run_error > 0


def test_only_methods_that_vary_have_degrees_of_freedom() -> None:
    """Differences of three varying methods from eight constant ones have no more than six."""
    found = random_methods([0.02] * 3 + [0.0] * 8, 3)

    assert max(one.run_df for one in found.differences.values()) <= 6
    assert max(one.run_df for one in random_methods([0.02] * 11, 3).differences.values()) == 20


@pytest.mark.parametrize("n_varying", [1, 2])
def test_one_or_two_varying_methods_keep_their_own_variances(n_varying: int) -> None:
    """Nothing is known about how variances vary, however many pairs they are in."""
    found = random_methods([0.02] * n_varying + [0.0] * 9, 3)

    assert not found.is_moderated
    for pair, one in found.differences.items():
        values = found.pair_values(*pair)
        assert one == values.of_method(values.variance, 2)


def test_a_pair_of_equal_differences_by_chance_is_raised() -> None:
    """Two methods that vary, but by the same amount, have the variance of the others."""
    varying = random_methods([0.02] * 5, 2).scores
    found = all_pairs(np.column_stack([varying, varying[:, 0] - 0.125]))

    assert found.pair_values(0, 5).variance == 0
    assert found.difference(0, 5).run_error > 0


@pytest.mark.parametrize(("spreads", "n_runs"), [([0.05] + [0.01] * 10, 3), ([0.02] + [0.0] * 10, 2)])
def test_a_variable_method_rarely_differs(spreads: Sequence[float], n_runs: int) -> None:
    """With five times the spread of the others, or among constant ones, in at most 7 % of its pairs in 120 cases."""
    found = [random_methods(spreads, n_runs, seed) for seed in range(120)]
    alarms = [one.difference(0, other).excludes_zero for one in found for other in range(1, 11)]

    assert np.mean(alarms) <= 0.07
