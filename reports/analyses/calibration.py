"""Whether scores can be trusted as probabilities, and whether the right class is at least among the highest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.metrics import log_loss

from ..figures.style import INK, canvas, finish, track_colours, tracks_shown
from ..results.run_table import run_table, track_means
from ..results.subset_predictions import scored_predictions
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.subset_predictions import SubsetPredictions

CALIBRATION, RELIABILITY = "calibration.csv", "reliability.csv"
BINS = 15  # of equal width on [0, 1], as Guo et al. 2017 use
TOPS = (3, 5)
SUMS_WITHIN = 1e-3  # of one; scores are stored in single precision, and some programs round theirs
COLUMNS = (
    "n_objects", "n_classes", "ece", "confidence", "accuracy", "log_loss", "score_zero", "macro_auroc", "classes_auroc",
    *(f"top_{k}" for k in TOPS),
)  # fmt: skip
BIN_COLUMNS = ("low", "high", "n_objects", "confidence", "accuracy")


def calibration_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Measure the scores of all finished runs on test rows.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`.
        `ece`: expected calibration error, the mean of |accuracy - confidence| over `BINS` bins of confidence, weighted
        by their objects (Guo et al. 2017, arXiv 1706.04599, equation 3); `confidence` and `accuracy` are the means over
        all objects, so that a confidence above the accuracy is overconfidence. Confidence is the score of the called
        class. `log_loss` is in nats, as scikit-learn's, which raises a zero to 2.2e-16; `score_zero` counts the objects
        whose own class had the score zero. `macro_auroc` is the mean over `classes_auroc` classes, those that some test
        objects are and others are not, of the area under the ROC curve of one class against all others. `top_k` is the
        share of objects whose class is among the k highest scores; among equal scores lots are drawn, and the expected
        share is told. Scores that are no probabilities leave `ece`, `confidence` and `log_loss` empty.

    """
    return run_table(runs, COLUMNS, _rows)


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
    strange = no_probabilities(scores)
    return [row | ({"reason": strange} if strange else _of_probabilities(predictions, scores))]


def _of_probabilities(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> dict[str, object]:
    bins = reliability(predictions.right, confidence(predictions, scores))
    own = np.take_along_axis(scores, predictions.truth[:, None], axis=1)
    shares = scores / scores.sum(axis=1, keepdims=True)
    return {
        "ece": expected_calibration_error(bins),
        "confidence": np.average(bins["confidence"], weights=bins["n_objects"]),
        "log_loss": log_loss(predictions.truth, shares, labels=range(len(predictions.classes))),
        "score_zero": int((own == 0).sum()),
    }


def reliability_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Return how often calls of like confidence are right, for all finished runs, on test rows.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run and bin with objects, with `run_table.KEYS`, `BIN_COLUMNS` and `reason`; see `reliability`.

    """
    return run_table(runs, BIN_COLUMNS, _bins)


def _bins(run: StoredRun) -> Rows | str:
    found = scored_predictions(run)
    if isinstance(found, str):
        return found
    predictions, scores = found
    bins = reliability(predictions.right, confidence(predictions, scores))[list(BIN_COLUMNS)]
    return no_probabilities(scores) or [
        dict(zip(BIN_COLUMNS, row, strict=True)) for row in bins.itertuples(index=False)
    ]


def no_probabilities(scores: NDArray[np.float64]) -> str:
    """Return in words why scores of shape (n_objects, n_classes) are no probabilities; empty when they are."""
    outside = ((scores < 0) | (scores > 1)).any(axis=1)
    odd = outside | (np.abs(scores.sum(axis=1) - 1) > SUMS_WITHIN)
    if not odd.any():
        return ""
    which = f"the scores of {odd.sum():,} of {len(odd):,} objects"
    return f"{which} are not probabilities: values outside 0 to 1, or a sum other than 1"


def confidence(predictions: SubsetPredictions, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the score of each object's called class, of shape (n_objects,)."""
    return np.take_along_axis(scores, predictions.predicted[:, None], axis=1)[:, 0]


def reliability(right: NDArray[np.bool_], confidence: NDArray[np.float64], bins: int = BINS) -> pd.DataFrame:
    """Group calls by their confidence.

    Args:
        right: which calls are right, of shape (n_objects,).
        confidence: of each call, from 0 to 1, of shape (n_objects,).
        bins: number of bins of equal width; their upper ends belong to them.

    Returns:
        One row for each bin with objects: low and high end, n_objects, mean confidence, accuracy.

    """
    ends = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(ends, confidence, side="left") - 1, 0, bins - 1)
    table = pd.DataFrame({"bin": place, "confidence": confidence, "accuracy": right.astype(np.float64)})
    found = table.groupby("bin").agg(
        n_objects=("accuracy", "size"), confidence=("confidence", "mean"), accuracy=("accuracy", "mean")
    )
    return found.assign(low=ends[found.index], high=ends[found.index + 1]).reset_index(drop=True)


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Return the mean of |accuracy - confidence| over the bins of `reliability`, weighted by their objects."""
    return float(np.average((bins["accuracy"] - bins["confidence"]).abs(), weights=bins["n_objects"]))


def class_auroc(truth: NDArray[np.int64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area under the ROC curve of each class that some objects are and others are not.

    From the sum of the ranks of the class's own objects (Mann & Whitney 1947), which for a hundred classes is ten times
    as quick as drawing the curves.

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).

    Returns:
        float64 of shape (n_such_classes,), in the order of the classes.

    """
    n, sizes = len(truth), np.bincount(truth, minlength=scores.shape[1])
    present = np.flatnonzero((sizes > 0) & (sizes < n))
    places = rankdata(scores[:, present], axis=0)
    sums = np.array([places[truth == code, column].sum() for column, code in enumerate(present)])
    inside = sizes[present]
    return np.asarray((sums - inside * (inside + 1) / 2) / (inside * (n - inside)))


