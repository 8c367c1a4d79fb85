"""Folds by sample and by row."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.models.protocol.folds import by_sample, folds_of

RNG = np.random.default_rng


def samples_of(numbers: list[int] | np.ndarray) -> np.ndarray:
    """Return names of samples as objects carry them."""
    return np.array([f"tow {number}" for number in numbers], dtype=object)


@pytest.mark.parametrize("groups", [None, samples_of([7] * 42)])
def test_rows_are_stratified_without_samples(groups: np.ndarray | None) -> None:
    """The numbers of rows of a class, and of all rows, differ by at most one between folds; one sample is like none."""
    y = np.repeat([0, 1, 2], [10, 31, 1])

    fold = folds_of(y, 3, RNG(0), groups)

    assert not by_sample(groups)
    assert np.ptp(np.bincount(fold)) <= 1
    for code in (0, 1):
        assert np.ptp(np.bincount(fold[y == code], minlength=3)) <= 1
    assert (fold != folds_of(y, 3, RNG(1), groups)).any()


@pytest.mark.parametrize("seed", range(5))
def test_samples_are_not_divided(seed: int) -> None:
    """All rows of a sample are in one fold, every class is in all folds, and folds are of similar size."""
    rng = RNG(seed)
    sample = rng.integers(0, 30, 600)
    y = rng.integers(0, 4, 600)

    fold = folds_of(y, 3, rng, samples_of(sample))

    assert all(len(set(fold[sample == one])) == 1 for one in range(30))
    assert all(len(set(fold[y == code])) == 3 for code in range(4))
    assert np.bincount(fold).min() > 120


def test_there_are_at_most_as_many_folds_as_samples() -> None:
    """Two samples make two folds, numbered from 0."""
    sample = np.repeat([4, 9], 20)

    fold = folds_of(np.tile([0, 1], 20), 5, RNG(0), samples_of(sample))

    assert set(fold) == {0, 1}
    assert set(zip(fold, sample, strict=True)) in ({(0, 4), (1, 9)}, {(1, 4), (0, 9)})


def test_class_of_a_single_sample_is_in_several_folds() -> None:
    """Otherwise the model of its fold would not know the class; with one row this cannot be avoided."""
    sample = np.repeat(np.arange(6), 10)
    y = np.tile([0, 1], 30)
    y[:4], y[59] = 2, 3

    fold = folds_of(y, 3, RNG(0), samples_of(sample))

    assert len(set(fold[y == 2])) == 3
    assert len(set(fold[y == 3])) == 1
    usual = y < 2
    assert all(len(set(fold[usual & (sample == one)])) == 1 for one in range(6))


def test_classes_of_one_row_each_make_folds() -> None:
    """Nothing can be stratified; samples still stay together, and no fold is empty."""
    fold = folds_of(np.arange(6), 3, RNG(0), samples_of([0, 0, 1, 1, 2, 2]))

    assert fold.tolist() == [0, 0, 1, 1, 2, 2]
