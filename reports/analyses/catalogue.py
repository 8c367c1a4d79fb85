"""Catalogue of the analyses in the report, in page order, with all that they contribute to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ..results.section import of_section
from ..tasks.catalogue import TASKS
from .abundance import CountsBySample, CountsByTaxon
from .analysis import TRACK
from .calibration import ConfidenceAndAccuracy, ScoresAsProbabilities
from .confusion_threshold import ConfusionThreshold
from .error_variance import EvennessOfErrors
from .low_shot import LowShotClasses
from .low_shot_errors import BaseAsLowShot
from .low_shot_findings import LowShotFindings
from .plankton import PlanktonOnly
from .sorting_effort import SortingEffort
from .sub_classes import SubClasses
from .sub_classes_findings import SubClassesFindings
from .sub_classes_found import SubClassesFound
from .suspected_label_errors import SuspectedLabelErrors
from .task_scores import TaskScores
from .taxonomic_ranks import TaxonomicRanks
from .trials import Trials
from .withheld_classes import WithheldClasses

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from .analysis import Analysis, CaptionedPicture, PictureGroup, SectionFile

ANALYSES: tuple[Analysis, ...] = (
    LowShotClasses(),
    BaseAsLowShot(),
    LowShotFindings(),
    SubClasses(),
    SubClassesFound(),
    ConfusionThreshold(),
    SubClassesFindings(),
    SuspectedLabelErrors(),
    WithheldClasses(),
    *(TaskScores(task) for task in TASKS if task.measures),
    TaxonomicRanks(),
    PlanktonOnly(),
    CountsBySample(),
    CountsByTaxon(),
    ScoresAsProbabilities(),
    ConfidenceAndAccuracy(),
    SortingEffort(),
    EvennessOfErrors(),
    Trials(),
)


@dataclass(frozen=True)
class AnalysisSummary:
    """An analysis on the page of a section.

    Attributes:
        title: heading.
        description: one or two sentences on the content.
        anchor: anchor of its own section of the page; empty if it is one of "Further analyses".
        file: file name of the full table; empty if there is none.
        columns: column names of the table on the page, without the first.
        rows: name and values of each row, such as a finished track; numbers are shown with three decimals, text as it
            is.
        figure: name of the figure; empty if there is none.
        remarks: further sentences, such as why values are missing.
        pictures: pictures with their captions.
        files: further files of the section.
        files_description: content of the further files.
        row_title: heading of the first column of the table on the page.
        picture_groups: groups of strips of pictures.

    """

    title: str
    description: str
    anchor: str = ""
    file: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, list[float | str]]] = field(default_factory=list)
    figure: str = ""
    remarks: list[str] = field(default_factory=list)
    pictures: list[CaptionedPicture] = field(default_factory=list)
    files: list[SectionFile] = field(default_factory=list)
    files_description: str = ""
    row_title: str = TRACK
    picture_groups: list[PictureGroup] = field(default_factory=list)


def analysis_tables(runs: Sequence[StoredRun]) -> dict[str, pd.DataFrame]:
    """Compute the tables of all analyses, by file name; those without rows are not written."""
    return {analysis.file: analysis.table(runs) for analysis in ANALYSES if analysis.file}


def analysis_figures(section: Section, tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure | None]:
    """Draw the figures of a section, by file name without suffix; None if there is nothing to draw.

    Args:
        section: the results.
        tables: from `analysis_tables`; they may include other runs.

    """
    return {
        analysis.figure: analysis.draw(section, rows)
        for analysis, rows in _applicable(section, tables)
        if analysis.figure
    }


def analysis_summaries(
    section: Section, tables: Mapping[str, pd.DataFrame], figures: Collection[str], with_best: Collection[str]
) -> list[AnalysisSummary]:
    """Return the analyses for the page of a section, without those that do not apply or have a table without rows.

    Args:
        section: the results.
        tables: from `analysis_tables`; they may include other runs.
        figures: names of the figures drawn for the section.
        with_best: compared tracks that are not distinguishable from the best one.

    """
    return [
        _analysis_summary(section, analysis, rows, figures, with_best)
        for analysis, rows in _applicable(section, tables)
    ]


def objects_shown(section: Section) -> set[str]:
    """Return the ids of the objects whose images the page shows."""
    applicable = [analysis for analysis in ANALYSES if analysis.applies(section)]
    single = {picture.object_id for analysis in applicable for picture in analysis.pictures(section)}
    groups = [group for analysis in applicable for group in analysis.picture_groups(section)]
    return single.union(*(group.object_ids for group in groups))


def _applicable(section: Section, tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[Analysis, pd.DataFrame]]:
    """Yield the analyses that apply to a section, with its rows of their tables, unless a table has none."""
    for analysis in ANALYSES:
        if analysis.applies(section):
            rows = of_section(tables[analysis.file], section) if analysis.file else pd.DataFrame()
            if len(rows) or not analysis.file:
                yield analysis, rows


def _analysis_summary(
    section: Section,
    analysis: Analysis,
    rows: pd.DataFrame,
    figures: Collection[str],
    with_best: Collection[str],
) -> AnalysisSummary:
    means = analysis.summary(rows).dropna(how="all")
    if analysis.row_title == TRACK:
        means = means.loc[[track.name for track in section.done if track.name in means.index]]
    return AnalysisSummary(
        title=analysis.title,
        description=analysis.description.format(best=section.tracks[0].name),
        anchor=analysis.anchor,
        file=analysis.file,
        row_title=analysis.row_title,
        columns=[str(name) for name in means.columns],
        rows=list(zip(means.index.astype(str), means.to_numpy().tolist(), strict=True)),
        figure=analysis.figure if analysis.figure in figures else "",
        remarks=analysis.remarks(section, rows),
        pictures=analysis.pictures(section),
        picture_groups=analysis.picture_groups(section),
        files=analysis.files(section, with_best),
        files_description=analysis.files_description,
    )
