"""Write what a results folder shows: scores.csv, the report's pages, their figures and tables."""

from __future__ import annotations

import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..data_manifests.prepared import write_whole
from . import figures
from .cautions import CAUTIONS, cautions_of, cautions_table
from .cells import cell_objects, cell_pictures_of, keep_cell_pictures
from .charts import as_json, confusion, cost, difference, tracks
from .class_size_chart import by_class_size
from .copies import copies_of, keep_copies
from .examples import examples_of, keep_examples
from .explorer import Explorer
from .exports import board, write_board
from .fusion import FUSION, fusion_table, in_words
from .outlines import outlines_of
from .page import Shown, render_dataset, render_overview, render_warnings
from .results import SCORES, read_runs, scores_table
from .sections import Section, sections_of
from .stack_figure import stack_figure, stacks_of
from .suspects import SHOWN, Suspect, suspects, write_for_ecotaxa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ..data_manifests.dataset import Dataset
    from .cells import CellPictures
    from .kept_pictures import KeptPictures

REPORT = "report"
FIGURES, TABLES, ASSETS = "figures", "tables", "assets"
DOTS_PER_INCH = 130


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
        keep_copies(out, dataset)
        keep_cell_pictures(out, dataset, _clickable([one for one in sections if one.dataset == dataset.name]))
    _write_report(out, sections)
    return table


def _clickable(sections: list[Section]) -> set[str]:
    """Return the objects that the pages show on demand, and the most confident errors."""
    found = {one for section in sections for one in cell_objects(section)["object_id"]}
    for section in sections:
        surest = suspects(section.done[0], SHOWN) if section.done else None
        found |= set() if surest is None else set(surest["object_id"])
    return found


def _write_report(out: Path, sections: list[Section]) -> None:
    """Write the report beside the old one, then put it in its place."""
    part = out / f".{REPORT}.part"
    shutil.rmtree(part, ignore_errors=True)
    for folder in (FIGURES, TABLES, ASSETS):
        (part / folder).mkdir(parents=True)
    try:
        fusions = fusion_table([run for section in sections for run in section.runs])
        if len(fusions):
            fusions.to_csv(part / TABLES / FUSION, index=False)
        shown = [_shown(out, section, prefix, part, fusions) for section, prefix in _prefixes(sections)]
        cautions_table([(one.section, one.cautions) for one in shown]).to_csv(part / TABLES / CAUTIONS, index=False)
        _write_pages(shown, part)
        _write_assets(part / ASSETS)
        shutil.rmtree(out / REPORT, ignore_errors=True)
        part.rename(out / REPORT)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_pages(shown: list[Shown], part: Path) -> None:
    pages = {one.file_name: render_dataset(one) for one in shown}
    pages |= {"index.html": render_overview(shown), "warnings.html": render_warnings(shown)}
    for name, page in pages.items():
        (part / name).write_text(page, encoding="utf-8")


def _write_assets(folder: Path) -> None:
    """Put the style, our script, and Plotly's (MIT licence, its head says so) beside the pages."""
    from plotly.offline import get_plotlyjs

    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    for name in ("report.css", "report.js"):
        source = resources.files(__package__) / "templates" / name
        (folder / name).write_bytes(source.read_bytes())


def _shown(out: Path, section: Section, prefix: str, part: Path, fusions: pd.DataFrame) -> Shown:
    """Write a section's tables, figures and pictures, and return what its page shows."""
    _tables(section, prefix, part / TABLES)
    groups: dict[str, int] = {}
    write_board(board(section, groups), part / TABLES, f"{prefix}-leaderboard")
    judged = fusions[(fusions["dataset"] == section.dataset) & fusions["split"].isin(section.splits)]
    pictures = cell_pictures_of(out, section.dataset)
    explorer = Explorer.of(section, pictures)
    images = f"{prefix}-pictures.js"
    stored = explorer.write_pictures(part / ASSETS / images)
    shown = Shown(
        section,
        prefix,
        _figures(section, prefix, part, stacks_of(out, section.dataset)),
        examples_of(out, section.dataset),
        outlines_of(out, section.dataset),
        fusions=in_words(judged),
        cautions=cautions_of(section, copies_of(out, section.dataset), judged),
        groups=groups,
        charts=_charts(section),
        matrix=explorer.to_json() | {"pictures": f"{ASSETS}/{quote(images)}" if stored else None},
        suspects=_surest(section, pictures),
        suspect_files=_suspect_files(section, prefix, part / TABLES),
    )
    (part / TABLES / f"{prefix}-methods.txt").write_text(f"{shown.methods.paragraph}\n", encoding="utf-8")
    (part / TABLES / f"{prefix}-references.bib").write_text(shown.methods.bibtex, encoding="utf-8")
    return shown


def _charts(section: Section) -> dict[str, dict[str, Any]]:
    """Return the charts of a section by name, as plain values for its page."""
    if not section.done:
        return {}
    drawn = {
        "tracks": tracks(section),
        "cost": cost(section),
        "by-class-size": by_class_size(section),
        "confusion": confusion(section),
        "difference": difference(section) if len(section.done) > 1 else None,
    }
    return {name: as_json(chart) for name, chart in drawn.items() if chart is not None}


def _surest(section: Section, pictures: CellPictures) -> list[Suspect] | None:
    """Return the most confident errors of the best track; None when it stored no scores."""
    table = suspects(section.done[0], SHOWN) if section.done else None
    if table is None:
        return None
    return [
        Suspect(object_id, taxon, called, score, pictures.address(object_id))
        for object_id, taxon, called, score in table.itertuples(index=False, name=None)
    ]


def _suspect_files(section: Section, prefix: str, folder: Path) -> list[str]:
    """Write the most confident errors of each track for EcoTaxa, and return the tracks that have some."""
    tables = {track.name: suspects(track) for track in section.done}
    found = {name: table for name, table in tables.items() if table is not None and len(table)}
    for name, table in found.items():
        write_for_ecotaxa(table, name, folder / f"{prefix}-{name}-suspects.tsv")
    return list(found)


def _prefixes(sections: list[Section]) -> list[tuple[Section, str]]:
    """Name each section's files by its data set, and by its split too when the data set has several."""
    names = [section.dataset for section in sections]
    return [
        (section, section.dataset if names.count(section.dataset) == 1 else f"{section.dataset}-{section.split}")
        for section in sections
    ]


def _figures(section: Section, prefix: str, part: Path, stacks: KeptPictures) -> dict[str, str]:
    """Save a section's figures as PNG; return the address of each from the pages, by name."""
    addresses = {}
    with figures.style():
        others = {"stacks": stack_figure(stacks)}
    for name, figure in figures.draw(section, others).items():
        path = f"{FIGURES}/{prefix}-{name}.png"
        with figures.style():
            figure.savefig(part / path, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight")
        addresses[name] = quote(path)
    return addresses


def _tables(section: Section, prefix: str, folder: Path) -> None:
    for track in section.done:
        track.confusion.to_csv(folder / f"{prefix}-{track.name}-confusion.csv")
        track.per_class.to_csv(folder / f"{prefix}-{track.name}-per-class.csv", index=False)
    if section.importance is not None:
        section.importance[1].to_csv(folder / f"{prefix}-importance.csv", index=False)
    if section.preparation is not None:
        section.preparation[1].to_csv(folder / f"{prefix}-native-columns.csv", index=False)