def top_k(truth: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> float:
    """Return the share of objects whose class is among the k highest scores; NaN when there are no more classes.

    Where the own class shares its score with others the expected share under drawing lots counts, so that the order of
    classes does not matter (as in scikit-learn's `top_k_accuracy_score` it does).

    Args:
        truth: codes of shape (n_objects,).
        scores: of shape (n_objects, n_classes).
        k: how many.

    """
    if k >= scores.shape[1]:
        return float("nan")
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    higher, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return float(np.clip((k - higher) / equal, 0, 1).mean())


SIZES = (8, 120)  # of points, in square points


def reliability_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw accuracy against confidence in bins, all runs of a track together; points grow with their objects."""
    told = table.dropna(subset=["confidence"])
    names = [name for name in tracks_shown(section) if name in set(told["track"])]
    if not names:
        return None
    figure, axes = canvas(6.4, 4.6)
    axes.plot((0, 1), (0, 1), "--", color=INK, linewidth=0.8)
    for name, colour in zip(names, track_colours(names), strict=True):
        bins = _pooled(told[told["track"] == name])
        axes.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1, alpha=0.8)
        areas = SIZES[0] + (SIZES[1] - SIZES[0]) * bins["n_objects"] / bins["n_objects"].sum()
        axes.scatter(bins["confidence"], bins["accuracy"], s=areas, color=colour, label=name, alpha=0.8)
    axes.set(xlabel="confidence: score of the predicted class", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    finish(axes)
    return figure


def _pooled(bins: pd.DataFrame) -> pd.DataFrame:
    """Add the bins of several runs up."""
    weighted = bins[["confidence", "accuracy"]].mul(bins["n_objects"], axis=0).assign(n_objects=bins["n_objects"])
    sums = weighted.groupby(bins["low"]).sum()
    return sums[["confidence", "accuracy"]].div(sums["n_objects"], axis=0).assign(n_objects=sums["n_objects"])


def _calibration(rows: pd.DataFrame) -> pd.DataFrame:
    tops = {f"top_{k}": f"among the first {k}" for k in TOPS}
    return track_means(rows, {"ece": "calibration error", "log_loss": "log loss", "macro_auroc": "macro AUROC", **tops})


SCORES_AS_PROBABILITIES = Analysis(
    CALIBRATION,
    "Scores as probabilities",
    (
        "Of the predictions of a calibrated method with confidence 80 %, four in five are right. The calibration "
        "error is the mean distance between confidence and accuracy in 15 bins of equal width, which are in "
        "reliability.csv."
    ),
    calibration_table,
    summary=_calibration,
)


CONFIDENCE_AND_ACCURACY = Analysis(
    RELIABILITY,
    "Confidence and accuracy",
    (
        "Accuracy of predictions by their confidence, in 15 bins of equal width: on the diagonal confidence equals "
        "accuracy, below it a method is overconfident."
    ),
    reliability_table,
    figure="reliability",
    draw=reliability_figure,
)
