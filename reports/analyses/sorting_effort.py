"""Manual sorting saved: coverage of predictions accepted without inspection at a given precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ..figures.style import INK, canvas, finish, track_colours, tracks_shown
from ..results.run_table import ends, is_blank, means_with_intervals, run_table, with_ends
from ..results.subset_predictions import scored_predictions
from ..scoring.proportions import category_intervals, design_effect
from .analysis import INTERVALS, Analysis
from .calibration import confidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun

TARGETS = (0.90, 0.95, 0.99)
COLUMNS = (
    "rule", "taxon", "target", "threshold", "n_valid", "precision_valid", "n_test", "n_accepted",
    *with_ends("share", "precision"),
)  # fmt: skip
ONE_THRESHOLD, TAXON_THRESHOLDS = "one threshold", "a threshold for each taxon"
TOLERANCE = 1e-9  # rounding error of a count times a target, so that 19 of 20 are 95 %
CURVE_POINTS = 400
MIN_OBJECTS = 20  # curves begin at this number of accepted objects; the precision of fewer is erratic


class SortingEffort(Analysis):
    """Coverage of predictions accepted without inspection, at three precisions."""

    file = "effort.csv"
    title = "Manual sorting saved"
    description = (
        "Coverage at a given precision: share of objects whose prediction can be accepted without inspection if 90, "
        "95 or 99 % of the accepted predictions are to be correct. Thresholds are chosen on validation rows; the "
        "precision reached on test rows is given with each share. Intervals are conditional on these thresholds: they "
        f"show the variation over test rows, not that over the choice of a threshold. {INTERVALS}"
    )
    figure = "effort"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Compute how many test objects can be accepted automatically, for all finished runs.

        Returns:
            Rows for each run and each of `TARGETS`, with `run_table.KEYS`, `COLUMNS` and `reason`: one over all objects
            with a single threshold on the score of the predicted class (`rule`), one over all objects with a threshold
            for each predicted taxon, and one for each predicted taxon; `taxon` is empty over all objects. `n_valid` and
            `precision_valid` are number and precision of the accepted validation rows, on which thresholds are chosen.
            `n_test` is the number of test objects (predicted as the taxon), `n_accepted` and `share` are number and
            share of those accepted, and `precision` is their precision, NaN if none is accepted. If no threshold
            reaches the target on validation rows, nothing is accepted.
            `share_lo`, `share_hi`, `precision_lo` and `precision_hi` are 95 % intervals of proportions of clustered
            objects (`proportions.category_intervals`), conditional on the thresholds. Units are samples, or objects if
            there are not several samples; a taxon has no interval if its objects (accepted ones for `precision`) are in
            fewer than five units. A share that is 0 because no threshold reaches the target has the interval from 0 to
            0.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return coverage and precision with one threshold, by target precision."""
        over_all_taxa = rows[(rows["rule"] == ONE_THRESHOLD) & is_blank(rows["taxon"])].dropna(subset=["target"])
        return pd.concat(
            [
                means_with_intervals(
                    over_all_taxa[over_all_taxa["target"] == target],
                    {
                        "share": f"accepted at {100 * target:.0f} %",
                        "precision": f"precision reached at {100 * target:.0f} %",
                    },
                )
                for target in TARGETS
            ],
            axis=1,
        )

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:
        """Draw the precision of automatically accepted test objects against their share, pooled over runs of a track.

        Lines show all possible thresholds, crosses those chosen on validation rows, as means over runs.
        """
        curves = {name: _curve(track) for name, track in tracks_shown(section).items()}
        drawn = {name: curve for name, curve in curves.items() if len(curve)}
        if not drawn:
            return None
        figure, axes = canvas(6.8, 4.4)
        for target in TARGETS:
            axes.axhline(target, color=INK, linewidth=0.6, linestyle=":")
        chosen = rows[(rows["rule"] == ONE_THRESHOLD) & (rows["n_accepted"] > 0)]
        for (name, curve), colour in zip(drawn.items(), track_colours(drawn), strict=True):
            axes.plot(curve["share"], curve["precision"], color=colour, linewidth=1.2, label=name)
            points = chosen[chosen["track"] == name].groupby("target")[["share", "precision"]].mean()
            axes.plot(points["share"], points["precision"], "x", color=colour, markersize=6)
        axes.set(
            xlabel="coverage: share of test objects accepted, highest confidence first",
            ylabel="precision of accepted objects",
            xlim=(0, 1),
            ylim=(min(0.88, *(curve["precision"].min() - 0.02 for curve in drawn.values())), 1.005),
        )
        finish(axes)
        return figure


def min_accepted(target: float) -> int:
    """Return the smallest number of predictions that reaches a precision with one error: 10 for 90 %, 100 for 99 %."""
    return round(1 / (1 - target))


