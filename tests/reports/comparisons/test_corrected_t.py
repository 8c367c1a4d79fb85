"""Corrected t test, compared with SciPy, the published equation and a simulation; designs of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.comparisons.corrected_t import corrected_t, design_of
from planktonbench.reports.results.stored_run import read_runs
from scipy.stats import t, ttest_1samp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DELTAS = [0.01, 0.03, -0.01, 0.02, 0.04]


def test_without_overlap_it_equals_the_standard_t_test() -> None:
    """With a ratio of zero, p-value and interval are those of SciPy."""
    found, expected = corrected_t(DELTAS, 0), ttest_1samp(DELTAS, 0)

    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))
    assert (found.mean, found.df) == (pytest.approx(0.018), 4)


def test_overlap_widens_the_interval_as_in_nadeau_and_bengio() -> None:
    """For five folds, the variance of the mean is (1/5 + 1/4) times that of the differences."""
    found = corrected_t(DELTAS, 1 / 4)
    error = np.std(DELTAS, ddof=1) * np.sqrt(0.45)

    assert found.p_value == pytest.approx(2 * t.sf(0.018 / error, 4))
    assert found.interval == pytest.approx((0.018 - t.ppf(0.975, 4) * error, 0.018 + t.ppf(0.975, 4) * error))


@pytest.mark.parametrize(("deltas", "p_value"), [([0.0, 0.0, 0.0], 1.0), ([0.25, 0.25], 0.0)])
def test_differences_without_spread(deltas: list[float], p_value: float) -> None:
    """The p-value is 1 if all differences are zero, and 0 if all are equal but not zero."""
    found = corrected_t(deltas, 0.5)

    assert found.p_value == p_value
    assert found.interval == (deltas[0], deltas[0])


def test_false_positive_rate_is_five_percent() -> None:
    """For ten hold-outs that correlate as the correction assumes, it is 5 ± 2 %; the standard t test has far more.

    The assumed correlation is n_test / (n_test + n_train) (Nadeau & Bengio 2003, section 3), here 15 of 90 objects.
    """
    rng, shared = np.random.default_rng(4), 15 / 90
    common, individual = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 10))
    deltas = np.sqrt(shared) * common + np.sqrt(1 - shared) * individual
    corrected, standard = (
        np.mean([corrected_t(row, ratio).p_value < 0.05 for row in deltas]) for ratio in (15 / 75, 0)
    )

    assert 0.03 < corrected < 0.07
    assert standard > 0.2


@pytest.mark.parametrize(
    ("keys", "design"),
    [
        ([("holdout.v1", 0)], "one run"),
        ([("holdout.v1", 0), ("holdout.v1", 3)], "seeds on one split"),
        ([("holdout.v1", 0), ("holdout.v1", 1)], "repeated hold-out"),
        ([("kfold2.v1-fold0", 0), ("kfold2.v1-fold1", 0)], "k-fold"),
        ([("kfold2.v1-fold0", 0), ("kfold2.v1-fold0", 1)], "repeated k-fold"),
    ],
)
def test_designs_follow_from_splits_and_objects(
    tmp_path: Path, add_run: Callable[..., Path], keys: list[tuple[str, int]], design: str
) -> None:
    """Seeds 0 and 3 of the synthetic runs have the same test objects, seeds 0 and 1 different ones."""
    for split, seed in keys:
        add_run(tmp_path, split=split, seed=seed)

    assert design_of(read_runs(tmp_path)) == design
