"""Trials: what each run trained and compared on validation rows, its time, and its learning curves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..figures.style import finish, track_colours, tracks_shown
from ..results.run_table import KEYS, run_table
from .analysis import Analysis, SectionFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from matplotlib.axes import Axes

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..run_files.card import CardCurve, CardTrial

TRIALS = "trials.csv"
COLUMNS = (
    "trial", "n_trials", "part", "options", "chosen", "valid_macro_f1", "seconds", "unit", "steps", "limit",
    "best_step", "stopped", "best_at_the_end", "budget_minutes", "fit_seconds",
)  # fmt: skip
CURVE_COLUMNS = (*KEYS, "trial", "part", "chosen", "unit", "step", "measure", "score")
STOPS = {"patience": "no improvement", "limit": "last step allowed", "time": "time limit"}
"""Descriptions of the reasons why a training ended."""
NOT_STATED = "not stated"


class Trials(Analysis):
    """Trials of all runs, with budgets and learning curves."""

    file = TRIALS
    figure = "learning-curves"
    title = "Trials and budgets"
    description = (
        "Everything that was trained and compared on validation objects, the time limit of each run and the time that "
        "it took (without base models). A track whose training was stopped by the time limit or at the last step "
        "allowed may do better with a larger budget. In the figure, each curve is the course of a chosen training of "
        "the first run on validation objects, and the dot is the step that was kept."
    )
    files_description = "All learning curves"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the trials of all finished runs, from their cards alone.

        Returns:
            One row for each stored trial, with `run_table.KEYS`, `COLUMNS` and `reason`. `options` is JSON, `seconds`
            the time of the trial, `budget_minutes` the time limit of the run, missing if its track has none.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return number of trials, time limit, time used, and why the chosen trainings ended, as text."""
        runs = rows.drop_duplicates([*KEYS]).groupby("track", sort=False)
        stops = {
            str(name): _stops_text(trials["stopped"]) for name, trials in rows[rows["chosen"] == 1].groupby("track")
        }
        return pd.DataFrame(
            {
                "trials per run": runs["n_trials"].max().map(lambda n: _number_text(n, ",.0f")),
                "time limit, min": runs["budget_minutes"].max().map(lambda minutes: _number_text(minutes, "g", "none")),
                "time used, min": runs["fit_seconds"].mean().map(lambda seconds: _number_text(seconds / 60, ",.1f")),
                "chosen training ended by": pd.Series({name: stops.get(str(name), NOT_STATED) for name in runs.groups}),
            }
        )

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - curves are in the cards
        """Draw the learning curves of the chosen trials in the first run of each track, one panel per measure."""
        curves = {name: list(_chosen_curves(track.runs)) for name, track in tracks_shown(section).items()}
        curves = {name: found for name, found in curves.items() if found}
        measures = sorted({curve.measure for found in curves.values() for curve in found}, reverse=True)
        if not measures:
            return None
        figure = Figure(figsize=(7.5, 3.2 * len(measures)), layout="constrained")
        FigureCanvasAgg(figure)
        colours = dict(zip(curves, track_colours(curves), strict=True))
        for axes, measure in zip(np.atleast_1d(figure.subplots(len(measures), 1)), measures, strict=True):
            for name, found in curves.items():
                _draw_curves(axes, name, [curve for curve in found if curve.measure == measure], colours[name])
            axes.set(xlabel="share of the steps trained", ylabel=f"{measure} on validation objects")
            finish(axes)
        return figure

    def files(self, section: Section, with_best: Collection[str]) -> list[SectionFile]:  # noqa: ARG002 - of all tracks
        """Return the learning curves of all stored trials of all runs, one row for each point."""
        rows = [row for run in section.runs if run.card.status == "done" for row in _curve_rows(run)]
        if not rows:
            return []
        content = pd.DataFrame(rows, columns=list(CURVE_COLUMNS)).to_csv(index=False, lineterminator="\n")
        return [SectionFile("learning-curves.csv", "learning curves (CSV)", content)]


def _rows(run: StoredRun) -> Rows:
    card = run.card
    shared = {
        "n_trials": card.track.n_trials or None,
        "budget_minutes": card.track.config.get("minutes"),
        "fit_seconds": card.cost.fit_seconds,
    }
    if not card.track.trials:
        reason = "the run states no trials; it is of an earlier version, or of a predictions file"
        return [{**shared, "reason": reason}]
    return [{**shared, "trial": number, **_trial_row(trial)} for number, trial in enumerate(card.track.trials, 1)]


def _trial_row(trial: CardTrial) -> dict[str, object]:
    row: dict[str, object] = {
        "part": trial.part,
        "options": json.dumps(trial.options, ensure_ascii=False),
        "chosen": trial.chosen,
        "valid_macro_f1": trial.valid_macro_f1,
        "seconds": trial.seconds,
    }
    if trial.curve is not None:
        curve = trial.curve
        row |= {"unit": curve.unit, "steps": curve.steps[-1], "limit": curve.limit, "best_step": curve.best}
        row |= {"stopped": curve.stopped, "best_at_the_end": curve.best_at_the_end}
    return row


def _chosen_curves(runs: Sequence[StoredRun]) -> Iterator[CardCurve]:
    """Yield the learning curves of the chosen trials in the first finished run."""
    first = next(run for run in runs if run.card.status == "done")
    for trial in first.card.track.trials:
        if trial.chosen and trial.curve is not None:
            yield trial.curve


def _draw_curves(axes: Axes, name: str, curves: Sequence[CardCurve], colour: tuple[float, float, float]) -> None:
    """Draw curves of one track against the share of their steps; the legend has the number of steps of the first."""
    for position, curve in enumerate(curves):
        share = np.divide(curve.steps, curve.steps[-1])
        label = f"{name} ({curve.steps[-1]:,} {curve.unit}s)"
        axes.plot(share, curve.scores, color=colour, label="_" if position else label)
        best = curve.steps.index(curve.best)
        axes.plot(share[best], curve.scores[best], "o", color=colour, markersize=5)


def _curve_rows(run: StoredRun) -> Iterator[tuple[object, ...]]:
    flat = run.card.flat()
    for number, trial in enumerate(run.card.track.trials, 1):
        if trial.curve is not None:
            facts = (*(flat[name] for name in KEYS), number, trial.part, trial.chosen, trial.curve.unit)
            for step, score in zip(trial.curve.steps, trial.curve.scores, strict=True):
                yield (*facts, step, trial.curve.measure, score)


def _number_text(value: float, form: str, missing: str = NOT_STATED) -> str:
    return f"{value:{form}}" if np.isfinite(value) else missing


def _stops_text(stops: pd.Series) -> str:
    """Return why trainings ended, with the number of each reason if there are several."""
    names = [STOPS[stop] for stop in stops.dropna()]
    if len(set(names)) <= 1:
        return names[0] if names else "fixed options"
    return ", ".join(f"{name} ({names.count(name):,})" for name in dict.fromkeys(names))
