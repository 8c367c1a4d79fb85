"""Catalogue of the analyses in the report, in page order, with their tables, figures and summaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ..results.run_table import why_missing
from ..results.section import of_section
from .abundance import COUNTS_BY_SAMPLE, COUNTS_BY_TAXON
from .calibration import CONFIDENCE_AND_ACCURACY, SCORES_AS_PROBABILITIES
from .error_variance import EVENNESS_OF_ERRORS
from .plankton import PLANKTON_ONLY
from .sorting_effort import SORTING_EFFORT
from .taxonomic_ranks import TAXONOMIC_RANKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from .analysis import Analysis

ANALYSES = (
    TAXONOMIC_RANKS,
    PLANKTON_ONLY,
    COUNTS_BY_SAMPLE,
    COUNTS_BY_TAXON,
    SCORES_AS_PROBABILITIES,
    CONFIDENCE_AND_ACCURACY,
    SORTING_EFFORT,
    EVENNESS_OF_ERRORS,
)


@dataclass(frozen=True)
class AnalysisSummary:
    """Summary of an analysis on the page of a section.

    Attributes:
        title: heading.
        description: one or two sentences on the content.
        file: file name of the full table.
        columns: column names of the table on the page.
        rows: name and values of each finished track.
        figure: name of the figure; empty if there is none.
        reasons: sentences that explain missing values.

    """

    title: str
    description: str
    file: str
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[float]]] = field(default_factory=list)
    figure: str = ""
    reasons: list[str] = field(default_factory=list)


def analysis_tables(runs: Sequence[StoredRun]) -> dict[str, pd.DataFrame]:
    """Compute the tables of all analyses, by file name."""
    return {analysis.file: analysis.table(runs) for analysis in ANALYSES}


def analysis_figures(section: Section, tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure | None]:
    """Draw the figures of a section, by file name without suffix; None if there is nothing to draw.

    Args:
        section: the results.
        tables: from `analysis_tables`; they may include other runs.

    """
    drawn = {analysis.figure: (analysis.draw, tables[analysis.file]) for analysis in ANALYSES}
    return {name: draw(section, of_section(table, section)) for name, (draw, table) in drawn.items() if draw}


def analysis_summaries(
    section: Section, tables: Mapping[str, pd.DataFrame], figures: Collection[str]
) -> list[AnalysisSummary]:
    """Return the summaries of all analyses for the page of a section; none if it has no finished run.

    Args:
        section: the results.
        tables: from `analysis_tables`; they may include other runs.
        figures: names of the figures drawn for the section.

    """
    if not section.done:
        return []
    return [
        _analysis_summary(section, analysis, of_section(tables[analysis.file], section), figures)
        for analysis in ANALYSES
    ]


def _analysis_summary(
    section: Section, analysis: Analysis, rows: pd.DataFrame, figures: Collection[str]
) -> AnalysisSummary:
    means = (analysis.summary(rows) if analysis.summary else pd.DataFrame()).dropna(how="all")
    names = [track.name for track in section.done if track.name in means.index]
    return AnalysisSummary(
        title=analysis.title,
        description=analysis.description,
        file=analysis.file,
        columns=[str(name) for name in means.columns],
        rows=list(zip(names, means.loc[names].to_numpy(float).tolist(), strict=True)),
        figure=analysis.figure if analysis.figure in figures else "",
        reasons=why_missing(rows),
    )
