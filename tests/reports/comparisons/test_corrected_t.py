"""The corrected t test against published numbers, a simulation, and the designs it is for."""

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


def test_without_overlap_it_is_the_plain_t_test() -> None:
    """SciPy's, when no test object is counted against training objects."""
    found, told = corrected_t(DELTAS, 0), ttest_1samp(DELTAS, 0)

    assert found.p_value == pytest.approx(told.pvalue)
    assert found.interval == pytest.approx(tuple(told.confidence_interval()))
    assert (found.mean, found.df) == (pytest.approx(0.018), 4)


def test_overlap_widens_the_interval_as_nadeau_and_bengio_have_it() -> None:
    """Their equation by hand: the variance of the mean is (1/5 + 1/4) of that of the differences, for five folds."""
    found = corrected_t(DELTAS, 1 / 4)
    error = np.std(DELTAS, ddof=1) * np.sqrt(0.45)

    assert found.p_value == pytest.approx(2 * t.sf(0.018 / error, 4))
    assert found.interval == pytest.approx((0.018 - t.ppf(0.975, 4) * error, 0.018 + t.ppf(0.975, 4) * error))


@pytest.mark.parametrize(("deltas", "p_value"), [([0.0, 0.0, 0.0], 1.0), ([0.25, 0.25], 0.0)])
def test_differences_without_spread(deltas: list[float], p_value: float) -> None:
    """No difference at all is no difference; the same one each time leaves no doubt."""
    found = corrected_t(deltas, 0.5)

    assert found.p_value == p_value
    assert found.interval == (deltas[0], deltas[0])


def test_without_a_difference_one_test_in_twenty_finds_one() -> None:
    """Differences of ten hold-outs that correlate as the correction assumes: 5 ± 2 % are found; the plain t: far more.

    The assumed correlation is n_test / (n_test + n_train) (Nadeau & Bengio 2003, section 3), here 15 of 90 objects.
    """
    rng, shared = np.random.default_rng(4), 15 / 90
    common, own = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 10))
    deltas = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
    corrected, plain = (np.mean([corrected_t(row, ratio).p_value < 0.05 for row in deltas]) for ratio in (15 / 75, 0))

    assert 0.03 < corrected < 0.07
    assert plain > 0.2


@pytest.mark.parametrize(
    ("places", "design"),
    [
        ([("holdout.v1", 0)], "one run"),
        ([("holdout.v1", 0), ("holdout.v1", 3)], "seeds on one split"),
        ([("holdout.v1", 0), ("holdout.v1", 1)], "repeated hold-out"),
        ([("kfold2.v1-fold0", 0), ("kfold2.v1-fold1", 0)], "k-fold"),
        ([("kfold2.v1-fold0", 0), ("kfold2.v1-fold0", 1)], "repeated k-fold"),
    ],
)
def test_designs_are_told_from_splits_and_objects(
    tmp_path: Path, add_run: Callable[..., Path], places: list[tuple[str, int]], design: str
) -> None:
    """Seeds 0 and 3 of the made-up runs test the same objects, seeds 0 and 1 others."""
    for split, seed in places:
        add_run(tmp_path, split=split, seed=seed)

    assert design_of(read_runs(tmp_path)) == design
