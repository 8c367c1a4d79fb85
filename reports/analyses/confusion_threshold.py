"""Search over the confusion threshold, above which a class gets more sub-classes (Venkataramanan et al. 2021)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..comparisons.fusion_gain import has_valid, valid_macro_f1
from ..figures.sub_classes import threshold_search
from ..results.run_table import means_with_intervals, run_table, with_ends
from ..results.section import sections_of
from .analysis import INTERVALS, Analysis
from .error_variance import error_columns
from .sub_classes import subclasses_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun

OPTION = "confusion_threshold"
PAPER = 0.3  # section 4.4
COLUMNS = (
    "method", OPTION, "valid_macro_f1", *with_ends("macro_f1", "variance_fn"), "n_subclasses",
)  # fmt: skip


class ConfusionThreshold(Analysis):
    """Scores of tracks that differ only in the confusion threshold."""

    file = "confusion-threshold.csv"
    figure = "confusion-threshold"
    anchor = "confusion-threshold"
    title = "Search over the confusion threshold"
    description = (
        "Tracks that differ only in the confusion threshold: the share of false negatives of a class above which it "
        "gets another sub-class. The threshold is to be chosen by macro F1 on validation objects; the score on test "
        f"objects is shown beside it. {INTERVALS}"
    )

    def applies(self, section: Section) -> bool:
        """Return whether tracks of a section differ only in the threshold."""
        return bool(_searched(section))

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the scores of all finished runs of tracks that differ only in the threshold.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`. `method` is the name of the track in
            the registry, `valid_macro_f1` macro F1 on validation objects, which is missing if these are not stored.

        """
        tracks = [track for section in sections_of(list(runs)) for track in _searched(section)]
        return run_table([run for track in tracks for run in track.runs], COLUMNS, lambda run: [_row(run)])

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return threshold, macro F1 on validation and test objects, variance of false negatives, and sub-classes."""
        tracks = rows.groupby("track")
        found = means_with_intervals(rows, {"macro_f1": "test macro F1", "variance_fn": "variance FN"})
        found.insert(0, "threshold", tracks[OPTION].first().map("{:g}".format))
        found.insert(1, "validation macro F1", tracks["valid_macro_f1"].mean())
        return found.assign(**{"sub-classes": tracks["n_subclasses"].mean().map("{:.1f}".format)})

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure:  # noqa: ARG002 - the rows have everything
        """Draw macro F1 on validation and test objects against the threshold."""
        return threshold_search(rows, PAPER)


def _searched(section: Section) -> list[TrackResult]:
    """Return the finished tracks that differ from another one in nothing but the threshold."""
    groups: dict[str, list[TrackResult]] = {}
    for track in section.done:
        config = dict(track.card.track.config)
        if config.pop(OPTION, None) is not None:
            groups.setdefault(json.dumps(config, sort_keys=True, default=str), []).append(track)
    return [
        track
        for tracks in groups.values()
        if len({one.card.track.config[OPTION] for one in tracks}) > 1
        for track in tracks
    ]


def _row(run: StoredRun) -> dict[str, object]:
    config, scores, errors = run.card.track.config, run.row(), error_columns(run)
    return {
        "method": config.get("track", run.card.track.name),
        OPTION: config[OPTION],
        "valid_macro_f1": valid_macro_f1(run) if has_valid(run) else None,
        **{name: scores[name] for name in with_ends("macro_f1")},
        **{name: errors[name] for name in with_ends("variance_fn")},
        "n_subclasses": sum(subclasses_of(run).values()) or None,
    }
