"""How much sorting by hand a method saves: calls that may be accepted unseen at a promised precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ..figures.style import INK, canvas, finish, track_colours, tracks_shown
from ..results.run_table import is_blank, run_table
from ..results.subset_predictions import scored_predictions
from .analysis import Analysis
from .calibration import confidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun

EFFORT = "effort.csv"
TARGETS = (0.90, 0.95, 0.99)
COLUMNS = (
    "rule", "taxon", "target", "threshold", "n_valid", "precision_valid", "n_test", "n_accepted", "share",
    "precision",
)  # fmt: skip
ONE, EACH = "one threshold", "a threshold for each taxon"
ROUNDING = 1e-9  # in sums of whole numbers times a target, so that 19 of 20 are 95 %


def effort_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Tell for all finished runs how many test objects can be accepted automatically.

    Args:
        runs: of a results folder.

    Returns:
        Rows for each run and each of `TARGETS`, with `run_table.KEYS`, `COLUMNS` and `reason`: one over all objects
        with one threshold on the score of the called class (`rule`), one over all objects when each called taxon has
        a threshold of its own, and one for each called taxon; `taxon` is empty over all objects. `n_valid` and
        `precision_valid` are what the threshold accepts of the validation rows that chose it, `n_test` the test objects
        called so, `n_accepted` and `share` what it accepts of these, and `precision` how many of the accepted are
        right, NaN when none is. Without a threshold, which validation rows may not allow, nothing is accepted.

    """
    return run_table(runs, COLUMNS, _rows)


def fewest_at(target: float) -> int:
    """Return the fewest calls that can reach a precision with a mistake among them: 10 for 90 %, 100 for 99 %."""
    return round(1 / (1 - target))


