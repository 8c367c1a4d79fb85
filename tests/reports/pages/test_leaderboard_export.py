"""The leaderboard for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
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
    """A track over two seeds, and one that failed."""
    return make_section({}, {"seed": 1, "wrong": 5}, {"track": "lost_one", "status": "failed", "reason": "oh"})


def test_the_board_holds_means_over_runs(section: Section) -> None:
    """Best first, with what was measured; a failed track has a line without numbers."""
    table = leaderboard(section, {"good": 1}).set_index("track")

    assert table.index.tolist() == ["good", "lost_one"]
    assert table.loc["good", "macro_f1"] == section.tracks[0].macro_f1
    assert list(table.loc["good", ["fit_seconds", "predict_seconds", "peak_rss_mb", "runs"]]) == [2.0, 0.5, 300.0, 2]
    assert table["group"].astype(object).where(table["group"].notna(), None).tolist() == [1, None]
    assert "group" not in leaderboard(section, {})


def test_a_paper_is_given_rounded_numbers(section: Section) -> None:
    """Three digits of scores, the ends of an interval together, a dash where there is nothing."""
    titles, rows = rounded(leaderboard(section, {"good": 1}))
    low, high = section.tracks[0].interval

    assert titles == [
        "Group", "Method", "Macro F1", "95 % interval", "Accuracy", "Fit (s)", "Predict (s)", "Memory (MB)", "Runs",
    ]  # fmt: skip
    assert rows[0][:4] == ["1", "good", f"{section.tracks[0].macro_f1:.3f}", f"{low:.3f} – {high:.3f}"]
    assert rows[0][5:] == ["2.0", "0.50", "300", "2"]
    assert rows[1] == ["–", "lost_one", "–", "–", "–", "–", "–", "–", "0"]


def test_three_files_hold_the_same(section: Section, tmp_path: Path) -> None:
    """CSV with full numbers, LaTeX with escaped names, Markdown."""
    table = leaderboard(section, {})
    write_leaderboard(table, tmp_path, "lake-leaderboard")
    read = pd.read_csv(tmp_path / "lake-leaderboard.csv")
    latex = (tmp_path / "lake-leaderboard.tex").read_text("utf-8")

    assert read["macro_f1"].iloc[0] == table["macro_f1"].iloc[0]
    assert r"\toprule" in latex
    assert r"lost\_one & -- & --" in latex
    assert "95 \\% interval" in latex
    assert "| lost_one | – | – |" in (tmp_path / "lake-leaderboard.md").read_text("utf-8")


def test_names_do_no_harm() -> None:
    """Characters that LaTeX or Markdown would read otherwise are escaped."""
    assert escaped("50 % of a_b & {c} ^~\\#$") == (
        r"50 \% of a\_b \& \{c\} \textasciicircum{}\textasciitilde{}\textbackslash{}\#\$"
    )
    assert as_markdown(["Method"], [["a|b"]]).splitlines()[2] == r"| a\|b |"
    assert as_latex(["Method", "F1"], [["a_b", "0.5"]]).startswith(r"\begin{tabular}{lr}")