def threshold_for(target: float, right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """Return the lowest threshold at which the accepted predictions, those not below it, reach a precision.

    At least `min_accepted(target)` predictions must be accepted. Fewer would reach the precision only without any
    error, which happens by chance among few predictions.

    Args:
        target: the precision, below 1.
        right: whether each validation prediction is correct, of shape (n_objects,).
        confidence: confidence of each prediction, of shape (n_objects,).

    Returns:
        The threshold; infinite if there is none.

    """
    order = np.argsort(-confidence, kind="stable")
    scores = confidence[order]
    accepted = np.arange(1, len(scores) + 1)
    reached = np.cumsum(right[order]) >= target * accepted - TOLERANCE
    last_of_ties = np.append(scores[:-1] != scores[1:], True)  # equal scores are accepted together
    possible = np.flatnonzero(reached & last_of_ties & (accepted >= min_accepted(target)))
    return float(scores[possible[-1]]) if len(possible) else float("inf")


@dataclass(frozen=True)
class _Confidences:
    """Predictions of one subset with their confidence."""

    predicted: NDArray[np.int64]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    units: NDArray[np.integer]

    def predicted_as(self, code: int) -> _Confidences:
        rows = self.predicted == code
        return _Confidences(self.predicted[rows], self.right[rows], self.confidence[rows], self.units[rows])

    def accepted(self, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each object is accepted, of shape (n_objects,); `thresholds` (n_classes,) by predicted class."""
        return self.confidence >= thresholds[self.predicted]


def _confidences(run: StoredRun, subset: Literal["test", "valid"]) -> _Confidences | str:
    found = scored_predictions(run, subset)
    if isinstance(found, str):
        return found
    predictions, scores = found
    return _Confidences(predictions.predicted, predictions.right, confidence(predictions, scores), predictions.units)


def _rows(run: StoredRun) -> Rows | str:
    test, valid = _confidences(run, "test"), _confidences(run, "valid")
    if isinstance(test, str) or isinstance(valid, str):
        return f"thresholds cannot be chosen: {next(found for found in (valid, test) if isinstance(found, str))}"
    classes = sorted(run.card.data.classes)
    return [row for target in TARGETS for row in _rows_at(target, valid, test, classes)]


def _rows_at(target: float, valid: _Confidences, test: _Confidences, classes: list[str]) -> Rows:
    threshold = threshold_for(target, valid.right, valid.confidence)
    valid_by_class = [valid.predicted_as(code) for code in range(len(classes))]
    thresholds = np.array([threshold_for(target, rows.right, rows.confidence) for rows in valid_by_class])
    everywhere = np.full(len(classes), threshold)
    rows = [
        {
            "rule": ONE_THRESHOLD,
            **_threshold_columns(target, threshold, valid),
            **_accepted_columns(valid, test, everywhere),
            **_interval_columns(test, everywhere)[0],
        },
        {
            "rule": TAXON_THRESHOLDS,
            **_accepted_columns(valid, test, thresholds),
            **_interval_columns(test, thresholds)[0],
        },
    ]
    by_taxon = _interval_columns(test, thresholds, by_taxon=True)
    for code in np.unique(test.predicted):
        row = {
            "rule": TAXON_THRESHOLDS,
            "taxon": classes[code],
            **_threshold_columns(target, thresholds[code], valid_by_class[code]),
            **_accepted_columns(valid_by_class[code], test.predicted_as(code), thresholds),
            **by_taxon[code],
        }
        rows.append(row)
    return [{"taxon": "", "target": target, **row} for row in rows]


def _threshold_columns(target: float, threshold: float, valid: _Confidences) -> dict[str, object]:
    if np.isfinite(threshold):
        return {"threshold": threshold}
    if len(valid.right) < min_accepted(target):
        reason = f"{len(valid.right):,} validation rows are predicted as this taxon; {min_accepted(target)} are needed"
        return {"reason": reason}
    return {"reason": "no threshold reaches the precision on validation rows"}


def _accepted_columns(valid: _Confidences, test: _Confidences, thresholds: NDArray[np.float64]) -> dict[str, object]:
    """Count the accepted rows of both subsets; `thresholds` of shape (n_classes,) are by predicted class."""
    accepted_valid, accepted = (rows.right[rows.accepted(thresholds)] for rows in (valid, test))
    return {
        "n_valid": len(accepted_valid),
        "precision_valid": accepted_valid.mean() if len(accepted_valid) else np.nan,
        "n_test": len(test.right),
        "n_accepted": len(accepted),
        "share": len(accepted) / len(test.right),
        "precision": accepted.mean() if len(accepted) else np.nan,
    }


def _interval_columns(
    test: _Confidences, thresholds: NDArray[np.float64], *, by_taxon: bool = False
) -> list[dict[str, object]]:
    """Return the ends of the intervals of share and precision, over all objects or for each predicted class.

    Given infinite thresholds, the share is 0 for any test objects, and so are the ends of its interval.
    """
    accepted, effect = test.accepted(thresholds), design_effect(test.right, test.units)
    n_categories = len(thresholds) if by_taxon else 1
    share, precision = (
        category_intervals(
            hits, objects, test.units, categories=test.predicted if by_taxon else None, n_categories=n_categories,
            prior_effect=effect,
        )
        for hits, objects in ((accepted, np.ones(len(accepted))), (accepted & test.right, accepted))
    )  # fmt: skip
    impossible = np.isinf(thresholds) if by_taxon else np.isinf(thresholds).all(keepdims=True)
    share[impossible] = 0
    return [{**ends("share", one), **ends("precision", other)} for one, other in zip(share, precision, strict=True)]


def _curve(track: TrackResult) -> pd.DataFrame:
    """Return share and precision at up to `CURVE_POINTS` thresholds; equal scores are accepted together.

    The table is empty if no run has scores or if there are fewer than `MIN_OBJECTS` objects.
    """
    found = [scored_predictions(run) for run in track.runs if run.score is not None]
    known = [scored for scored in found if not isinstance(scored, str)]
    if sum(len(predictions.truth) for predictions, _ in known) < MIN_OBJECTS:
        return pd.DataFrame(columns=["share", "precision"])
    confidences = np.concatenate([confidence(predictions, scores) for predictions, scores in known])
    order = np.argsort(-confidences, kind="stable")
    right = np.cumsum(np.concatenate([predictions.right for predictions, _ in known])[order])
    last = np.flatnonzero(np.append(np.diff(confidences[order]) != 0, True))  # of equal scores
    last = last[last + 1 >= MIN_OBJECTS]
    positions = last[np.unique(np.linspace(0, len(last) - 1, CURVE_POINTS).astype(int))]
    return pd.DataFrame({"share": (positions + 1) / len(order), "precision": right[positions] / (positions + 1)})
