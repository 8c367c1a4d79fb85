"""Moderated variances: simulated variances with a known prior, and false alarms."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.comparisons.moderated_variance import moderated_variances
from planktonbench.reports.comparisons.over_datasets import holm
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@pytest.mark.parametrize(("df", "prior_df"), [(2, 4), (9, 12), (9, 4)])
def test_a_known_prior_is_recovered(df: int, prior_df: float) -> None:
    """Of 5,000 variances that follow a scaled F distribution, to 15 %, and the posterior variance is its formula."""
    rng = np.random.default_rng(0)
    variances = 0.3 * rng.f(df, prior_df, 5000)

    found, found_df = moderated_variances(variances, df, 5000)

    raised = found > variances
    fitted = found_df[raised] - df
    prior = (found * found_df - df * variances)[raised] / fitted
    assert fitted == pytest.approx(prior_df, rel=0.15)
    assert prior == pytest.approx(prior[0])
    assert prior[0] == pytest.approx(0.3, rel=0.05)
    assert (raised == (variances < prior[0])).all()


def test_variances_that_vary_by_chance_are_pooled() -> None:
    """Those below the common value are raised to it, with all degrees of freedom; the others remain."""
    spread = stats.chi2.ppf([0.3, 0.4, 0.5, 0.6, 0.7], 4) / 4
    found, df = moderated_variances(spread, 4, 5)

    common = found[0]
    assert spread.min() < common < 1.2
    assert found == pytest.approx(np.maximum(spread, common))
    assert df.tolist() == np.where(spread < common, 20, 4).tolist()


def test_small_variances_move_towards_the_others() -> None:
    """Their order remains; they have more degrees of freedom, at most those of all. Large ones are unchanged."""
    variances = np.array([0.1, 0.3, 1.0, 3.0, 10.0])
    found, df = moderated_variances(variances, 2, 5)

    raised = found > variances
    assert raised.tolist() == [True, True, False, False, False]
    assert (np.diff(found) > 0).all()
    assert (df[raised] > 2).all()
    assert (df[raised] <= 10).all()
    assert found[~raised].tolist() == variances[~raised].tolist()
    assert df[~raised].tolist() == [2, 2, 2]


def test_variances_of_zero_do_not_change_the_others() -> None:
    """They take part in the result, but not in the fit."""
    variances = np.array([0.5, 0.6, 0.9, 4.0])
    found, df = moderated_variances(variances, 2, 4)
    with_zeros, same_df = moderated_variances(np.array([0.0, *variances, 0.0]), 2, 4)

    assert with_zeros[1:-1] == pytest.approx(found)
    assert same_df[1:-1].tolist() == df.tolist()
    assert same_df[0] > 2
    assert (with_zeros[[0, -1]] > 0).all()


@pytest.mark.parametrize("variances", [[], [0.3], [0.3, 2.0], [0.3, 2.0, 0.0], [0.0, 0.0, 0.0]])
def test_fewer_than_three_variances_are_unchanged(variances: list[float]) -> None:
    """Nothing is known about how they vary."""
    found, df = moderated_variances(np.array(variances), 2, 3)

    assert (found.tolist(), df.tolist()) == (variances, [2.0] * len(variances))


def p_values_of(spreads: Sequence[float], n_runs: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], int]:
    """Return p-values of all pairs of methods with random results of the given spreads, and the number of the first."""
    first, second = np.array(list(combinations(range(len(spreads)), 2))).T
    values = rng.normal(size=(n_runs, len(spreads))) * spreads
    differences = values[:, first] - values[:, second]
    variances, df = moderated_variances(differences.var(axis=0, ddof=1), n_runs - 1, len(spreads) - 1)
    return 2 * stats.t.sf(np.abs(differences.mean(axis=0)) / np.sqrt(variances / n_runs), df), int((first == 0).sum())


@pytest.mark.parametrize(("n_methods", "n_runs"), [(3, 2), (3, 3), (11, 3)])
def test_equal_methods_rarely_differ(n_methods: int, n_runs: int) -> None:
    """Among all pairs of methods with random results, by Holm's correction, in at most 7 % of 2,000 cases."""
    rng = np.random.default_rng(n_methods + n_runs)
    alarms = [(holm(p_values_of([1.0] * n_methods, n_runs, rng)[0]) <= 0.05).any() for _ in range(2000)]

    assert np.mean(alarms) <= 0.07


@pytest.mark.parametrize("n_runs", [3, 5])
def test_a_method_that_trains_more_variably_rarely_differs(n_runs: int) -> None:
    """Of one of eleven methods with five times the spread, at most 7 % of the pairs, and 8 % of 800 cases by Holm."""
    rng = np.random.default_rng(n_runs)
    pairs, families = [], []
    for _ in range(800):
        p_values, n = p_values_of([5.0] + [1.0] * 10, n_runs, rng)
        pairs.append(np.mean(p_values[:n] <= 0.05))
        families.append((holm(p_values) <= 0.05).any())

    assert np.mean(pairs) <= 0.07
    assert np.mean(families) <= 0.08
