"""Summaries of the analyses on the page of a data set."""

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
    """A track with two seeds, and a worse track."""
    return make_section({"wrong": 1}, {"wrong": 5, "seed": 1}, {"track": "fair", "wrong": 9})


@pytest.fixture
def summaries(section: Section) -> dict[str, AnalysisSummary]:
    """The summaries by file name of their table; only the figure `effort` was drawn."""
    return {summary.file: summary for summary in analysis_summaries(section, analysis_tables(section.runs), {"effort"})}


def test_each_analysis_has_a_summary(summaries: dict[str, AnalysisSummary]) -> None:
    """In page order, with title and description; figures that were not drawn are not shown."""
    assert list(summaries) == [analysis.file for analysis in ANALYSES]
    assert all(summary.description and summary.title for summary in summaries.values())
    assert [name for name, summary in summaries.items() if summary.figure] == [EFFORT]


def test_values_are_means_over_runs_with_best_track_first(
    section: Section, summaries: dict[str, AnalysisSummary]
) -> None:
    """One row for each finished track."""
    table = analysis_tables(section.runs)[CALIBRATION]
    summary = summaries[CALIBRATION]
    expected = table.groupby("track")["ece"].mean()

    assert [name for name, _ in summary.rows] == ["good", "fair"]
    assert summary.columns[0] == "calibration error"
    for name, values in summary.rows:
        assert values[0] == pytest.approx(expected[name])


def test_counts_over_all_objects_are_shown(section: Section, summaries: dict[str, AnalysisSummary]) -> None:
    """Plain and adjusted; individual samples are only in the table."""
    table = analysis_tables(section.runs)[ABUNDANCE]
    over_all_samples = table[(table["sample"].fillna("") == "") & (table["track"] == "fair")].set_index("estimator")[
        "bray_curtis"
    ]
    summary = summaries[ABUNDANCE]

    assert summary.columns == ["Bray–Curtis, plain counts", "Bray–Curtis, adjusted counts"]
    assert dict(summary.rows)["fair"] == pytest.approx([over_all_samples["plain"], over_all_samples["adjusted"]])


def test_missing_values_have_a_reason(summaries: dict[str, AnalysisSummary]) -> None:
    """Without lineages there are no ranks, and the reason is given."""
    assert summaries[RANKS].rows == []
    assert any("lineage" in reason for reason in summaries[RANKS].reasons)


def test_section_without_a_finished_run_has_no_summaries(make_section: Callable[..., Section]) -> None:
    """There are no predictions to analyse."""
    section = make_section({"status": "failed", "reason": "oh"})

    assert analysis_summaries(section, {analysis.file: pd.DataFrame() for analysis in ANALYSES}, set()) == []
