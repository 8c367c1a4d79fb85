"""Pearson correlation by matrix products, compared with pandas and for imprecise sums."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.features.native.correlation import ROWS, pairwise_correlation

CELLS = st.sampled_from([0.0, 0.1, -1.0, 2.5, np.nan, np.inf])


def assert_equals_pandas(table: pd.DataFrame) -> None:
    """Compare values and missing values with pandas."""
    pd.testing.assert_frame_equal(table.corr(), pairwise_correlation(table), rtol=0, atol=1e-10)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_r_equals_pandas(share: float) -> None:
    """Rows exceed a single product, values are far from 0, and some columns have gaps."""
    rng = np.random.default_rng(0)
    n = ROWS + 321
    values = rng.normal(size=(n, 9)) @ rng.normal(size=(9, 9)) + 1e4
    values[:, :3][rng.random((n, 3)) < share] = np.nan

    assert_equals_pandas(pd.DataFrame(values).add_prefix("f"))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=8))
def test_r_is_missing_as_in_pandas(rows: list[tuple[float, ...]]) -> None:
    """Constant columns, columns that are constant over a pair's rows, a single row, no rows, infinite values."""
    assert_equals_pandas(pd.DataFrame(rows, columns=list("abcd"), dtype=float))


def test_all_numeric_dtypes_are_supported() -> None:
    """Integers, booleans and nullable integers."""
    table = pd.DataFrame({"a": [1, 5, 2, 9], "b": [True, False, True, True], "c": [0.5, 2, 2, 1]})

    assert_equals_pandas(table.assign(d=pd.array([3, None, 4, 4], dtype="Int64")))


def test_small_differences_of_large_numbers() -> None:
    """Values of a million that differ by a millionth have the same r as after subtracting the million."""
    rng = np.random.default_rng(1)
    small = rng.integers(-1000, 1000, (500, 2)) @ np.array([[1, 2], [0, 1]]) / 2.0**20
    table = pd.DataFrame(small + 2.0**20, columns=["a", "b"])
    table["c"] = np.where(np.arange(500) < 250, small[:, 0], 1e9)
    expected = np.corrcoef(small[:250, 0], small[:250, 1])[0, 1]

    assert pairwise_correlation(table).loc["a", "b"] == pytest.approx(np.corrcoef(small.T)[0, 1], abs=1e-12)
    assert pairwise_correlation(table.where(table < 1e8)).loc["b", "c"] == pytest.approx(expected, abs=1e-10)


def test_overflowing_squares() -> None:
    """If sums overflow, pandas is used, without a warning."""
    table = pd.DataFrame({"a": [1e200, -3e200, 2e200], "b": [1.0, 2.0, 4.0]})
    with warnings.catch_warnings(action="error"):
        assert_equals_pandas(table)
