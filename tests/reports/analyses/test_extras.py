"""What ecologists ask, on the page of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.reports.analyses.abundance import ABUNDANCE
from planktonbench.reports.analyses.calibration import CALIBRATION
from planktonbench.reports.analyses.catalogue import ANALYSES, AnalysisSummary, analysis_summaries, analysis_tables
from planktonbench.reports.analyses.sorting_effort import EFFORT
from planktonbench.reports.analyses.taxonomic_ranks import RANKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


@pytest.fixture
def section(make_section: Callable[..., Section]) -> Section:
    """A track over two seeds and a worse one."""
    return make_section({"wrong": 1}, {"wrong": 5, "seed": 1}, {"track": "fair", "wrong": 9})


@pytest.fixture
def parts(section: Section) -> dict[str, AnalysisSummary]:
    """The parts of the page by their table."""
    return {summary.file: summary for summary in analysis_summaries(section, analysis_tables(section.runs), {"effort"})}


def test_each_table_has_its_part(parts: dict[str, AnalysisSummary]) -> None:
    """In their order, with title and words; a figure that was not drawn is not shown."""
    assert list(parts) == [table.file for table in ANALYSES]
    assert all(summary.description and summary.title for summary in parts.values())
    assert [name for name, summary in parts.items() if summary.figure] == [EFFORT]


def test_numbers_are_means_over_runs_best_track_first(section: Section, parts: dict[str, AnalysisSummary]) -> None:
    """One row for each finished track."""
    table = analysis_tables(section.runs)[CALIBRATION]
    summary = parts[CALIBRATION]
    expected = table.groupby("track")["ece"].mean()

    assert [name for name, _ in summary.rows] == ["good", "fair"]
    assert summary.columns[0] == "calibration error"
    for name, numbers in summary.rows:
        assert numbers[0] == pytest.approx(expected[name])


def test_counts_over_all_objects_are_shown(section: Section, parts: dict[str, AnalysisSummary]) -> None:
    """Plain and adjusted; single samples are left to the table."""
    table = analysis_tables(section.runs)[ABUNDANCE]
    of_all = table[(table["sample"].fillna("") == "") & (table["track"] == "fair")].set_index("estimator")[
        "bray_curtis"
    ]
    summary = parts[ABUNDANCE]

    assert summary.columns == ["Bray–Curtis, plain counts", "Bray–Curtis, adjusted counts"]
    assert dict(summary.rows)["fair"] == pytest.approx([of_all["plain"], of_all["adjusted"]])


def test_what_is_missing_says_why(parts: dict[str, AnalysisSummary]) -> None:
    """Without lineages there are no ranks, and the reason stands there."""
    assert parts[RANKS].rows == []
    assert any("lineage" in reason for reason in parts[RANKS].reasons)


def test_without_a_finished_run_there_is_no_part(make_section: Callable[..., Section]) -> None:
    """Nothing can be read off predictions that are not there."""
    section = make_section({"status": "failed", "reason": "oh"})

    assert analysis_summaries(section, {table.file: pd.DataFrame() for table in ANALYSES}, set()) == []
