"""All analyses of the report, in the order of the page, and what the page shows of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ..results.run_table import why_missing
from ..results.section import of_section
from .abundance import COUNTS_BY_SAMPLE, COUNTS_BY_TAXON
from .calibration import CONFIDENCE_AND_ACCURACY, SCORES_AS_PROBABILITIES
from .error_variance import EVENNESS_OF_ERRORS
from .plankton import PLANKTON_ALONE
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
    PLANKTON_ALONE,
    COUNTS_BY_SAMPLE,
    COUNTS_BY_TAXON,
    SCORES_AS_PROBABILITIES,
    CONFIDENCE_AND_ACCURACY,
    SORTING_EFFORT,
    EVENNESS_OF_ERRORS,
)


@dataclass(frozen=True)
class AnalysisSummary:
    """What the page of a section shows of an analysis.

    Attributes:
        title: its heading.
        description: what it shows, in a sentence or two.
        file: the table that holds all of it.
        columns: heads of the table on the page.
        rows: name of a track, then numbers; one row for each finished track.
        figure: name of its figure; empty when there is none.
        reasons: whose numbers are missing and why, in sentences.

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
    """Draw the figures of a section, by file name without suffix; None where its runs give nothing to draw.

    Args:
        section: the results.
        tables: from `analysis_tables`, of these runs and perhaps others.

    """
    drawn = {analysis.figure: (analysis.draw, tables[analysis.file]) for analysis in ANALYSES}
    return {name: draw(section, of_section(table, section)) for name, (draw, table) in drawn.items() if draw}


def analysis_summaries(
    section: Section, tables: Mapping[str, pd.DataFrame], figures: Collection[str]
) -> list[AnalysisSummary]:
    """Return what the page of a section shows of each analysis; nothing for a section without a finished run.

    Args:
        section: the results.
        tables: from `analysis_tables`, of these runs and perhaps others.
        figures: names of the figures that were drawn of the section.

    """
    if not section.done:
        return []
    return [_summary(section, one, of_section(tables[one.file], section), figures) for one in ANALYSES]


def _summary(section: Section, analysis: Analysis, rows: pd.DataFrame, figures: Collection[str]) -> AnalysisSummary:
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
