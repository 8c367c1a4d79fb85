"""Calibration of scores as probabilities, area under the ROC curve, and top-k accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..figures.style import INK, canvas, finish, track_colours, tracks_shown
from ..results.run_table import ends, means_with_intervals, run_table, with_ends
from ..results.subset_predictions import scored_predictions
from ..scoring.estimate import SCORES
from ..scoring.group_jackknife import grouped_intervals
from ..scoring.proportions import category_intervals, design_effect
from ..scoring.ranking_metrics import OneVsRestRanks, among_top
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.subset_predictions import SubsetPredictions

    Measure = Callable[[NDArray[np.bool_]], float]

BINS = 15  # of equal width on [0, 1], as in Guo et al. 2017
TOPS = (3, 5)
SUM_TOLERANCE = 1e-3  # scores are stored in single precision, and some programs round them
COLUMNS = (
    "n_objects", "n_classes", *with_ends("ece"), "ece_if_calibrated", *with_ends("confidence", "accuracy", "log_loss"),
    "score_zero", *with_ends("macro_auroc"), "classes_auroc", *with_ends(*(f"top_{k}" for k in TOPS)),
)  # fmt: skip
BIN_COLUMNS = ("low", "high", "n_objects", "confidence", *with_ends("accuracy"))
LIMITS = {"ece": SCORES, "confidence": SCORES, "log_loss": (0.0, np.inf), "macro_auroc": SCORES}
"""Smallest and largest possible value of the measures with a jackknife interval."""
POINT_AREAS = (8, 120)  # smallest and largest, in square points


class ScoresAsProbabilities(Analysis):
    """Measures of the scores on test rows."""

    file = "calibration.csv"
    title = "Scores as probabilities"
    description = (
        "If a method is calibrated, 80 % of its predictions with confidence 80 % are correct. The calibration error "
        "is the mean distance between confidence and accuracy in 15 bins of equal width; the bins are in "
        "reliability.csv. It cannot be negative, so that chance adds to it, the more, the fewer the objects: the next "
        "column is the error that a calibrated method with these confidences would have on average. The interval is "
        "that of the expected error on test sets of this size, which contains this addition; for a nearly calibrated "
        f"method it lies above the error on infinitely many objects. {INTERVALS}"
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Evaluate the scores of all finished runs on test rows.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`.
            `ece`: expected calibration error, the mean of |accuracy - confidence| over `BINS` bins of confidence,
            weighted by number of objects (Guo et al. 2017, arXiv 1706.04599, equation 3); `ece_if_calibrated` is its
            expected value for a calibrated method with these confidences (`error_if_calibrated`). `confidence` and
            `accuracy` are means over all objects; a confidence above the accuracy is overconfidence. Confidence is the
            score of the predicted class. `log_loss` is in nats; as in scikit-learn, zeros are replaced by 2.2e-16.
            `score_zero` is the number of objects whose true class has the score zero. `macro_auroc` is the mean area
            under the one-vs-rest ROC curve over the `classes_auroc` classes that have both positive and negative test
            objects. `top_k` is the share of objects whose class is among the k highest scores, or its expected value
            under random tie-breaking; it is missing for k classes or fewer. If scores are not probabilities, `ece`,
            `confidence`, `log_loss` and `score_zero` are missing.
            Columns `_lo` and `_hi` are the ends of 95 % intervals: for `accuracy` and `top_k` those of proportions of
            clustered objects (`proportions.category_intervals`), for the others from the delete-a-group jackknife,
            which are intervals of the expected value on test sets of this size (`group_jackknife.grouped_intervals`).
            Both are about this fitted model. Units are samples, or objects if there are not several samples.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return calibration error, log loss, area under the ROC curve and top-k accuracy."""
        tops = {f"top_{k}": f"top-{k} accuracy" for k in TOPS}
        found = means_with_intervals(
            rows, {"ece": "calibration error", "log_loss": "log loss", "macro_auroc": "macro AUROC", **tops}
        )
        found.insert(1, "if calibrated", rows.groupby("track")["ece_if_calibrated"].mean())
        return found


