"""Scores as probabilities: each number against a working out of another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.analyses.calibration import (
    BIN_COLUMNS,
    calibration_table,
    class_auroc,
    expected_calibration_error,
    no_probabilities,
    reliability,
    reliability_table,
    top_k,
)
from planktonbench.reports.results.stored_run import read_runs
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def synthetic_objects(seed: int, n: int = 60, n_classes: int = 5) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return truth and scores that know something of it."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    scores = rng.dirichlet(np.ones(n_classes), n)
    scores[np.arange(n), truth] += rng.random(n)
    return truth, scores / scores.sum(axis=1, keepdims=True)


def store(folder: Path, scores: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    """Change the stored scores of test rows; what was called stays."""
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path)
    columns = [name for name in table.columns if name.startswith("score:")]
    table[columns] = scores(table[columns].to_numpy(np.float64)).astype(np.float32)
    table.to_parquet(path, index=False)


def naive_error(right: NDArray[np.bool_], sure: NDArray[np.float64], bins: int) -> float:
    """Return the calibration error, one bin after the other."""
    found = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (sure > low) & (sure <= high) | ((number == 0) & (sure == 0))
        if inside.any():
            found += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_calibration_error_is_that_of_its_definition(seed: int) -> None:
    """Bins of equal width, weighted by their objects; all objects are in one of them."""
    rng = np.random.default_rng(seed)
    sure = np.concatenate([rng.random(200), [0, 1, 0.2, 0.4]])
    right = rng.random(204) < sure
    bins = reliability(right, sure, 10)

    assert bins["n_objects"].sum() == 204
    assert ((bins["low"] <= bins["confidence"]) & (bins["confidence"] <= bins["high"])).all()
    assert expected_calibration_error(bins) == pytest.approx(naive_error(right, sure, 10))


def test_a_method_that_is_as_sure_as_it_is_right_has_no_error() -> None:
    """Four in five of those at 80 % are right; with all of them right the error is 20 %."""
    sure = np.full(100, 0.8)

    assert expected_calibration_error(reliability(np.arange(100) < 80, sure)) == pytest.approx(0)
    assert expected_calibration_error(reliability(np.ones(100, bool), sure)) == pytest.approx(0.2)


@pytest.mark.parametrize("seed", range(4))
def test_areas_are_those_of_scikit_learn(seed: int) -> None:
    """Of each class against all others, with ties; classes that nobody or everybody is are left out."""
    truth, scores = synthetic_objects(seed)
    scores = np.round(scores, 1)
    truth[truth == 3] = 1
    expected = [roc_auc_score(truth == code, scores[:, code]) for code in (0, 1, 2, 4)]

    assert class_auroc(truth, scores).tolist() == pytest.approx(expected)
    assert len(class_auroc(np.zeros(9, int), np.ones((9, 3)))) == 0


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_is_that_of_scikit_learn_without_ties(k: int) -> None:
    """The share of objects whose class is among the k highest."""
    truth, scores = synthetic_objects(3)

    assert top_k(truth, scores, k) == pytest.approx(top_k_accuracy_score(truth, scores, k=k))


def test_ties_are_drawn_by_lot() -> None:
    """Of four equal scores each is among the first two half of the time; with k classes there is nothing to miss."""
    truth, scores = np.arange(4), np.full((4, 4), 0.25)

    assert top_k(truth, scores, 2) == 0.5
    assert np.isnan(top_k(truth, scores, 4))


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 99), order=st.permutations(range(5)))
def test_the_order_of_classes_does_not_matter(seed: int, order: list[int]) -> None:
    """Top k and areas stay when classes change places, ties or not."""
    truth, scores = synthetic_objects(seed, n=30)
    scores = np.round(scores, 1)
    places = np.argsort(order)

    assert top_k(places[truth], scores[:, order], 2) == pytest.approx(top_k(truth, scores, 2))
    assert class_auroc(places[truth], scores[:, order]).mean() == pytest.approx(class_auroc(truth, scores).mean())


def test_a_row_for_each_run(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """A method that is 90 % sure of each call, and wrong in three of 21."""
    store(add_run(tmp_path, wrong=3), lambda scores: 0.85 * scores + 0.05)
    (row,) = calibration_table(read_runs(tmp_path)).to_dict("records")

    assert (row["n_objects"], row["n_classes"], row["classes_auroc"], row["reason"]) == (21, 3, 3, "")
    assert (row["accuracy"], row["confidence"]) == pytest.approx((18 / 21, 0.9))
    assert row["ece"] == pytest.approx(0.9 - 18 / 21, abs=1e-6)
    assert row["log_loss"] == pytest.approx(-(18 * np.log(0.9) + 3 * np.log(0.05)) / 21)
    assert row["score_zero"] == 0
    assert np.isnan(row["top_3"])
    assert reliability_table(read_runs(tmp_path))[list(BIN_COLUMNS)].to_numpy() == pytest.approx(
        np.array([[13 / 15, 14 / 15, 21, 0.9, 18 / 21]])
    )


def test_scores_of_zero_are_counted(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The log loss of a method that was quite sure and wrong is that of the least number, not infinite."""
    add_run(tmp_path, wrong=3)
    (row,) = calibration_table(read_runs(tmp_path)).to_dict("records")

    assert row["score_zero"] == 3
    assert row["log_loss"] == pytest.approx(-3 * np.log(np.finfo(np.float64).eps) / 21)


def test_scores_that_are_no_probabilities_leave_the_rest(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Distances have an order, but no calibration."""
    store(add_run(tmp_path, wrong=3), lambda scores: 7 * scores - 2)
    (row,) = calibration_table(read_runs(tmp_path)).to_dict("records")
    words = "the scores of 21 of 21 objects are not probabilities: values outside 0 to 1, or a sum other than 1"

    assert row["reason"] == words
    assert np.isnan([row["ece"], row["confidence"], row["log_loss"], row["score_zero"]]).all()
    assert row["macro_auroc"] > 0.8
    assert reliability_table(read_runs(tmp_path))["reason"].tolist() == [words]


@pytest.mark.parametrize(
    ("row", "fine"), [([0.5, 0.5], True), ([0.5, 0.4995], True), ([0.5, 0.4], False), ([1.2, -0.2], False)]
)
def test_probabilities_are_told_from_other_scores(row: list[float], *, fine: bool) -> None:
    """Between 0 and 1, and one in sum but for rounding."""
    assert (no_probabilities(np.array([row, [0.25, 0.75]])) == "") == fine


def test_missing_scores_are_told(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """A predictions file may hold labels alone."""
    path = add_run(tmp_path) / "predictions.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)
    runs = read_runs(tmp_path)

    for table in (calibration_table(runs), reliability_table(runs)):
        assert table["reason"].tolist() == ["predictions.parquet has no scores"]
