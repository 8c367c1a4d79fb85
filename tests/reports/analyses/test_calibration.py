"""Calibration measures, each compared with an independent computation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.analyses.calibration import (
    BIN_COLUMNS,
    ConfidenceAndAccuracy,
    ScoresAsProbabilities,
    error_if_calibrated,
    expected_calibration_error,
    log_losses,
    reliability,
    why_not_probabilities,
)
from planktonbench.reports.results.stored_run import read_runs
from sklearn.metrics import log_loss

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def change_scores(folder: Path, scores: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    """Change the stored scores of test rows; predicted classes are unchanged."""
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path)
    columns = [name for name in table.columns if name.startswith("score:")]
    table[columns] = scores(table[columns].to_numpy(np.float64)).astype(np.float32)
    table.to_parquet(path, index=False)


def naive_error(right: NDArray[np.bool_], confidence: NDArray[np.float64], bins: int) -> float:
    """Return the calibration error computed bin by bin."""
    error = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (confidence > low) & (confidence <= high) | ((number == 0) & (confidence == 0))
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


@pytest.mark.parametrize("seed", range(4))
def test_calibration_error_matches_its_definition(seed: int) -> None:
    """Bins have equal width, are weighted by number of objects, and include all objects."""
    rng = np.random.default_rng(seed)
    confidence = np.concatenate([rng.random(200), [0, 1, 0.2, 0.4]])
    right = rng.random(204) < confidence
    bins = reliability(right, confidence, 10)

    assert bins["n_objects"].sum() == 204
    assert ((bins["low"] <= bins["confidence"]) & (bins["confidence"] <= bins["high"])).all()
    assert expected_calibration_error(right, confidence, 10) == pytest.approx(naive_error(right, confidence, 10))


def test_calibrated_method_has_no_error() -> None:
    """At confidence 80 %, the error is zero if 80 % are correct, and 20 % if all are correct."""
    confidence = np.full(100, 0.8)

    assert expected_calibration_error(np.arange(100) < 80, confidence) == pytest.approx(0)
    assert expected_calibration_error(np.ones(100, bool), confidence) == pytest.approx(0.2)


def test_log_loss_matches_scikit_learn() -> None:
    """Also with probabilities of zero and one."""
    rng = np.random.default_rng(7)
    truth, scores = rng.integers(0, 5, 60), rng.dirichlet(np.ones(5), 60)
    scores[:2] = np.eye(5)[[truth[0], (truth[1] + 1) % 5]]

    assert log_losses(scores[np.arange(60), truth]).mean() == pytest.approx(log_loss(truth, scores, labels=range(5)))


def test_error_if_calibrated_is_that_of_calibrated_methods_on_average() -> None:
    """Far above zero with 200 objects."""
    rng = np.random.default_rng(4)
    confidence = rng.beta(4, 2, 200)
    errors = [naive_error(rng.random(200) < confidence, confidence, 15) for _ in range(100)]

    assert error_if_calibrated(confidence) == pytest.approx(np.mean(errors), rel=0.1)
    assert np.mean(errors) > 0.04


def test_table_has_a_row_for_each_run(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """A method with confidence 90 % in each prediction that is wrong in three of 21."""
    change_scores(add_run(tmp_path, wrong=3), lambda scores: 0.85 * scores + 0.05)
    (row,) = ScoresAsProbabilities().table(read_runs(tmp_path)).to_dict("records")

    assert (row["n_objects"], row["n_classes"], row["classes_auroc"], row["reason"]) == (21, 3, 3, "")
    assert (row["accuracy"], row["confidence"]) == pytest.approx((18 / 21, 0.9))
    assert row["ece"] == pytest.approx(0.9 - 18 / 21, abs=1e-6)
    assert row["log_loss"] == pytest.approx(-(18 * np.log(0.9) + 3 * np.log(0.05)) / 21)
    assert row["score_zero"] == 0
    assert np.isnan(row["top_3"])
    for name in ("ece", "log_loss", "accuracy", "macro_auroc"):
        assert row[f"{name}_lo"] < row[name] < row[f"{name}_hi"] or row[f"{name}_hi"] == row[name] == 1
    (found,) = ConfidenceAndAccuracy().table(read_runs(tmp_path))[list(BIN_COLUMNS)].to_numpy()
    assert found == pytest.approx(
        [13 / 15, 14 / 15, 21, 0.9, 18 / 21, row["accuracy_lo"], row["accuracy_hi"]]
    )  # a single bin


def test_scores_of_zero_are_counted(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """In the log loss, a zero score of the true class is replaced by the machine epsilon."""
    add_run(tmp_path, wrong=3)
    (row,) = ScoresAsProbabilities().table(read_runs(tmp_path)).to_dict("records")

    assert row["score_zero"] == 3
    assert row["log_loss"] == pytest.approx(-3 * np.log(np.finfo(np.float64).eps) / 21)


def test_other_measures_are_computed_if_scores_are_not_probabilities(
    tmp_path: Path, add_run: Callable[..., Path]
) -> None:
    """Scores such as distances have a ranking but no calibration."""
    change_scores(add_run(tmp_path, wrong=3), lambda scores: 7 * scores - 2)
    (row,) = ScoresAsProbabilities().table(read_runs(tmp_path)).to_dict("records")
    reason = "the scores of 21 of 21 objects are not probabilities: values outside 0 to 1, or a sum other than 1"

    assert row["reason"] == reason
    assert np.isnan([row["ece"], row["confidence"], row["log_loss"], row["score_zero"]]).all()
    assert row["macro_auroc"] > 0.8
    assert ConfidenceAndAccuracy().table(read_runs(tmp_path))["reason"].tolist() == [reason]


@pytest.mark.parametrize(
    ("row", "valid"), [([0.5, 0.5], True), ([0.5, 0.4995], True), ([0.5, 0.4], False), ([1.2, -0.2], False)]
)
def test_probabilities_are_distinguished_from_other_scores(row: list[float], *, valid: bool) -> None:
    """Probabilities are between 0 and 1 and sum to one up to rounding."""
    assert (why_not_probabilities(np.array([row, [0.25, 0.75]])) == "") == valid


def test_missing_scores_are_reported(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """A predictions file may contain labels only."""
    path = add_run(tmp_path) / "predictions.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)
    runs = read_runs(tmp_path)

    for table in (ScoresAsProbabilities().table(runs), ConfidenceAndAccuracy().table(runs)):
        assert table["reason"].tolist() == ["predictions.parquet has no scores"]
