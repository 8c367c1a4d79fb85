"""Write what a results folder shows: scores.csv, the report's pages, their figures and tables."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import whole_folder, write_whole
from ...data_manifests.files.tables import read_table
from ..analyses.catalogue import analysis_tables
from ..analyses.confident_errors import SHOWN, suspected_label_errors
from ..analyses.duplicates import keep_duplicates
from ..analyses.report_warnings import WARNINGS, warnings_table
from ..comparisons.fusion_gain import FUSION, fusion_table
from ..comparisons.leaderboard import COMPARISONS, leaderboard_tables
from ..comparisons.over_datasets import OVER_DATASETS, in_words, over_datasets
from ..figures.forest_chart import forest_chart, forest_rows
from ..figures.interactive import as_json
from ..pictures.confusion_cells import cell_objects, cell_pictures_of
from ..pictures.examples import keep_examples
from ..results.section import Section, sections_of
from ..results.stored_run import read_runs, scores_table
from ..run_files.run_folder import SCORES
from .page import OverDatasets, Shown, render_dataset, render_overview, render_warnings
from .section_files import ASSETS, FIGURES, TABLES, SectionFiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ...data_manifests.dataset import Dataset

REPORT = "report"


def write_results(out: Path, datasets: Sequence[Dataset] = ()) -> pd.DataFrame:
    """Score all stored runs and write scores.csv and the report, from predictions, truth and cards alone.

    Args:
        out: the results folder.
        datasets: opened data sets, of which small copies of the images that the report shows are kept in the folder;
            of others it shows those that were kept before.

    Returns:
        The table of scores.csv.

    Raises:
        DataError: the folder holds no runs, or a file of it cannot be read.

    """
    runs = read_runs(out)
    table = scores_table(runs)
    write_whole(out / SCORES, lambda part: table.to_csv(part, index=False))
    sections = sections_of(runs)
    for dataset in datasets:
        keep_examples(out, sections, dataset)
        keep_duplicates(out, dataset)
        cell_pictures_of(out, dataset.name).keep(
            dataset, _clickable([one for one in sections if one.dataset == dataset.name])
        )
    _write_report(out, sections)
    return table


def stored_warnings(out: Path) -> pd.DataFrame:
    """Return the cautions of a results folder's report, as `warnings_table`; no rows when there are none."""
    path = out / REPORT / TABLES / WARNINGS
    return read_table(path, DataError) if path.is_file() else warnings_table([])


def _clickable(sections: list[Section]) -> set[str]:
    """Return the objects that the pages show on demand, and the most confident errors."""
    found = {one for section in sections for one in cell_objects(section)["object_id"]}
    for section in sections:
        surest = suspected_label_errors(section.done[0], SHOWN) if section.done else None
        found |= set() if surest is None else set(surest["object_id"])
    return found


def _write_report(out: Path, sections: list[Section]) -> None:
    """Write the report beside the old one, then put it in its place."""
    with whole_folder(out / REPORT, durable=False) as part:
        for folder in (FIGURES, TABLES, ASSETS):
            (part / folder).mkdir()
        tables = _common_tables(sections)
        shown = [SectionFiles(section, prefix, out, part, tables).write() for section, prefix in _prefixes(sections)]
        tables[OVER_DATASETS] = over_datasets(tables[COMPARISONS])
        tables[WARNINGS] = warnings_table([(one.section, one.warnings) for one in shown])
        for name, table in tables.items():
            if len(table):
                table.to_csv(part / TABLES / name, index=False)
        _write_pages(shown, part, _over(tables))
        _write_assets(part / ASSETS)


def _common_tables(sections: list[Section]) -> dict[str, pd.DataFrame]:
    """Return the tables over all runs, by file name; one without rows has no file."""
    runs = [run for section in sections for run in section.runs]
    return {FUSION: fusion_table(runs), **leaderboard_tables(sections), **analysis_tables(runs)}


def _over(tables: dict[str, pd.DataFrame]) -> OverDatasets | None:
    """Return what the comparisons say over data sets; None when no pair of tracks was run on two."""
    pairs = tables[OVER_DATASETS]
    if not len(pairs):
        return None
    chart = forest_chart(forest_rows(tables[COMPARISONS], pairs))
    return OverDatasets(in_words(pairs), as_json(chart))


def _write_pages(shown: list[Shown], part: Path, over: OverDatasets | None) -> None:
    pages = {one.file_name: render_dataset(one) for one in shown}
    pages |= {"index.html": render_overview(shown, over), "warnings.html": render_warnings(shown)}
    for name, page in pages.items():
        (part / name).write_text(page, encoding="utf-8")


def _write_assets(folder: Path) -> None:
    """Put the style, our script, and Plotly's (MIT licence, its head says so) beside the pages."""
    from plotly.offline import get_plotlyjs

    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    for name in ("report.css", "report.js"):
        source = resources.files(__package__) / "templates" / name
        (folder / name).write_bytes(source.read_bytes())


def _prefixes(sections: list[Section]) -> list[tuple[Section, str]]:
    """Name each section's files by its data set, and by its split too when the data set has several."""
    names = [section.dataset for section in sections]
    return [
        (section, section.dataset if names.count(section.dataset) == 1 else f"{section.dataset}-{section.split}")
        for section in sections
    ]
