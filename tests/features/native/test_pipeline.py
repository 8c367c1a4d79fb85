"""Preparation of native tables as in source 001, fitted to training rows, and its description."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from planktonbench import DataError
from planktonbench.features.native.pipeline import (
    DropConstant,
    DropCorrelated,
    describe_preparation,
    native_pipeline,
    prepared,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

COLUMNS = [
    "area", "meanimagegrey", "mean", "stddev", "min", "perim.", "width", "height", "major", "minor", "angle", "circ.",
    "feret", "intden", "median", "skew", "kurt", "%area", "area_exc", "fractal", "skelarea", "slope", "histcum1",
    "histcum2", "histcum3", "nb1", "nb2", "nb3", "symetrieh", "symetriev", "symetriehc", "symetrievc", "convperim",
    "convarea", "fcons", "thickr", "esd", "elongation", "range", "meanpos", "centroids", "cv", "sr", "perimareaexc",
    "feretareaexc", "perimferet", "perimmajor", "circex", "cdexc", "kurt_mean", "skew_mean", "convperim_perim",
    "convarea_area", "symetrieh_area", "symetriev_area", "nb1_area", "nb2_area", "nb3_area", "nb1_range", "nb2_range",
    "nb3_range", "median_mean", "median_mean_range", "skeleton_area",
]  # fmt: skip
DROPPED = [
    "feret", "skelarea", "slope", "symetriev", "symetrievc", "convperim", "convarea", "esd", "elongation", "range",
    "cv", "perimmajor", "kurt_mean", "skew_mean", "convarea_area", "symetriev_area", "nb1_area", "nb2_area", "nb3_area",
    "nb1_range", "nb2_range", "nb3_range", "median_mean_range", "skeleton_area",
]  # fmt: skip


def noise(n: int, columns: list[str], seed: int = 0) -> pd.DataFrame:
    """Return columns of independent noise with mean 50 and standard deviation 9."""
    return pd.DataFrame(np.random.default_rng(seed).normal(50, 9, (n, len(columns))), columns=columns)


@pytest.fixture
def native() -> pd.DataFrame:
    """Sixty rows: two good columns, one with gaps, one correlated with the first, one constant, one empty."""
    table = noise(60, ["area", "mean", "skew"])
    table.loc[:14, "skew"] = np.nan
    return table.assign(double=-2 * table["area"], constant=1.0, empty=np.nan)


def test_columns_with_fewer_than_two_values_are_dropped() -> None:
    """Missing values are ignored; each dropped column has a reason, and the others keep their order."""
    table = pd.DataFrame(
        {
            "b": [1.0, 2.0, 2.0],
            "same": [7.5, 7.5, 7.5],
            "same or missing": [0.0, np.nan, 0.0],
            "once": [np.nan, np.nan, -1.0],
            "empty": [np.nan] * 3,
            "a": [np.nan, 1.0, 1.0 + 1e-12],
        }
    )
    found = DropConstant().fit(table)

    assert found.dropped_ == {
        "same": "constant (7.5)", "same or missing": "constant (0)", "once": "constant (-1)", "empty": "empty",
    }  # fmt: skip
    assert list(found.transform(table)) == list(found.get_feature_names_out()) == ["b", "a"]


def test_published_columns_are_dropped() -> None:
    """Of 64 columns, the 24 correlated with the previous column are dropped, as published."""
    table = noise(400, COLUMNS)
    for position, name in enumerate(COLUMNS):
        if name in DROPPED:
            table[name] = 3 - 2 * table.iloc[:, position - 1] + table[name] / 100
    found = DropCorrelated().fit(table)

    assert (len(COLUMNS), len(DROPPED)) == (64, 24)
    assert list(found.dropped_) == DROPPED
    assert list(found.transform(table)) == [name for name in COLUMNS if name not in DROPPED]


def test_column_correlated_only_with_a_dropped_one_is_dropped() -> None:
    """As in source 001, earlier columns count even if dropped; the reason names the first correlated one."""
    table = noise(2000, ["a", "b", "c"])
    table["b"] = table["a"] + 0.25 * table["b"]
    table["c"] = table["b"] + 0.25 * table["c"]
    found = DropCorrelated(above=0.95).fit(table)

    assert abs(found.correlation_.loc["a", "c"]) < 0.95
    assert list(found.dropped_) == ["b", "c"]
    assert found.dropped_["c"] == f"|r| = {found.correlation_.loc['b', 'c']:.3f} with b"


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=3, max_size=12),
    st.sampled_from([0.3, 0.5, 0.95]),
)
def test_pruning_equals_upper_triangle(rows: list[list[int]], above: float) -> None:
    """An independent implementation, as in source 001, drops columns with a large |r| above the diagonal."""
    table = pd.DataFrame(rows, columns=list("abcd"), dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        upper = np.triu(np.abs(np.corrcoef(table.to_numpy().T)), k=1)
    assume(not np.isclose(upper, above, rtol=0, atol=1e-9).any())
    expected = [name for name, column in zip(table, upper.T, strict=True) if (column > above).any()]

    assert list(DropCorrelated(above).fit(table).dropped_) == expected


def test_missing_values_are_excluded_pairwise() -> None:
    """The correlation of two columns uses the rows where both are present."""
    table = noise(200, ["a", "b", "c"])
    table["b"] = np.where(table.index < 100, table["a"], table["b"])
    table.loc[100:, "b"] = np.nan
    table.loc[::7, "c"] = np.nan
    found = DropCorrelated().fit(table)
    both = table[["a", "c"]].dropna()

    assert list(found.dropped_) == ["b"]
    assert found.correlation_.loc["a", "c"] == pytest.approx(np.corrcoef(both.T)[0, 1], abs=1e-12)


@pytest.mark.parametrize("numbered", [False, True])
def test_columns_are_dropped_whatever_their_names(*, numbered: bool) -> None:
    """Column names may be text or integers."""
    table = noise(50, ["a", "b"]).assign(c=1.0)
    table["d"] = 2 * table["a"]
    table.columns = pd.Index(range(4) if numbered else list("abcd"))

    assert prepared(native_pipeline().fit(table), table).shape == (50, 2)


def test_training_rows_are_standardised(native: pd.DataFrame) -> None:
    """Columns keep their order, have mean 0 and standard deviation 1, and missing values stay missing."""
    found = prepared(native_pipeline().fit(native), native)

    assert list(found) == ["area", "mean", "skew"]
    assert found.mean().to_numpy() == pytest.approx(0, abs=1e-12)
    assert found.std(ddof=0).to_numpy() == pytest.approx(1, abs=1e-12)
    assert found.isna().equals(native[list(found)].isna())
    assert found.index.equals(native.index)


def test_all_steps_are_fitted_to_training_rows(native: pd.DataFrame) -> None:
    """Other rows are transformed with statistics of the training rows and do not change them."""
    pipeline = native_pipeline("median").fit(native)
    before = prepared(pipeline, native)
    other = pd.DataFrame({name: [1000.0, np.nan] for name in native}).assign(constant=[1.0, 5.0])
    found = prepared(pipeline, other[other.columns[::-1]])

    assert list(found) == list(before)
    assert found.loc[0, "area"] == pytest.approx((1000 - native["area"].mean()) / native["area"].std(ddof=0))
    assert prepared(pipeline, native).equals(before)


def test_labels_are_ignored(native: pd.DataFrame) -> None:
    """Labels passed to `fit` have no effect."""
    one, two = native_pipeline().fit(native), native_pipeline().fit(native, native.index % 2)

    assert prepared(one, native).equals(prepared(two, native))


def test_median_imputation_adds_indicators(native: pd.DataFrame) -> None:
    """Missing values become the training median, and each column with missing values has an indicator."""
    pipeline = native_pipeline("median").fit(native)
    found = prepared(pipeline, native)
    kept = prepared(native_pipeline().fit(native), native)

    assert list(found) == list(pipeline.get_feature_names_out()) == ["area", "mean", "skew", "missingindicator_skew"]
    assert found.loc[:14, "skew"].tolist() == pytest.approx([kept["skew"].median()] * 15)
    assert found.loc[15:, "skew"].equals(kept.loc[15:, "skew"])
    assert found["missingindicator_skew"].tolist() == native["skew"].isna().astype(float).tolist()


def test_values_missing_only_in_test_rows_are_imputed(native: pd.DataFrame) -> None:
    """They have no indicator column."""
    pipeline = native_pipeline("median").fit(native)
    found = prepared(pipeline, native.assign(area=np.nan))

    assert list(found) == list(prepared(pipeline, native))
    assert found["area"].tolist() == pytest.approx([prepared(pipeline, native)["area"].median()] * 60)


@pytest.mark.parametrize(
    ("above", "expected"),
    [(None, ["area", "mean", "skew", "double"]), (0.95, ["area", "mean", "skew"]), (0.0, ["area"])],
)
def test_threshold_of_pruning(native: pd.DataFrame, above: float | None, expected: list[str]) -> None:
    """None keeps all columns that vary; a low threshold keeps only the first."""
    assert list(prepared(native_pipeline(prune_above=above).fit(native), native)) == expected


def test_preparation_is_described(native: pd.DataFrame) -> None:
    """One row per column in column order, with scales before and after, the reason, and the correlations."""
    description = describe_preparation(native_pipeline("median").fit(native), native)
    rows = description.set_index("feature")

    assert description.columns.tolist() == [
        "feature", "missing", "mean", "std", "mean_after", "std_after", "dropped",
        "r:area", "r:mean", "r:skew", "r:double",
    ]  # fmt: skip
    assert description["feature"].tolist() == list(native)
    assert rows["missing"].tolist() == [0, 0, 0.25, 0, 0, 1]
    assert rows["dropped"].tolist() == ["", "", "", "|r| = 1.000 with area", "constant (1)", "empty"]
    assert rows.loc["area", ["mean", "std"]].tolist() == pytest.approx([native["area"].mean(), native["area"].std()])
    assert rows.loc[["area", "mean", "skew"], "mean_after"].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert rows.loc[["area", "mean", "skew"], "std_after"].tolist() == pytest.approx([1, 1, 1], abs=0.02)
    assert rows.loc[["double", "constant", "empty"], ["mean_after", "std_after"]].isna().all(axis=None)
    assert rows.loc["double", "r:area"] == pytest.approx(-1)
    assert rows.loc[["constant", "empty"], "r:area"].isna().all()


def test_description_without_pruning_has_no_correlations(native: pd.DataFrame) -> None:
    """Without pruning there is no `r:` column, and only constant and empty columns are dropped."""
    description = describe_preparation(native_pipeline(prune_above=None).fit(native), native)

    assert not [name for name in description if name.startswith("r:")]
    assert description["dropped"].tolist() == ["", "", "", "", "constant (1)", "empty"]


@pytest.mark.parametrize("missing", ["keep", "median"])
def test_clone_is_equivalent(native: pd.DataFrame, missing: str) -> None:
    """A clone has the same options and is not fitted."""
    pipeline = native_pipeline(missing, prune_above=0.5).fit(native)
    copy = clone(pipeline)
    with pytest.raises(NotFittedError):
        copy.transform(native)

    assert copy.named_steps["correlated"].above == 0.5
    assert prepared(copy.fit(native), native).equals(prepared(pipeline, native))


def test_table_of_constants_is_rejected() -> None:
    """The error states that no column varies."""
    table = pd.DataFrame({"a": [1.0] * 5, "b": [np.nan] * 5})

    with pytest.raises(DataError, match="No native column varies over the 5 training rows"):
        native_pipeline().fit(table)
