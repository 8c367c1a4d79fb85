"""Export of the leaderboard."""

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

    from planktonbench.reports.comparisons.leaderboard import Standing
    from planktonbench.reports.results.section import Section


@pytest.fixture
def section(make_section: Callable[..., Section]) -> Section:
    """A track with two seeds and a failed track."""
    return make_section({}, {"seed": 1, "wrong": 5}, {"track": "lost_one", "status": "failed", "reason": "oh"})


@pytest.fixture
def standings(make_standing: Callable[..., Standing]) -> dict[str, Standing]:
    """The first track, compared on one of its two runs."""
    return {"good": make_standing(letters="ab", macro_f1=0.87, accuracy=0.91, interval=(0.71, 0.98))}


def test_scores_are_those_of_the_compared_runs(section: Section, standings: dict[str, Standing]) -> None:
    """With their number and interval; costs are means over all runs. A failed track has a row without numbers."""
    table = leaderboard(section, standings).set_index("track")

    assert table.index.tolist() == ["good", "lost_one"]
    assert list(table.loc["good", ["macro_f1", "lo", "hi", "accuracy", "runs"]]) == [0.87, 0.71, 0.98, 0.91, 1]
    assert table.loc["lost_one", ["macro_f1", "lo", "hi"]].isna().all()
    assert list(table.loc["good", ["fit_seconds", "predict_seconds", "peak_rss_mb"]]) == [2.0, 0.5, 300.0]
    assert table["letters"].tolist() == ["ab", "–"]


def test_scores_without_withheld_classes_have_a_column(
    make_section: Callable[..., Section], standings: dict[str, Standing]
) -> None:
    """Beside macro F1, also in the exported formats; nothing is added if no class is withheld."""
    section = make_section({"withheld": ["egg (other)"], "wrong": 6})
    table = leaderboard(section, standings)
    titles, ((*cells,),) = rounded(table)

    assert table["macro_f1_seen"].tolist() == [section.tracks[0].macro_f1_seen]
    assert table["macro_f1_seen"].item() != table["macro_f1"].item()
    assert titles[2:5] == ["Macro F1", "95 % CI", "Macro F1 without withheld classes"]
    assert cells[4] == f"{table['macro_f1_seen'].item():.3f}"


def test_a_track_that_is_not_compared_has_means_over_its_runs(section: Section) -> None:
    """Without interval and letters."""
    row = leaderboard(section, {}).set_index("track").loc["good"]

    assert (row["macro_f1"], row["runs"], row["letters"]) == (section.tracks[0].macro_f1, 2, "–")
    assert row[["lo", "hi"]].isna().all()


def test_numbers_are_rounded(section: Section, standings: dict[str, Standing]) -> None:
    """Scores have three decimals, limits of an interval share a cell, and missing values are a dash."""
    titles, rows = rounded(leaderboard(section, standings))

    assert titles == [
        "Letters", "Method", "Macro F1", "95 % CI", "Accuracy", "Training (s)", "Prediction (s)", "Memory (MB)", "Runs",
    ]  # fmt: skip
    assert rows[0][:4] == ["ab", "good", "0.870", "0.710 – 0.980"]
    assert rows[0][5:] == ["2.0", "0.50", "300", "1"]
    assert rows[1] == ["–", "lost_one", "–", "–", "–", "–", "–", "–", "0"]


def test_three_formats_are_written(section: Section, standings: dict[str, Standing], tmp_path: Path) -> None:
    """CSV has full precision, LaTeX has escaped names, and Markdown has the same rows."""
    table = leaderboard(section, standings)
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
