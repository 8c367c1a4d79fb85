"""Tables and figures of all analyses for one results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.reports.analyses.analysis import Analysis
from planktonbench.reports.analyses.catalogue import ANALYSES, analysis_figures, analysis_tables
from planktonbench.reports.figures.style import style
from planktonbench.reports.results.run_table import KEYS, REASON
from planktonbench.reports.results.section import of_section, sections_of
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.section import Section

NDSB = {"acantharia_protist": 30, "acantharia_protist_halo": 15, "amphipods": 15, "artifacts": 15}


@pytest.fixture
def sections(tmp_path: Path, add_run: Callable[..., Path]) -> list[Section]:
    """Two data sets; the second has two tracks with two seeds each, and one that stored labels only."""
    add_run(tmp_path, samples=0)
    for seed in (0, 1):
        add_run(tmp_path, "best", dataset="ndsb", taxa=NDSB, seed=seed, wrong=1)
        add_run(tmp_path, "worse", dataset="ndsb", taxa=NDSB, seed=seed, wrong=9)
    path = add_run(tmp_path, "labels", dataset="ndsb", taxa=NDSB, wrong=12) / "predictions.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)
    return sections_of(read_runs(tmp_path))


def test_each_run_is_in_each_table(sections: list[Section]) -> None:
    """With values or the reason why there are none; each analysis has a title and a description."""
    runs = [run for section in sections for run in section.runs]
    tables = analysis_tables(runs)
    keys = [[run.card.flat()[name] for name in KEYS] for run in runs]

    assert list(tables) == [analysis.file for analysis in ANALYSES if analysis.file]
    assert len(tables["effort.csv"])
    for table in filter(len, tables.values()):  # the others do not concern these runs
        assert table[list(KEYS)].drop_duplicates().to_numpy().tolist() == keys
        assert table.columns[-1] == REASON
        empty = table.drop(columns=[*KEYS, REASON]).isna().all(axis="columns")
        assert (table.loc[empty, REASON] != "").all()
    assert all(analysis.title and analysis.description.endswith(".") for analysis in ANALYSES)


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda analysis: analysis.title)
def test_tables_and_figures_have_file_names(analysis: Analysis) -> None:
    """An analysis has a file name for a table or figure if and only if it makes one; names are unique."""
    kind = type(analysis)

    assert bool(analysis.file) is (kind.table is not Analysis.table)
    assert bool(analysis.figure) is (kind.draw is not Analysis.draw)
    assert bool(analysis.files_description) is (kind.files is not Analysis.files)
    for name in filter(None, (analysis.file, analysis.figure, analysis.anchor)):
        assert sum(name in {other.file, other.figure, other.anchor} for other in ANALYSES) == 1


def test_rows_of_a_section_are_selected(sections: list[Section]) -> None:
    """They are those of its data set and splits."""
    runs = [run for section in sections for run in section.runs]
    table = analysis_tables(runs)["error-variance.csv"]

    assert [len(of_section(table, section)) for section in sections] == [1, 5]


def test_figures_are_drawn_for_available_values(sections: list[Section]) -> None:
    """Each track with scores has a line; without lineages there are no ranks to draw."""
    tables = analysis_tables([run for section in sections for run in section.runs])
    with style():
        lake, ndsb = (analysis_figures(section, tables) for section in sections)

    assert lake["ranks"] is None
    assert lake["effort"] is not None
    expected = {
        "ranks": ["best", "worse", "labels"],
        "reliability": ["best", "worse"],
        "effort": ["best", "worse"],
        "abundance": ["plain", "adjusted"],
    }
    drawn = {name: figure for name, figure in ndsb.items() if figure is not None and name in expected}

    assert expected == {
        name: [text.get_text() for text in figure.axes[0].get_legend().get_texts()] for name, figure in drawn.items()
    }


def test_ranks_figure_agrees_with_its_table(sections: list[Section]) -> None:
    """It shows means over runs, from the root to the taxa."""
    tables = analysis_tables(sections[1].runs)
    figure = analysis_figures(sections[1], tables)["ranks"]
    rows = tables["ranks.csv"]
    best = rows[rows["track"] == "best"].groupby("rank", sort=False)["macro_f1"].mean()

    assert figure is not None
    assert list(figure.axes[0].lines[0].get_ydata()) == pytest.approx(best.tolist())
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["1\n3", "group\n3", "taxon\n4"]


def test_section_without_a_finished_run_has_no_figures(make_section: Callable[..., Section]) -> None:
    """There is nothing to draw."""
    section = make_section({"status": "failed", "reason": "oh"})

    assert analysis_figures(section, analysis_tables(section.runs)) == {}
