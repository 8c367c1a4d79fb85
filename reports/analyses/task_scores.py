"""Measures of a task besides macro F1, such as ACC, NMI and ARI of clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..figures.style import ACCENT, PALE
from ..results.run_table import means_with_intervals, run_table, with_ends
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..tasks.task import Task


class TaskScores(Analysis):
    """Measures of one task, with intervals, for the runs of its tracks.

    Args:
        task: a task with measures of its own.

    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.file = f"{task.name}.csv"
        self.figure = task.name

    @property
    def title(self) -> str:
        """Heading on the page."""
        return self._task.title

    @property
    def description(self) -> str:
        """The measures, as described by the task."""
        return self._task.description

    def applies(self, section: Section) -> bool:
        """Return whether a track of the task has finished in a section."""
        return any(track.card.track.task == self._task.name for track in section.done)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the measures of all finished runs of the task.

        Returns:
            One row for each run, with `run_table.KEYS`, facts, each measure with the ends of its interval
            (`<name>_lo`, `<name>_hi`), signature and `reason`.

        """
        measures = with_ends(*self._task.measures)
        own = [run for run in runs if run.card.track.task == self._task.name]
        return run_table(own, [*self._task.facts, *measures, "signature"], self._rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return measures with their intervals, and facts, as text: means over runs."""
        tracks = rows.groupby("track", sort=False)
        facts = {title: tracks[name].agg(_mean_text) for name, title in self._task.facts.items()}
        return means_with_intervals(rows, self._task.measures).join(pd.DataFrame(facts))

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure:
        """Draw each measure of each run with its interval, tracks in the order of the leaderboard."""
        names = [track.name for track in section.done if track.name in set(rows["track"])]
        measures = self._task.measures
        figure = Figure(figsize=(1.5 + 2.2 * len(measures), 1.0 + 0.42 * len(names)), layout="constrained")
        FigureCanvasAgg(figure)
        number = rows.groupby("track").cumcount()
        height = rows["track"].map(names.index) + (number - number.max() / 2) * 0.18
        for axes, (name, title) in zip(
            np.atleast_1d(figure.subplots(1, len(measures), sharey=True)), measures.items(), strict=True
        ):
            axes.hlines(height, rows[f"{name}_lo"], rows[f"{name}_hi"], color=PALE, linewidth=3, capstyle="round")
            axes.plot(rows[name], height, "o", color=ACCENT, markersize=5)
            axes.set(xlim=(min(0, rows[f"{name}_lo"].min()), 1), ylim=(len(names) - 0.5, -0.5), xlabel=title)
            axes.set_yticks(range(len(names)), names)
            axes.grid(axis="x", color=PALE, linewidth=0.5)
        return figure

    def _rows(self, run: StoredRun) -> Rows:
        return [self._task.evaluate(run).row()]


def _mean_text(values: pd.Series) -> str:
    """Return the mean of numbers as text, without decimals if it is whole; of text, the distinct values.

    Without a number it is a dash.
    """
    if not pd.api.types.is_numeric_dtype(values):
        return ", ".join(dict.fromkeys(values))
    mean = float(values.mean())
    if np.isnan(mean):
        return "–"
    return f"{mean:,.0f}" if mean.is_integer() else f"{mean:,.3f}"
