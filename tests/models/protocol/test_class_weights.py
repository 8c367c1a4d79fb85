"""Class weights, including regression tests for the errors of source 001."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.models.protocol.class_weights import class_weights, sample_weights
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

CODES = np.repeat([0, 2, 3, 6], [1, 1000, 20, 5])  # 1, 4 and 5 are absent


def test_weights_are_indexed_by_class_code_despite_gaps() -> None:
    """Each code has the weight of its own class, absent codes have weight 0; not off by one class as in source 001."""
    weights = class_weights(CODES, 7)
    expected = dict(zip([0, 2, 3, 6], compute_class_weight("balanced", classes=np.unique(CODES), y=CODES), strict=True))

    assert dict(enumerate(weights)) == pytest.approx({**dict.fromkeys(range(7), 0.0), **expected})


def test_weights_below_one_are_not_truncated() -> None:
    """The most common class has a weight between 0 and 1, not truncated to integer 0 as in source 001."""
    assert 0 < class_weights(CODES, 7)[2] < 1


def test_balanced_weights_sum_to_n_and_give_each_class_the_same_share() -> None:
    """The weights sum to n, and each class that occurs has an equal share."""
    weights = sample_weights(CODES, 7)
    shares = np.bincount(CODES, weights=weights, minlength=7)

    assert weights.dtype == np.float64
    assert weights.sum() == pytest.approx(len(CODES))
    assert shares[[0, 2, 3, 6]] == pytest.approx(np.full(4, len(CODES) / 4))


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_weights_equal_those_of_scikit_learn(codes: list[int]) -> None:
    """With alpha 1, weights are scikit-learn's balanced weights."""
    y = np.array(codes)

    assert sample_weights(y, 9) == pytest.approx(compute_sample_weight("balanced", y))


@pytest.mark.parametrize(("alpha", "ratio"), [(0.0, 1.0), (0.5, 1000**0.5), (1.0, 1000.0)])
def test_alpha_reduces_the_ratio_of_weights(alpha: float, ratio: float) -> None:
    """A class that is 1,000 times as rare has 1000 ** alpha times the weight."""
    weights = class_weights(CODES, 7, alpha)

    assert weights[0] / weights[2] == pytest.approx(ratio)
