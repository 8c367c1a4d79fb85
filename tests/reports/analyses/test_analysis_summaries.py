"""Summaries of the analyses on the page of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.reports.analyses import catalogue
from planktonbench.reports.analyses.analysis import Analysis
from planktonbench.reports.analyses.catalogue import (
    ANALYSES,
    AnalysisSummary,
    analysis_figures,
    analysis_summaries,
    analysis_tables,
    objects_shown,
)
from planktonbench.reports.results.run_table import run_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from planktonbench.reports.results.section import Section
    from planktonbench.reports.results.stored_run import StoredRun


@pytest.fixture
def section(make_section: Callable[..., Section]) -> Section:
    """A track with two seeds, and a worse track."""
    return make_section({"wrong": 1}, {"wrong": 5, "seed": 1}, {"track": "fair", "wrong": 9})


@pytest.fixture
def summaries(section: Section) -> dict[str, AnalysisSummary]:
    """The summaries by title; only the figure `effort` was drawn."""
    found = analysis_summaries(section, analysis_tables(section.runs), {"effort"}, {})
    return {summary.title: summary for summary in found}


def test_each_analysis_has_a_summary(section: Section, summaries: dict[str, AnalysisSummary]) -> None:
    """In page order, with title and description; figures that were not drawn are not shown."""
    assert list(summaries) == [analysis.title for analysis in ANALYSES if analysis.applies(section)]
    assert "Suspected label errors" in summaries
    assert all(summary.description.endswith(".") for summary in summaries.values())
    assert [name for name, summary in summaries.items() if summary.figure] == ["Manual sorting saved"]


def test_values_are_means_over_runs_with_best_track_first(
    section: Section, summaries: dict[str, AnalysisSummary]
) -> None:
    """One row for each finished track."""
    table = analysis_tables(section.runs)["calibration.csv"]
    summary = summaries["Scores as probabilities"]
    expected = table.groupby("track")[["ece", "ece_lo", "ece_hi"]].mean()

    assert [name for name, _ in summary.rows] == ["good", "fair"]
    assert summary.columns[0] == "calibration error"
    for name, values in summary.rows:
        assert values[0] == "{:.3f} [{:.3f}, {:.3f}]".format(*expected.loc[name])


def test_counts_over_all_objects_are_shown(section: Section, summaries: dict[str, AnalysisSummary]) -> None:
    """Plain and adjusted; individual samples are only in the table."""
    table = analysis_tables(section.runs)["abundance.csv"]
    over_all_samples = (
        table[(table["sample"].fillna("") == "") & (table["track"] == "fair")]
        .set_index("estimator")["bray_curtis"]
        .map("{:.3f} [".format)
    )
    summary = summaries["Counts by sample"]

    assert summary.columns == ["Bray–Curtis, plain counts", "Bray–Curtis, adjusted counts"]
    for value, name in zip(dict(summary.rows)["fair"], ("plain", "adjusted"), strict=True):
        assert value.startswith(over_all_samples[name])


def test_missing_values_have_a_reason(summaries: dict[str, AnalysisSummary]) -> None:
    """Without lineages there are no ranks, and the reason is given."""
    ranks = summaries["Scores by taxonomic rank"]

    assert ranks.rows == []
    assert ranks.remarks == ["Not available: lake: neither the manifest nor the truth of lake has lineages."]


def test_images_of_all_pictures_are_requested(section: Section, summaries: dict[str, AnalysisSummary]) -> None:
    """They are stored while the data set is open."""
    pictures = summaries["Suspected label errors"].pictures

    assert pictures
    assert objects_shown(section) == {picture.object_id for picture in pictures}


def test_section_without_a_finished_run_has_no_summaries(make_section: Callable[..., Section]) -> None:
    """There are no predictions to analyse."""
    section = make_section({"status": "failed", "reason": "oh"})

    assert analysis_summaries(section, analysis_tables(section.runs), set(), {}) == []
    assert objects_shown(section) == set()


class FairOnly(Analysis):
    """An analysis that concerns a single track."""

    file = "fair.csv"
    title = "Fair only"
    description = "Number of test objects of the fair track."
    figure = "fair"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return rows for runs of the fair track only."""
        fair = [run for run in runs if run.card.track.name == "fair"]
        return run_table(fair, ["n_objects"], lambda run: [{"n_objects": run.card.split.n_test}])

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the number of test objects, of at least one track."""
        assert len(rows)
        return rows.groupby("track")[["n_objects"]].mean()

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:
        """Draw nothing, for at least one track."""
        assert section.done
        assert len(rows)
        return None


@pytest.mark.parametrize(("track", "titles"), [("fair", ["Fair only"]), ("other", [])])
def test_analysis_without_rows_of_a_section_is_not_mentioned(
    make_section: Callable[..., Section], monkeypatch: pytest.MonkeyPatch, track: str, titles: list[str]
) -> None:
    """Its table is empty; there is nothing to summarise or to draw."""
    monkeypatch.setattr(catalogue, "ANALYSES", (FairOnly(),))
    section = make_section({"track": track})
    tables = analysis_tables(section.runs)

    assert list(analysis_figures(section, tables)) == ["fair"] * len(titles)
    assert [summary.title for summary in analysis_summaries(section, tables, set(), {})] == titles


def test_analysis_that_does_not_apply_is_not_mentioned(
    make_section: Callable[..., Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its table has rows of the section."""
    monkeypatch.setattr(catalogue, "ANALYSES", (FairOnly(),))
    monkeypatch.setattr(FairOnly, "applies", lambda *_: False)
    section = make_section({"track": "fair"})
    tables = analysis_tables(section.runs)

    assert len(tables["fair.csv"]) == 1
    assert analysis_figures(section, tables) == {}
    assert analysis_summaries(section, tables, set(), {}) == []
