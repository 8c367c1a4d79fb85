"""Conclusions of a comparison, and its sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planktonbench import compare
from planktonbench.reports.comparisons.comparison import FEWEST_SAMPLES, Comparison, concluded
from planktonbench.reports.comparisons.corrected_t import Design, corrected_t
from planktonbench.reports.scoring.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "error", "percentile", "conclusion", "verdict"),
    [
        (0.1, 0.01, (0.05, 0.15), "different", "a"),
        (-0.1, 0.01, (-0.15, -0.05), "different", "b"),
        (0.1, 0.2, (-0.1, 0.3), "not detected", "tie"),
        (0.1, 0.2, (0.05, 0.15), "inconclusive", "tie"),
        (0.1, 0.01, (-0.01, 0.3), "inconclusive", "tie"),
        (0.0, 0.0, (0.0, 0.0), "not detected", "tie"),
    ],
)
def test_both_intervals_have_to_agree(
    value: float, error: float, percentile: tuple[float, float], conclusion: str, verdict: str
) -> None:
    """If one of them contains zero and the other does not, the comparison is inconclusive, which is a tie."""
    assert concluded(Estimate(value, error, 30), percentile) == (conclusion, verdict)


@pytest.fixture(scope="module")
def one_run() -> Comparison:
    """Comparison of two methods, one of them better, on 60 objects without samples."""
    truth = ["egg", "detritus"] * 30
    return compare(truth, truth, ["egg"] * 20 + truth[20:], draws=50)


@pytest.fixture(scope="module")
def three_runs(one_run: Comparison) -> Comparison:
    """The same over three seeds."""
    return replace(
        one_run, claim="methods", design="seeds on one split", deltas=(0.1, 0.2, 0.3), mcnemar=None, resampled="sample"
    )


def text(comparison: Comparison) -> str:
    """Return all sentences."""
    return " ".join(comparison.in_words())


def test_one_run_is_about_fitted_models(one_run: Comparison) -> None:
    """The sentence states that several runs are needed for a statement about methods."""
    assert one_run.claim == "fitted models"
    assert "This is a statement about these two fitted models." in text(one_run)
    assert "A statement about the methods requires several runs (--seeds 0,1,2 or folds)" in text(one_run)


@pytest.mark.parametrize(
    ("design", "where"),
    [("seeds on one split", "on these training objects"), ("k-fold", "on training sets like these")],
)
def test_several_runs_are_about_methods(three_runs: Comparison, design: Design, where: str) -> None:
    """The sentence states whether the training objects vary."""
    over_splits = corrected_t([0.1, 0.2, 0.3], 0.5) if design == "k-fold" else None
    found = replace(three_runs, design=design, over_splits=over_splits)

    assert f"This is a statement about the methods, trained {where}" in text(found)
    assert "fitted models" not in text(found)
    assert "mean over 3 runs" in text(found)


def test_the_reason_for_an_inconclusive_result_is_given(one_run: Comparison, three_runs: Comparison) -> None:
    """Either the bootstrap disagrees, or the fitted models differ but training varies too much.

    An interval of the methods that excludes zero shows that training does not vary too much.
    """
    tie = {"conclusion": "inconclusive", "verdict": "tie", "interval": (-0.01, 0.3)}
    bootstrap = replace(one_run, **tie, percentile_interval=(0.02, 0.28))  # type: ignore[arg-type]
    training = replace(three_runs, **tie, fitted_interval=(0.05, 0.2))  # type: ignore[arg-type]

    methods = replace(training, interval=(0.01, 0.2), percentile_interval=(-0.01, 0.2))

    assert "The percentile interval of the bootstrap, -0.010 to +0.200, disagrees about zero." in text(methods)
    assert "training varies too much" not in text(methods)
    assert bootstrap.in_words()[0].startswith("Inconclusive: a and b may differ, A - B = +")
    assert "The percentile interval of the bootstrap, +0.020 to +0.280, disagrees about zero." in text(bootstrap)
    assert "These fitted models differ (+0.050 to +0.200), but training varies too much between runs" in text(training)


def test_no_detected_difference_is_not_called_equality(one_run: Comparison) -> None:
    """The sentence has difference, interval and p-value."""
    tie = replace(one_run, conclusion="not detected", verdict="tie", delta=0.01, interval=(-0.1, 0.12), p_value=0.71234)

    assert tie.in_words()[0] == (
        "No difference between a and b was detected: A - B = +0.010 macro F1 (95 % interval -0.100 to +0.120, "
        "p = 0.712)."
    )


@pytest.mark.parametrize("unknown", [0.0, float("inf")])
def test_unknown_power_is_stated(one_run: Comparison, unknown: float) -> None:
    """It is never printed as a number; JSON has no infinity."""
    found = replace(one_run, detectable_difference=unknown)

    assert "nothing is known about the power" in text(found)
    assert "nan" not in text(found).split()
    assert "inf" not in text(found).split()
    assert found.to_json()["detectable_difference"] == (0 if unknown == 0 else None)
    assert f"detectable with 80 % power: {one_run.detectable_difference:.3f}." in text(one_run)
    assert "No difference in macro F1, however large, is detectable" in text(replace(found, detectable_difference=1.2))


@pytest.mark.parametrize(("n", "warned"), [(FEWEST_SAMPLES - 1, True), (FEWEST_SAMPLES, False)])
def test_few_samples_are_reported(three_runs: Comparison, n: int, *, warned: bool) -> None:
    """Below the smallest number for which intervals were validated."""
    sentence = f"There are only {n} samples; intervals were validated by simulation from {FEWEST_SAMPLES} samples on."

    assert (sentence in text(replace(three_runs, n_clusters=n))) is warned


def test_the_bias_of_the_bootstrap_is_printed(one_run: Comparison) -> None:
    """With its sign."""
    assert f"Bias of the bootstrap: {one_run.bootstrap_bias:+.4f}." in text(one_run)
