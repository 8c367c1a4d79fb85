"""Scores and report of a results folder: scores.csv, pages, figures and tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from ...data_manifests.files.atomic_writes import atomic_folder, atomic_write
from ..analyses.catalogue import analysis_tables, objects_shown
from ..comparisons.fusion_gain import FUSION, fusion_table
from ..comparisons.leaderboard import COMPARISONS, LEADERBOARD, leaderboard_tables, leaderboards_of
from ..comparisons.over_datasets import OVER_DATASETS, in_words, over_datasets
from ..figures.forest_chart import forest_chart, forest_rows
from ..figures.interactive import as_json
from ..pictures.confusion_cells import cell_objects, cell_pictures_of
from ..pictures.examples import keep_examples
from ..results.incomplete import left_out
from ..results.looks import LOOKS, looks_table
from ..results.section import Section, sections_of
from ..results.stored_run import read_runs, scores_table
from ..run_files.run_folder import SCORES
from ..warnings.catalogue import WARNINGS, store_evidence, warnings_table
from .page import CrossDatasetComparison, SectionPage, render_dataset, render_overview, render_warnings
from .section_files import ASSETS, FIGURES, TABLES, SectionFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.dataset import Dataset
    from ..comparisons.leaderboard import Leaderboard

REPORT = "report"


@dataclass(frozen=True)
class Results:
    """Scores and tables of a results folder.

    Attributes:
        scores: the table of scores.csv, one row per run.
        tables: tables over all runs, by the name of their file in `report/tables`; those without rows have no file.
        left_out: what the report leaves out because runs lack stored content, in sentences.

    """

    scores: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    left_out: list[str] = field(default_factory=list)

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Tracks of each section with their letters and differences from the best."""
        return self.tables[LEADERBOARD]

    @property
    def warnings(self) -> pd.DataFrame:
        """Warnings of the report."""
        return self.tables[WARNINGS]


def write_results(out: Path, datasets: Sequence[Dataset] = ()) -> Results:
    """Score all stored runs and write scores.csv and the report, using only predictions, truth and cards.

    Args:
        out: the results folder.
        datasets: opened data sets; small copies of their images that the report shows are stored in the folder. For
            other data sets the report shows images that are already stored.

    Returns:
        Scores and tables, as written.

    Raises:
        DataError: the folder contains no runs, or one of its files cannot be read.

    """
    runs = read_runs(out)
    table = scores_table(runs)
    atomic_write(out / SCORES, lambda temporary: table.to_csv(temporary, index=False))
    leaderboards = leaderboards_of(sections_of(runs))
    sections = [one.section for one in leaderboards]
    for dataset in datasets:
        keep_examples(out, sections, dataset)
        store_evidence(out, dataset)
        cell_pictures_of(out, dataset.name).keep(
            dataset, _objects_on_demand([one for one in sections if one.dataset == dataset.name])
        )
    sentences = [f"{one.dataset} {one.split}: {text}" for one in sections for text in left_out(one)]
    return Results(table, _write_report(out, leaderboards), sentences)


def _objects_on_demand(sections: list[Section]) -> set[str]:
    """Return the objects whose images the pages show for cells of confusion matrices and in analyses."""
    in_cells = {one for section in sections for one in cell_objects(section)["object_id"]}
    return in_cells.union(*map(objects_shown, sections))


def _write_report(out: Path, leaderboards: list[Leaderboard]) -> dict[str, pd.DataFrame]:
    """Write the report to a temporary folder, which then replaces the old one; return its tables over all runs."""
    with atomic_folder(out / REPORT, durable=False) as report:
        for folder in (FIGURES, TABLES, ASSETS):
            (report / folder).mkdir()
        tables = _common_tables(leaderboards)
        pages = [SectionFiles(one, prefix, out, report, tables).write() for one, prefix in _prefixes(leaderboards)]
        tables[OVER_DATASETS] = over_datasets(tables[COMPARISONS], _manifests(one.section for one in leaderboards))
        tables[WARNINGS] = warnings_table([(page.section, page.warnings) for page in pages])
        _write_csv(tables, report)
        _write_pages(pages, report, _across_datasets(tables))
        _write_assets(report / ASSETS)
    return tables


def write_score_tables(out: Path, sections: list[Section], report: Path) -> None:
    """Write only those tables of a report that are computed from predictions, as for the report, without pages.

    Args:
        out: the results folder.
        sections: its sections.
        report: the folder of the report, which is created.

    """
    (report / TABLES).mkdir(parents=True)
    leaderboards = leaderboards_of(sections)
    tables = _common_tables(leaderboards)
    for one, prefix in _prefixes(leaderboards):
        SectionFiles(one, prefix, out, report, tables).write_tables()
    _write_csv(tables | {OVER_DATASETS: over_datasets(tables[COMPARISONS], _manifests(sections))}, report)


def _manifests(sections: Iterable[Section]) -> dict[str, str]:
    """Return the name of the manifest of each data set with another name than it."""
    cards = {section.dataset: section.runs[0].card for section in sections}
    return {name: card.data.manifest for name, card in cards.items() if card.data.manifest}


def _write_csv(tables: dict[str, pd.DataFrame], report: Path) -> None:
    """Write the tables with rows."""
    for name, table in tables.items():
        if len(table):
            table.to_csv(report / TABLES / name, index=False)


def _common_tables(leaderboards: list[Leaderboard]) -> dict[str, pd.DataFrame]:
    """Return the tables over all runs, by file name."""
    sections = [one.section for one in leaderboards]
    runs = [run for section in sections for run in section.runs]
    return {
        FUSION: fusion_table(leaderboards),
        LOOKS: looks_table(sections),
        **leaderboard_tables(leaderboards),
        **analysis_tables(runs),
    }


def _across_datasets(tables: dict[str, pd.DataFrame]) -> CrossDatasetComparison | None:
    """Return the comparison across data sets; None if no pair of tracks was run on at least two."""
    pairs = tables[OVER_DATASETS]
    if not len(pairs):
        return None
    chart = forest_chart(forest_rows(tables[COMPARISONS], pairs))
    return CrossDatasetComparison(in_words(pairs), as_json(chart))


def _write_pages(pages: list[SectionPage], report: Path, across: CrossDatasetComparison | None) -> None:
    rendered = {page.file_name: render_dataset(page) for page in pages}
    rendered |= {"index.html": render_overview(pages, across), "warnings.html": render_warnings(pages)}
    for name, text in rendered.items():
        (report / name).write_text(text, encoding="utf-8")


def _write_assets(folder: Path) -> None:
    """Copy the style sheet, the script of the report, and Plotly (MIT licence, stated in its header)."""
    from plotly.offline import get_plotlyjs

    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    for name in ("report.css", "report.js"):
        source = resources.files(__package__) / "templates" / name
        (folder / name).write_bytes(source.read_bytes())


def _prefixes(leaderboards: list[Leaderboard]) -> list[tuple[Leaderboard, str]]:
    """Return leaderboards with their file prefix: the data set, followed by the split if the data set has several."""
    sections = [one.section for one in leaderboards]
    names = [section.dataset for section in sections]
    return [
        (one, section.dataset if names.count(section.dataset) == 1 else f"{section.dataset}-{section.split}")
        for one, section in zip(leaderboards, sections, strict=True)
    ]
