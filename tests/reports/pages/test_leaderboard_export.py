"""Export of the leaderboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.reports.comparisons.leaderboard import Standing
from planktonbench.reports.pages.leaderboard_export import (
    as_latex,
    as_markdown,
    escaped,
    leaderboard,
    rounded,
    write_leaderboard,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.section import Section


@pytest.fixture
def section(make_section: Callable[..., Section]) -> Section:
    """A track with two seeds and a failed track."""
    return make_section({}, {"seed": 1, "wrong": 5}, {"track": "lost_one", "status": "failed", "reason": "oh"})


STANDINGS = {"good": Standing("ab", with_best=True, interval=(0.71, 0.98), difference=0, difference_interval=(0, 0))}


def test_the_leaderboard_has_means_over_runs(section: Section) -> None:
    """The best track comes first; the interval is that of the mean; a failed track has a row without numbers."""
    table = leaderboard(section, STANDINGS).set_index("track")

    assert table.index.tolist() == ["good", "lost_one"]
    assert table.loc["good", "macro_f1"] == section.tracks[0].macro_f1
    assert tuple(table.loc["good", ["lo", "hi"]]) == STANDINGS["good"].interval
    assert table.loc["lost_one", ["lo", "hi"]].isna().all()
    assert list(table.loc["good", ["fit_seconds", "predict_seconds", "peak_rss_mb", "runs"]]) == [2.0, 0.5, 300.0, 2]
    assert table["letters"].tolist() == ["ab", "–"]


def test_numbers_are_rounded(section: Section) -> None:
    """Scores have three decimals, limits of an interval share a cell, and missing values are a dash."""
    titles, rows = rounded(leaderboard(section, STANDINGS))

    assert titles == [
        "Letters", "Method", "Macro F1", "95 % CI", "Accuracy", "Training (s)", "Prediction (s)", "Memory (MB)", "Runs",
    ]  # fmt: skip
    assert rows[0][:4] == ["ab", "good", f"{section.tracks[0].macro_f1:.3f}", "0.710 – 0.980"]
    assert rows[0][5:] == ["2.0", "0.50", "300", "2"]
    assert rows[1] == ["–", "lost_one", "–", "–", "–", "–", "–", "–", "0"]


def test_three_formats_are_written(section: Section, tmp_path: Path) -> None:
    """CSV has full precision, LaTeX has escaped names, and Markdown has the same rows."""
    table = leaderboard(section, STANDINGS)
    write_leaderboard(table, tmp_path, "lake-leaderboard")
    read = pd.read_csv(tmp_path / "lake-leaderboard.csv")
    latex = (tmp_path / "lake-leaderboard.tex").read_text("utf-8")

    assert read["macro_f1"].iloc[0] == table["macro_f1"].iloc[0]
    assert r"\toprule" in latex
    assert r"-- & lost\_one & -- & --" in latex
    assert r"\begin{tabular}{llrrrrrrr}" in latex
    assert "95 \\% CI" in latex
    assert "| – | lost_one | – | – |" in (tmp_path / "lake-leaderboard.md").read_text("utf-8")


def test_special_characters_are_escaped() -> None:
    """Characters with a meaning in LaTeX or Markdown are escaped."""
    assert escaped("50 % of a_b & {c} ^~\\#$") == (
        r"50 \% of a\_b \& \{c\} \textasciicircum{}\textasciitilde{}\textbackslash{}\#\$"
    )
    assert as_markdown(["Method"], [["a|b"]]).splitlines()[2] == r"| a\|b |"
    assert as_latex(["Method", "F1"], [["a_b", "0.5"]]).startswith(r"\begin{tabular}{lr}")