class ConfidenceAndAccuracy(Analysis):
    """Accuracy of predictions by confidence."""

    file = "reliability.csv"
    title = "Confidence and accuracy"
    description = (
        "Accuracy of predictions by confidence, in 15 bins of equal width. On the diagonal, confidence equals "
        "accuracy; below it, a method is overconfident."
    )
    figure = "reliability"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the accuracy of predictions by confidence on test rows, for all finished runs.

        Returns:
            One row for each run and bin with objects, with `run_table.KEYS`, `BIN_COLUMNS` and `reason`; see
            `reliability`. `accuracy_lo` and `accuracy_hi` are a 95 % interval over units, which a bin with objects of
            fewer than five units does not have.

        """
        return run_table(runs, BIN_COLUMNS, _reliability_rows)

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:
        """Draw accuracy against confidence in bins pooled over runs; point areas show the number of objects."""
        known = rows.dropna(subset=["confidence"])
        names = [name for name in tracks_shown(section) if name in set(known["track"])]
        if not names:
            return None
        figure, axes = canvas(6.4, 4.6)
        axes.plot((0, 1), (0, 1), "--", color=INK, linewidth=0.8)
        for name, colour in zip(names, track_colours(names), strict=True):
            bins = _pooled(known[known["track"] == name])
            axes.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1, alpha=0.8)
            areas = POINT_AREAS[0] + (POINT_AREAS[1] - POINT_AREAS[0]) * bins["n_objects"] / bins["n_objects"].sum()
            axes.scatter(bins["confidence"], bins["accuracy"], s=areas, color=colour, label=name, alpha=0.8)
        axes.set(xlabel="confidence: score of the predicted class", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
        finish(axes)
        return figure


def _rows(run: StoredRun) -> Rows | str:
    found = scored_predictions(run)
    if isinstance(found, str):
        return found
    return [score_columns(*found)]


def score_columns(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> dict[str, object]:
    """Return the measures of the scores with their intervals by column; see `ScoresAsProbabilities.table`."""
    reason = why_not_probabilities(scores)
    ranks = OneVsRestRanks(predictions.truth, scores)
    measures: dict[str, Measure] = {} if reason else _probability_measures(predictions, scores)
    measures["macro_auroc"] = ranks.macro_auroc
    row: dict[str, object] = {
        "n_objects": len(predictions.truth),
        "n_classes": len(predictions.classes),
        "classes_auroc": int(np.isfinite(ranks.auroc()).sum()),
        **_share_columns(predictions, scores),
        **_measure_columns(measures, predictions.units),
        "reason": reason,
    }
    if reason:
        return row
    return row | {
        "ece_if_calibrated": error_if_calibrated(confidence(predictions, scores)),
        "score_zero": int((_true_scores(predictions, scores) == 0).sum()),
    }


def _share_columns(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> dict[str, object]:
    """Return accuracy and top-k accuracies with their intervals."""
    units, effect = predictions.units, design_effect(predictions.right, predictions.units)
    shares = {"accuracy": predictions.right} | {
        f"top_{k}": among_top(predictions.truth, scores, k) for k in TOPS if k < scores.shape[1]
    }
    row: dict[str, object] = {}
    for name, hits in shares.items():
        (bounds,) = category_intervals(hits, np.ones(len(hits)), units, prior_effect=effect)
        row |= {name: hits.mean(), **ends(name, bounds)}
    return row


def _measure_columns(measures: Mapping[str, Measure], units: NDArray[np.integer]) -> dict[str, object]:
    """Return measures of all rows with their jackknife intervals."""
    everything = np.ones(len(units), bool)
    bounds = grouped_intervals(
        lambda rows: np.array([measure(rows) for measure in measures.values()]),
        units,
        [LIMITS[name] for name in measures],
    )
    row: dict[str, object] = {}
    for (name, measure), interval in zip(measures.items(), bounds, strict=True):
        row |= {name: measure(everything), **ends(name, interval)}
    return row


def _probability_measures(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> dict[str, Measure]:
    confidences = confidence(predictions, scores)
    right = predictions.right
    losses = log_losses(_true_scores(predictions, scores) / scores.sum(axis=1))
    return {
        "ece": lambda rows: expected_calibration_error(right[rows], confidences[rows]),
        "confidence": lambda rows: float(confidences[rows].mean()),
        "log_loss": lambda rows: float(losses[rows].mean()),
    }


def _true_scores(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.take_along_axis(scores, predictions.truth[:, None], axis=1)[:, 0]


def log_losses(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log loss of each object in nats from the probability of its true class, both of shape (n_objects,).

    As in scikit-learn's `log_loss`, probabilities are at least the machine epsilon and at most one minus it.
    """
    epsilon = np.finfo(np.float64).eps
    return np.asarray(-np.log(np.clip(probabilities, epsilon, 1 - epsilon)))


