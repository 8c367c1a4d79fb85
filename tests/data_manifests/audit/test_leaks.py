"""Features that leak the label are found; informative measurements are not mistaken for leaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.audit import leaks
from planktonbench.data_manifests.audit.leaks import leaking, single_feature_scores, suspicious

CLASSES, PER_CLASS = 12, 60
RNG = np.random.default_rng(3)
CODES = RNG.permutation(np.repeat(np.arange(CLASSES), PER_CLASS))
TAXA = pd.Series([f"taxon {code:02d}" for code in CODES])


def measurements(noise: float = 1.5) -> pd.DataFrame:
    """Return ten columns that separate the classes as real features do, each of them partially."""
    rng = np.random.default_rng(4)
    columns = {f"f{k}": rng.permutation(CLASSES)[CODES] + rng.normal(0, noise + k / 5, len(CODES)) for k in range(10)}
    return pd.DataFrame(columns)


LEAKS = {
    "the label itself": CODES.astype(float),
    "the label in another order": ((7 * CODES + 3) % CLASSES).astype(float),
    "ids in order of classes": np.argsort(np.argsort(CODES, kind="stable")) + 32_000_000.0,
    "large ids in order of classes": np.argsort(np.argsort(CODES, kind="stable")) + 1e12,
    "missing for every second class": np.where(CODES % 2, np.nan, CODES),
    "beyond single precision": 1e300 * CODES,
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_feature_that_leaks_the_label_is_found(leak: np.ndarray) -> None:
    """It is the only one reported."""
    scores = single_feature_scores(measurements().assign(leak=leak), TAXA)

    assert list(suspicious(scores).index) == ["leak"]


def test_several_leaks_are_sorted_best_first() -> None:
    """Two of twelve columns leak the label."""
    table = measurements().assign(blurred=CODES + RNG.normal(0, 0.3, len(CODES)), label=CODES.astype(float))

    assert list(suspicious(single_feature_scores(table, TAXA)).index) == ["label", "blurred"]


@pytest.mark.parametrize("noise", [0.5, 1.5, 5])
def test_ordinary_features_are_not_reported(noise: float) -> None:
    """This includes ids in random order, a constant and an empty column."""
    ids = np.random.default_rng(5).permutation(len(CODES)).astype(float)
    table = measurements(noise).assign(id=ids, constant=1.0, nothing=np.nan)

    assert list(suspicious(single_feature_scores(table, TAXA)).index) == []


def test_scores_are_computed_on_held_out_rows() -> None:
    """The label scores 1; noise and unordered ids score at chance, although ids identify every training row."""
    table = pd.DataFrame({"label": CODES, "id": RNG.permutation(len(CODES)), "noise": RNG.normal(size=len(CODES))})
    scores = single_feature_scores(table.astype(float), TAXA)

    assert scores["label"] == 1
    assert scores["id"] < 2 / CLASSES
    assert scores["noise"] < 2 / CLASSES


def test_a_large_class_counts_no_more_than_a_small_one() -> None:
    """An uninformative column scores 1/2 for two classes, although one has nine of ten rows."""
    taxa = pd.Series(["detritus"] * 900 + ["egg"] * 100)
    scores = single_feature_scores(pd.DataFrame({"constant": np.ones(1000)}), taxa)

    assert scores["constant"] == 0.5


def test_more_classes_than_leaves_are_separated() -> None:
    """With 121 classes the label still scores 1."""
    taxa = pd.Series(np.repeat(np.arange(121), 6)).map("taxon {}".format)
    scores = single_feature_scores(pd.DataFrame({"label": np.repeat(np.arange(121.0), 6)}), taxa)

    assert scores["label"] == 1


@pytest.mark.parametrize(
    "taxa", [["a"], ["a", "a", "a"], ["a", "b", "c"], ["a", "a", "b"]], ids=["one row", "one class", "singles", "pair"]
)
def test_too_few_rows_are_not_an_error(taxa: list[str]) -> None:
    """Without two classes of two objects, there are no scores."""
    table = pd.DataFrame({"area": np.arange(float(len(taxa)))})

    assert len(single_feature_scores(table, pd.Series(taxa))) == 0


def test_a_class_with_one_object_is_excluded() -> None:
    """It cannot be in both halves; the other scores do not change, and a leak is still found."""
    taxa = pd.concat([TAXA, pd.Series(["a single"])], ignore_index=True)
    table = measurements().assign(leak=CODES + RNG.normal(0, 0.1, len(CODES)))
    longer = pd.concat([table, table[:1] + 50], ignore_index=True)
    scores = single_feature_scores(longer, taxa)

    pd.testing.assert_series_equal(scores, single_feature_scores(table, TAXA))
    assert list(suspicious(scores).index) == ["leak"]


def test_missing_and_infinite_values_are_values() -> None:
    """Values that are missing or infinite in one class only identify it; an empty column identifies none."""
    two = pd.Series(np.where(CODES % 2, "odd", "even"))
    value = np.random.default_rng(6).normal(size=len(CODES))
    columns = {"missing": np.nan, "largest": np.inf, "least": -np.inf}
    table = pd.DataFrame({name: np.where(CODES % 2, odd, value) for name, odd in columns.items()})
    scores = single_feature_scores(table.assign(nothing=np.nan), two)

    assert scores.to_dict() == pytest.approx({"missing": 1, "largest": 1, "least": 1, "nothing": 0.5}, abs=0.01)


def test_large_tables_are_subsampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of rows is limited, and the result is reproducible, also with rare classes."""
    rng = np.random.default_rng(0)
    codes = np.r_[rng.integers(0, 3, 990), np.repeat([3, 4, 5, 6, 7], 2)]
    table = pd.DataFrame({"label": codes.astype(float), "noise": rng.normal(size=len(codes))})
    taxa = pd.Series(codes).map("taxon {}".format)
    rows: list[int] = []
    score = leaks._score

    def counted(column: pd.DataFrame, *others: Any) -> float:  # noqa: ANN401 - passed on unchanged
        rows.append(len(column))
        return score(column, *others)

    monkeypatch.setattr(leaks, "MOST_ROWS", 500)
    monkeypatch.setattr(leaks, "_score", counted)
    scores = single_feature_scores(table, taxa)

    assert rows == [500, 500]
    assert scores["label"] > 0.5 > scores["noise"]
    pd.testing.assert_series_equal(scores, single_feature_scores(table, taxa))


