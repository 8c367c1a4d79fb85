"""Table, summary and learning curves of trials, from cards alone."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from planktonbench.reports.analyses.trials import Trials
from planktonbench.reports.figures.style import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def trial(*scores: float, stopped: str = "patience", chosen: bool = True, **more: object) -> dict[str, Any]:
    """Return a trial as a card stores it, with a learning curve."""
    steps = list(range(1, len(scores) + 1))
    best = scores.index(max(scores)) + 1
    course = {"unit": "epoch", "measure": "macro F1", "scores": scores, "steps": steps, "best": best, "limit": 9}
    curve = {**course, "stopped": stopped}
    return {"seconds": 60.0, "valid_macro_f1": max(scores), "chosen": chosen, "curve": curve, **more}


def tuned(**more: object) -> dict[str, Any]:
    """Return a run of two trials with a time limit of 20 minutes."""
    trials = [trial(0.1, 0.2, chosen=False, options={"alpha": 1}), trial(0.3, 0.5, 0.4, options={"alpha": 0.5})]
    return {"track": "tuned", "trials": trials, "n_trials": 2, "config": {"minutes": 20}, "fit_seconds": 90.0, **more}


def test_table_has_a_row_for_each_trial(make_section: Callable[..., Section]) -> None:
    """With options, score, seconds, steps and the budget; a run without trials has the reason."""
    rows = Trials().table(make_section(tuned(), {"track": "old"}).runs).set_index("track")

    assert rows.loc["tuned", "trial"].tolist() == [1, 2]
    assert [json.loads(text) for text in rows.loc["tuned", "options"]] == [{"alpha": 1}, {"alpha": 0.5}]
    assert rows.loc["tuned", ["valid_macro_f1", "steps", "best_step"]].to_numpy().tolist() == [[0.2, 2, 2], [0.5, 3, 2]]
    assert rows.loc["tuned", "budget_minutes"].tolist() == [20, 20]
    assert "states no trials" in rows.loc["old", "reason"]


def test_summary_states_budget_and_time_used(make_section: Callable[..., Section]) -> None:
    """Numbers are means or maxima over runs; reasons of several runs are counted."""
    late = tuned(seed=1, trials=[trial(0.1, 0.2, stopped="time")], n_trials=1, fit_seconds=150.0)
    section = make_section(tuned(), late, {"track": "old"})

    summary = Trials().summary(Trials().table(section.runs))

    assert summary.loc["tuned"].tolist() == ["2", "20", "2.0", "no improvement (1), time limit (1)"]
    assert summary.loc["old"].tolist() == ["not stated", "none", "0.0", "not stated"]


def test_figure_and_file_show_learning_curves(make_section: Callable[..., Section]) -> None:
    """The figure has the chosen trial of the first run with the step that was kept; the file has all points."""
    section = make_section(tuned(), tuned(seed=1), {"track": "old"})
    with style():
        figure = Trials().draw(section, pd.DataFrame())

    assert figure is not None
    course, dot = figure.axes[0].lines
    assert list(course.get_ydata()) == [0.3, 0.5, 0.4]
    assert list(dot.get_ydata()) == [0.5]
    (file,) = Trials().files(section, {})
    table = pd.read_csv(io.StringIO(file.content))
    assert table.groupby(["seed", "trial"]).size().tolist() == [2, 3, 2, 3]


def test_section_without_curves_has_no_figure(make_section: Callable[..., Section]) -> None:
    """There is nothing to draw or to write."""
    section = make_section({"trials": [{"seconds": 2.0}], "n_trials": 1})

    assert Trials().draw(section, pd.DataFrame()) is None
    assert Trials().files(section, {}) == []
    assert Trials().summary(Trials().table(section.runs)).iloc[0, -1] == "fixed options"
