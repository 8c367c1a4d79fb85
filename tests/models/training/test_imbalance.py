"""Imbalance strategies: counts of the rows that each shows."""

from __future__ import annotations

import numpy as np
import pytest
from imblearn.over_sampling import RandomOverSampler
from planktonbench.models.training.imbalance import epoch_rows, may_be_augmented, row_weights
from planktonbench.models.training.recipe import Imbalance, Recipe
from sklearn.utils.class_weight import compute_sample_weight

Y = np.repeat([0, 1, 2, 3], [1, 100, 7, 20])


def shown(imbalance: Imbalance, seed: int = 0, **options: int) -> np.ndarray:
    """Return the rows of an epoch."""
    return epoch_rows(Y, Recipe(imbalance=imbalance, **options), np.random.default_rng(seed))  # type: ignore[arg-type]


@pytest.mark.parametrize("imbalance", ["class-weights", "focal", "none"])
def test_weights_and_losses_show_each_row_once(imbalance: Imbalance) -> None:
    """Strategies that act on weights or loss show each row once, in random order."""
    rows = shown(imbalance)

    assert sorted(rows) == list(range(len(Y)))
    assert list(rows) != sorted(rows)


@pytest.mark.parametrize(
    ("imbalance", "expected"),
    [
        ("per-class-epoch", [50, 50, 50, 50]),
        ("per-class-limit", [1, 50, 7, 20]),
        ("oversample", [100, 100, 100, 100]),
        ("augment-small", [32, 100, 32, 32]),
        ("balanced-batches", [32, 32, 32, 32]),
    ],
)
def test_resampling_strategies_draw_the_expected_counts(imbalance: Imbalance, expected: list[int]) -> None:
    """Classes have the expected counts in an epoch; the rows of a class are drawn equally often."""
    rows = shown(imbalance, per_class=50)
    times = np.bincount(rows, minlength=len(Y))

    assert np.bincount(Y[rows]).tolist() == expected
    assert all(np.ptp(times[code == Y]) <= 1 for code in range(4))


def test_oversampling_equals_that_of_imbalanced_learn() -> None:
    """Each class has as many rows as with imbalanced-learn's RandomOverSampler."""
    _, expected = RandomOverSampler(random_state=0).fit_resample(np.arange(len(Y))[:, None], Y)

    assert np.bincount(Y[shown("oversample")]).tolist() == np.bincount(expected).tolist()


@pytest.mark.parametrize("size", [4, 8, 13])
def test_balanced_batches_are_balanced_for_any_size(size: int) -> None:
    """In each batch the counts of the classes differ by at most two."""
    rows = shown("balanced-batches")
    for first in range(0, len(rows) - size, size):
        counts = np.bincount(Y[rows[first : first + size]], minlength=4)

        assert np.ptp(counts) <= 2


@pytest.mark.parametrize("imbalance", ["per-class-epoch", "augment-small", "balanced-batches", "none"])
def test_rows_of_an_epoch_depend_on_the_seed(imbalance: Imbalance) -> None:
    """Rows are redrawn for each epoch, from the generator only."""
    assert shown(imbalance, 1).tolist() == shown(imbalance, 1).tolist()
    assert shown(imbalance, 1).tolist() != shown(imbalance, 2).tolist()


def test_only_class_weights_have_row_weights() -> None:
    """With alpha 1 these are scikit-learn's balanced weights; other strategies have none."""
    weights = row_weights(Y, Recipe(imbalance="class-weights", alpha=1.0))

    assert weights is not None
    assert weights == pytest.approx(compute_sample_weight("balanced", Y), rel=1e-6)
    assert row_weights(Y, Recipe(imbalance="oversample")) is None


def test_augment_small_augments_small_classes_only() -> None:
    """With `augment-small`, rows of classes below the mean size (32) are augmented, otherwise all rows."""
    assert np.unique(Y[may_be_augmented(Y, Recipe(imbalance="augment-small"))]).tolist() == [0, 2, 3]
    assert may_be_augmented(Y, Recipe()).all()