def test_leaks_of_large_tables_are_found() -> None:
    """Among 25,000 rows, the label with noise and ids assigned class by class are found."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 10, 25_000)
    ordinary = {f"f{k}": rng.normal(size=len(codes)) + rng.permutation(10)[codes] / 10 for k in range(8)}
    ids = np.argsort(np.argsort(codes, kind="stable")) + 3e7
    table = pd.DataFrame({**ordinary, "code": codes + rng.normal(0, 0.1, len(codes)), "id": ids})
    scores = single_feature_scores(table, pd.Series(codes).map(str))

    assert set(suspicious(scores).index) == {"code", "id"}


def test_three_columns_have_no_outliers() -> None:
    """They are too few to identify outliers."""
    assert len(suspicious(pd.Series({"a": 0.1, "b": 0.1, "leak": 1.0}))) == 0


def test_outliers_are_beyond_the_outer_fence_and_far_from_the_median() -> None:
    """Third quartile plus three interquartile ranges, and at least 0.15 above the median."""
    spread = pd.Series([0.10, 0.15, 0.20, 0.25, 0.30, 0.59, 0.61], index=list("abcdefg"))
    equal = pd.Series([*[0.2] * 9, 0.34, 0.36], index=list("abcdefghijk"))

    assert list(suspicious(equal).index) == ["k"]
    assert list(suspicious(spread).index) == []
    assert list(suspicious(pd.concat([spread[:5], pd.Series({"leak": 0.70})])).index) == ["leak"]


@pytest.mark.parametrize(
    ("scores", "n_taxa", "expected"),
    [
        ([0.06] * 9 + [0.23], 39, []),
        ([0.06] * 9 + [0.60], 39, ["j"]),
        ([0.5, 1.0], 39, ["b"]),
        ([0.5, 1.0], 2, []),
        ([0.99, 1.0, 0.3, 0.3], 3, ["b", "a"]),
    ],
    ids=["best of weak features", "outlier", "two columns", "two taxa", "half of the columns"],
)
def test_a_warning_needs_a_strong_feature(scores: list[float], n_taxa: int, expected: list[str]) -> None:
    """An outlier that recognises half of the taxa, or a nearly perfect feature among three taxa or more."""
    assert list(leaking(pd.Series(scores, index=list("abcdefghij")[: len(scores)]), n_taxa).index) == expected