def threshold_for(target: float, right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """Return the lowest threshold at which the accepted calls, those not below it, reach a precision.

    The accepted calls must be at least `fewest_at(target)`: fewer can reach it only by being without any mistake, which
    a few calls are by chance.

    Args:
        target: the precision, below 1.
        right: which validation calls are right, of shape (n_objects,).
        confidence: of each call, of shape (n_objects,).

    Returns:
        The threshold; infinite when there is none.

    """
    order = np.argsort(-confidence, kind="stable")
    scores = confidence[order]
    accepted = np.arange(1, len(scores) + 1)
    reached = np.cumsum(right[order]) >= target * accepted - ROUNDING
    whole = np.append(scores[:-1] != scores[1:], True)  # equal scores are accepted together
    possible = np.flatnonzero(reached & whole & (accepted >= fewest_at(target)))
    return float(scores[possible[-1]]) if len(possible) else float("inf")


@dataclass(frozen=True)
class _Sure:
    """Calls of one part, and how sure the method was of each."""

    predicted: NDArray[np.int64]
    right: NDArray[np.bool_]
    confidence: NDArray[np.float64]

    def of(self, code: int) -> _Sure:
        rows = self.predicted == code
        return _Sure(self.predicted[rows], self.right[rows], self.confidence[rows])


def _sure(run: StoredRun, part: Literal["test", "valid"]) -> _Sure | str:
    found = scored_predictions(run, part)
    if isinstance(found, str):
        return found
    predictions, scores = found
    return _Sure(predictions.predicted, predictions.right, confidence(predictions, scores))


def _rows(run: StoredRun) -> Rows | str:
    test, valid = _sure(run, "test"), _sure(run, "valid")
    if isinstance(test, str) or isinstance(valid, str):
        return f"thresholds cannot be chosen: {next(found for found in (valid, test) if isinstance(found, str))}"
    classes = sorted(run.card.data.classes)
    return [row for target in TARGETS for row in _rows_at(target, valid, test, classes)]


def _rows_at(target: float, valid: _Sure, test: _Sure, classes: list[str]) -> Rows:
    one = threshold_for(target, valid.right, valid.confidence)
    parts = [valid.of(code) for code in range(len(classes))]
    each = np.array([threshold_for(target, part.right, part.confidence) for part in parts])
    rows = [
        {"rule": ONE, **_chosen(target, one, valid), **_accepted(valid, test, np.full(len(classes), one))},
        {"rule": EACH, **_accepted(valid, test, each)},
    ]
    for code in np.unique(test.predicted):
        told = _chosen(target, each[code], parts[code]) | _accepted(parts[code], test.of(code), each)
        rows.append({"rule": EACH, "taxon": classes[code], **told})
    return [{"taxon": "", "target": target, **row} for row in rows]


def _chosen(target: float, threshold: float, valid: _Sure) -> dict[str, object]:
    if np.isfinite(threshold):
        return {"threshold": threshold}
    if len(valid.right) < fewest_at(target):
        reason = f"{len(valid.right):,} validation rows are predicted as this taxon; {fewest_at(target)} are needed"
        return {"reason": reason}
    return {"reason": "no threshold reaches the precision on validation rows"}


def _accepted(valid: _Sure, test: _Sure, thresholds: NDArray[np.float64]) -> dict[str, object]:
    """Count what thresholds, float64 of shape (n_classes,) by called class, accept of both parts."""
    chosen, accepted = (part.right[part.confidence >= thresholds[part.predicted]] for part in (valid, test))
    return {
        "n_valid": len(chosen),
        "precision_valid": chosen.mean() if len(chosen) else np.nan,
        "n_test": len(test.right),
        "n_accepted": len(accepted),
        "share": len(accepted) / len(test.right),
        "precision": accepted.mean() if len(accepted) else np.nan,
    }


POINTS = 400  # of a curve


FEWEST = 20  # objects accepted, before their precision is drawn: that of a handful jumps


def effort_figure(section: Section, table: pd.DataFrame) -> Figure | None:
    """Draw the precision of test objects accepted automatically against their share, all runs of a track together.

    Lines are what all thresholds would give; crosses are what those chosen on validation rows gave, mean over runs.
    """
    curves = {name: _curve(track) for name, track in tracks_shown(section).items()}
    drawn = {name: curve for name, curve in curves.items() if len(curve)}
    if not drawn:
        return None
    figure, axes = canvas(6.8, 4.4)
    for target in TARGETS:
        axes.axhline(target, color=INK, linewidth=0.6, linestyle=":")
    chosen = table[(table["rule"] == ONE) & (table["n_accepted"] > 0)]
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


def _curve(track: TrackResult) -> pd.DataFrame:
    """Return share and precision at `POINTS` thresholds, equal scores together.

    There are no rows when no run has scores, or when there are fewer objects than a share of them can be told of.
    """
    found = [scored_predictions(run) for run in track.runs if run.score is not None]
    known = [one for one in found if not isinstance(one, str)]
    if sum(len(predictions.truth) for predictions, _ in known) < FEWEST:
        return pd.DataFrame(columns=["share", "precision"])
    sure = np.concatenate([confidence(predictions, scores) for predictions, scores in known])
    order = np.argsort(-sure, kind="stable")
    right = np.cumsum(np.concatenate([predictions.right for predictions, _ in known])[order])
    last = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))  # of equal scores
    last = last[last + 1 >= FEWEST]
    place = last[np.unique(np.linspace(0, len(last) - 1, POINTS).astype(int))]
    return pd.DataFrame({"share": (place + 1) / len(order), "precision": right[place] / (place + 1)})


def _effort(rows: pd.DataFrame) -> pd.DataFrame:
    of_all = rows[(rows["rule"] == ONE) & is_blank(rows["taxon"])].dropna(subset=["target"])
    found = {}
    for target in TARGETS:
        means = of_all[of_all["target"] == target].groupby("track")[["share", "precision"]].mean()
        found[f"accepted at {100 * target:.0f} %"] = means["share"]
        found[f"precision reached at {100 * target:.0f} %"] = means["precision"]
    return pd.DataFrame(found)


SORTING_EFFORT = Analysis(
    EFFORT,
    "Manual sorting saved",
    (
        "Coverage at a given precision: share of objects whose prediction can be accepted without inspection, when "
        "90, 95 or 99 % of the accepted predictions should be right. Thresholds are chosen on validation rows; the "
        "precision reached on test rows is given with each share."
    ),
    effort_table,
    summary=_effort,
    figure="effort",
    draw=effort_figure,
)
