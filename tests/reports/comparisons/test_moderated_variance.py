"""Moderated variances: simulated variances with a known prior, and false alarms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from planktonbench.reports.comparisons.moderated_variance import moderated_variances
from planktonbench.reports.comparisons.over_datasets import holm
from scipy import stats


@pytest.mark.parametrize(("df", "prior_df"), [(2, 4), (9, 12), (9, 4)])
def test_a_known_prior_is_recovered(df: int, prior_df: float) -> None:
    """Of 5,000 variances that follow a scaled F distribution, to 15 %, and the posterior variance is its formula."""
    rng = np.random.default_rng(0)
    variances = 0.3 * rng.f(df, prior_df, 5000)

    found, found_df = moderated_variances(variances, df, np.inf)

    fitted = found_df - df
    prior = (found * found_df - df * variances) / fitted
    assert fitted == pytest.approx(prior_df, rel=0.15)
    assert prior == pytest.approx(np.full(5000, prior[0]))
    assert prior[0] == pytest.approx(0.3, rel=0.05)


def test_equal_variances_are_pooled() -> None:
    """If they vary no more than by chance, all are the same, with all degrees of freedom."""
    spread = stats.chi2.ppf([0.3, 0.4, 0.5, 0.6, 0.7], 4) / 4
    found, df = moderated_variances(spread, 4, 20)

    assert df == 20
    assert found == pytest.approx(np.full(5, found[0]))
    assert spread.min() < found[0] < 1.2
    assert moderated_variances(spread, 4, np.inf)[1] == np.inf


def test_each_variance_moves_towards_the_others() -> None:
    """Their order remains; the degrees of freedom are more than one variance has, and at most those of all."""
    variances = np.array([0.001, 0.1, 1.0, 10.0, 300.0])
    found, df = moderated_variances(variances, 2, 10)

    assert 2 < df <= 10
    assert (np.diff(found) > 0).all()
    assert found.min() > variances.min()
    assert found.max() < variances.max()


def test_variances_of_zero_do_not_change_the_others() -> None:
    """They take part in the result, but not in the fit."""
    variances = np.array([0.5, 0.6, 0.9, 4.0])
    found, df = moderated_variances(variances, 2, 8)
    with_zeros, same_df = moderated_variances(np.array([0.0, *variances, 0.0]), 2, 8)

    assert with_zeros[1:-1] == pytest.approx(found)
    assert same_df == df
    assert (with_zeros[[0, -1]] > 0).all()


@pytest.mark.parametrize("variances", [[], [0.3], [0.3, 2.0], [0.3, 2.0, 0.0], [0.0, 0.0, 0.0]])
def test_fewer_than_three_variances_are_unchanged(variances: list[float]) -> None:
    """Nothing is known about how they vary."""
    found, df = moderated_variances(np.array(variances), 2, 6)

    assert (found.tolist(), df) == (variances, 2)


@pytest.mark.parametrize(("n_methods", "n_runs"), [(3, 2), (3, 3), (11, 3)])
def test_equal_methods_rarely_differ(n_methods: int, n_runs: int) -> None:
    """Among all pairs of methods with random results, by Holm's correction, in at most 7 % of 2,000 cases."""
    rng = np.random.default_rng(n_methods + n_runs)
    first, second = np.array(list(combinations(range(n_methods), 2))).T
    alarms = 0
    for _ in range(2000):
        values = rng.normal(size=(n_runs, n_methods))
        differences = values[:, first] - values[:, second]
        variances, df = moderated_variances(differences.var(axis=0, ddof=1), n_runs - 1, (n_methods - 1) * (n_runs - 1))
        p_values = 2 * stats.t.sf(np.abs(differences.mean(axis=0)) / np.sqrt(variances / n_runs), df)
        alarms += bool((holm(p_values) <= 0.05).any())

    assert alarms / 2000 <= 0.07
