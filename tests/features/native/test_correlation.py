"""Pearson's r by matrix products: the same as pandas, and right where sums lose their digits."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.features.native.correlation import ROWS, pairwise_correlation

CELLS = st.sampled_from([0.0, 0.1, -1.0, 2.5, np.nan, np.inf])


def expect_pandas(table: pd.DataFrame) -> None:
    """Compare with pandas: the same r, and missing at the same places."""
    pd.testing.assert_frame_equal(table.corr(), pairwise_correlation(table), rtol=0, atol=1e-10)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_r_is_that_of_pandas(share: float) -> None:
    """Over more rows than one product takes, with columns far from 0, and gaps in some of them."""
    rng = np.random.default_rng(0)
    n = ROWS + 321
    values = rng.normal(size=(n, 9)) @ rng.normal(size=(9, 9)) + 1e4
    values[:, :3][rng.random((n, 3)) < share] = np.nan

    expect_pandas(pd.DataFrame(values).add_prefix("f"))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=8))
def test_r_is_missing_where_that_of_pandas_is(rows: list[tuple[float, ...]]) -> None:
    """Constant columns, columns that are constant beside another, single rows, no rows, infinite cells."""
    expect_pandas(pd.DataFrame(rows, columns=list("abcd"), dtype=float))


def test_all_kinds_of_numbers_count() -> None:
    """Whole numbers, truth values and pandas' own missing value."""
    table = pd.DataFrame({"a": [1, 5, 2, 9], "b": [True, False, True, True], "c": [0.5, 2, 2, 1]})

    expect_pandas(table.assign(d=pd.array([3, None, 4, 4], dtype="Int64")))


def test_small_changes_of_large_numbers_count() -> None:
    """Values of a million that differ by a millionth: r as it is with the million taken out first."""
    rng = np.random.default_rng(1)
    small = rng.integers(-1000, 1000, (500, 2)) @ np.array([[1, 2], [0, 1]]) / 2.0**20
    table = pd.DataFrame(small + 2.0**20, columns=["a", "b"])
    table["c"] = np.where(np.arange(500) < 250, small[:, 0], 1e9)
    expected = np.corrcoef(small[:250, 0], small[:250, 1])[0, 1]

    assert pairwise_correlation(table).loc["a", "b"] == pytest.approx(np.corrcoef(small.T)[0, 1], abs=1e-12)
    assert pairwise_correlation(table.where(table < 1e8)).loc["b", "c"] == pytest.approx(expected, abs=1e-10)


def test_numbers_too_large_to_square_are_no_crash() -> None:
    """Sums that overflow are left to pandas, without a warning."""
    table = pd.DataFrame({"a": [1e200, -3e200, 2e200], "b": [1.0, 2.0, 4.0]})
    with warnings.catch_warnings(action="error"):
        expect_pandas(table)
