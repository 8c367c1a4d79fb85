"""Calibration of scores as probabilities, area under the ROC curve, and top-k accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..figures.style import INK, canvas, finish, track_colours, tracks_shown
from ..results.run_table import run_table, track_means
from ..results.subset_predictions import scored_predictions
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.subset_predictions import SubsetPredictions

BINS = 15  # of equal width on [0, 1], as in Guo et al. 2017
TOPS = (3, 5)
SUM_TOLERANCE = 1e-3  # scores are stored in single precision, and some programs round them
COLUMNS = (
    "n_objects", "n_classes", "ece", "confidence", "accuracy", "log_loss", "score_zero", "macro_auroc", "classes_auroc",
    *(f"top_{k}" for k in TOPS),
)  # fmt: skip
BIN_COLUMNS = ("low", "high", "n_objects", "confidence", "accuracy")
POINT_AREAS = (8, 120)  # smallest and largest, in square points


class ScoresAsProbabilities(Analysis):
    """Measures of the scores on test rows."""

    file = "calibration.csv"
    title = "Scores as probabilities"
    description = (
        "If a method is calibrated, 80 % of its predictions with confidence 80 % are correct. The calibration error "
        "is the mean distance between confidence and accuracy in 15 bins of equal width; the bins are in "
        "reliability.csv."
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Evaluate the scores of all finished runs on test rows.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`.
            `ece`: expected calibration error, the mean of |accuracy - confidence| over `BINS` bins of confidence,
            weighted by number of objects (Guo et al. 2017, arXiv 1706.04599, equation 3). `confidence` and `accuracy`
            are means over all objects; a confidence above the accuracy is overconfidence. Confidence is the score of
            the predicted class. `log_loss` is in nats and computed by scikit-learn, which replaces zeros by 2.2e-16;
            `score_zero` is the number of objects whose true class has the score zero. `macro_auroc` is the mean area
            under the one-vs-rest ROC curve over the `classes_auroc` classes that have both positive and negative test
            objects. `top_k` is the share of objects whose class is among the k highest scores, or its expected value
            under random tie-breaking. If scores are not probabilities, `ece`, `confidence`, `log_loss` and `score_zero`
            are missing.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return calibration error, log loss, area under the ROC curve and top-k accuracy."""
        tops = {f"top_{k}": f"top-{k} accuracy" for k in TOPS}
        return track_means(
            rows, {"ece": "calibration error", "log_loss": "log loss", "macro_auroc": "macro AUROC", **tops}
        )


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
            `reliability`.

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
    predictions, scores = found
    auroc = class_auroc(predictions.truth, scores)
    row: dict[str, object] = {
        "n_objects": len(predictions.truth),
        "n_classes": len(predictions.classes),
        "accuracy": predictions.right.mean(),
        "macro_auroc": np.mean(auroc) if len(auroc) else np.nan,
        "classes_auroc": len(auroc),
        **{f"top_{k}": top_k(predictions.truth, scores, k) for k in TOPS},
    }
    reason = why_not_probabilities(scores)
    return [row | ({"reason": reason} if reason else _probability_columns(predictions, scores))]


def _probability_columns(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> dict[str, object]:
    from sklearn.metrics import log_loss

    bins = reliability(predictions.right, confidence(predictions, scores))
    true_scores = np.take_along_axis(scores, predictions.truth[:, None], axis=1)
    shares = scores / scores.sum(axis=1, keepdims=True)
    return {
        "ece": expected_calibration_error(bins),
        "confidence": np.average(bins["confidence"], weights=bins["n_objects"]),
        "log_loss": log_loss(predictions.truth, shares, labels=range(len(predictions.classes))),
        "score_zero": int((true_scores == 0).sum()),
    }


def _reliability_rows(run: StoredRun) -> Rows | str:
    found = scored_predictions(run)
    if isinstance(found, str):
        return found
    predictions, scores = found
    bins = reliability(predictions.right, confidence(predictions, scores))[list(BIN_COLUMNS)]
    return why_not_probabilities(scores) or [
        dict(zip(BIN_COLUMNS, row, strict=True)) for row in bins.itertuples(index=False)
    ]


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
    position = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": position, "confidence": confidence, "accuracy": right.astype(np.float64)})
    means = table.groupby("bin").agg(
        n_objects=("accuracy", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )
    return means.assign(low=edges[means.index], high=edges[means.index + 1]).reset_index(drop=True)


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Return the mean of |accuracy - confidence| over the bins of `reliability`, weighted by number of objects."""
    return float(np.average((bins["accuracy"] - bins["confidence"]).abs(), weights=bins["n_objects"]))


def class_auroc(truth: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the one-vs-rest area under the ROC curve of each class with both positive and negative objects.

    It is computed from the rank sum of the positive objects (Mann & Whitney 1947), which for a hundred classes is ten
    times as fast as integrating the curves.

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).

    Returns:
        float64 of shape (n_classes_with_both,), in the order of the classes.

    """
    from scipy.stats import rankdata

    n, sizes = len(truth), np.bincount(truth, minlength=scores.shape[1])
    present = np.flatnonzero((sizes > 0) & (sizes < n))
    ranks = rankdata(scores[:, present], axis=0)
    sums = np.array([ranks[truth == code, column].sum() for column, code in enumerate(present)])
    positive = sizes[present]
    return np.asarray((sums - positive * (positive + 1) / 2) / (positive * (n - positive)))


def top_k(truth: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> float:
    """Return the share of objects whose class is among the k highest scores; NaN for k classes or fewer.

    If the true class is tied with others, its expected share under random tie-breaking counts. Unlike in scikit-learn's
    `top_k_accuracy_score`, the result does not depend on the order of classes.

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).
        k: number of highest scores.

    """
    if k >= scores.shape[1]:
        return float("nan")
    true_scores = np.take_along_axis(scores, truth[:, None], axis=1)
    higher, equal = (scores > true_scores).sum(axis=1), (scores == true_scores).sum(axis=1)
    return float(np.clip((k - higher) / equal, 0, 1).mean())


def _pooled(bins: pd.DataFrame) -> pd.DataFrame:
    """Merge the bins of several runs."""
    weighted = bins[["confidence", "accuracy"]].mul(bins["n_objects"], axis=0).assign(n_objects=bins["n_objects"])
    sums = weighted.groupby(bins["low"]).sum()
    return sums[["confidence", "accuracy"]].div(sums["n_objects"], axis=0).assign(n_objects=sums["n_objects"])