def _reliability_rows(run: StoredRun) -> Rows | str:
    found = scored_predictions(run)
    if isinstance(found, str):
        return found
    predictions, scores = found
    reason = why_not_probabilities(scores)
    if reason:
        return reason
    right, confidences = predictions.right, confidence(predictions, scores)
    bins = bin_of(confidences)
    bounds = category_intervals(
        right, np.ones(len(right)), predictions.units, categories=bins, n_categories=BINS,
        prior_effect=design_effect(right, predictions.units),
    )  # fmt: skip
    table = reliability(right, confidences).assign(**ends("accuracy", bounds[np.unique(bins)].T))
    return [dict(zip(BIN_COLUMNS, row, strict=True)) for row in table[list(BIN_COLUMNS)].itertuples(index=False)]


def why_not_probabilities(scores: NDArray[np.float64]) -> str:
    """Return why scores of shape (n_objects, n_classes) are not probabilities; empty if they are."""
    outside = ((scores < 0) | (scores > 1)).any(axis=1)
    invalid = outside | (np.abs(scores.sum(axis=1) - 1) > SUM_TOLERANCE)
    if not invalid.any():
        return ""
    affected = f"the scores of {invalid.sum():,} of {len(invalid):,} objects"
    return f"{affected} are not probabilities: values outside 0 to 1, or a sum other than 1"


def confidence(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of each object's predicted class, of shape (n_objects,)."""
    return np.take_along_axis(scores, predictions.predicted[:, None], axis=1)[:, 0]


def bin_of(confidence: NDArray[np.float64], bins: int = BINS) -> NDArray[np.intp]:
    """Return the bin of each confidence, from 0, of shape (n_objects,); bins have equal width, closed on the right."""
    edges = np.linspace(0, 1, bins + 1)
    return np.asarray(np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1))


def reliability(right: NDArray[np.bool_], confidence: NDArray[np.float64], bins: int = BINS) -> pd.DataFrame:
    """Group predictions by confidence.

    Args:
        right: whether each prediction is correct, of shape (n_objects,).
        confidence: confidence of each prediction, from 0 to 1, of shape (n_objects,).
        bins: number of bins of equal width, closed on the right.

    Returns:
        One row for each non-empty bin: low and high edge, n_objects, mean confidence, accuracy.

    """
    edges = np.linspace(0, 1, bins + 1)
    table = pd.DataFrame(
        {"bin": bin_of(confidence, bins), "confidence": confidence, "accuracy": right.astype(np.float64)}
    )
    means = table.groupby("bin").agg(
        n_objects=("accuracy", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )
    return means.assign(low=edges[means.index], high=edges[means.index + 1]).reset_index(drop=True)


def expected_calibration_error(right: NDArray[np.bool_], confidence: NDArray[np.float64], bins: int = BINS) -> float:
    """Return the mean of |accuracy - confidence| over the bins of `reliability`, weighted by number of objects."""
    return float(np.abs(np.bincount(bin_of(confidence, bins), right - confidence)).sum() / len(right))


def error_if_calibrated(confidence: NDArray[np.float64]) -> float:
    """Return the approximate expected calibration error if each prediction were correct with its confidence.

    In a bin, the number of correct predictions minus the sum of confidences then has the mean 0 and the variance
    Σ c (1 - c); the expected absolute value of a normal variable is √(2 variance / π). Objects are taken as
    independent; if they come in samples, the expected error is larger.

    Args:
        confidence: confidence of each prediction, from 0 to 1, of shape (n_objects,).

    """
    variances = np.bincount(bin_of(confidence), confidence * (1 - confidence))
    return float(np.sqrt(2 * variances / np.pi).sum() / len(confidence))


def _pooled(bins: pd.DataFrame) -> pd.DataFrame:
    """Merge the bins of several runs."""
    weighted = bins[["confidence", "accuracy"]].mul(bins["n_objects"], axis=0).assign(n_objects=bins["n_objects"])
    sums = weighted.groupby(bins["low"]).sum()
    return sums[["confidence", "accuracy"]].div(sums["n_objects"], axis=0).assign(n_objects=sums["n_objects"])
