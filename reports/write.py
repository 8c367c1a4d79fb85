"""Write what a results folder shows: scores.csv, the report's page, its figures and tables."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

from ..data_manifests.prepared import write_whole
from . import figures
from .examples import examples_of, keep_examples, png_address
from .fusion import FUSION, fusion_table, in_words
from .outlines import outlines_of
from .page import Shown, render
from .results import SCORES, read_runs, scores_table
from .sections import Section, sections_of
from .stack_figure import stack_figure, stacks_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from ..data_manifests.dataset import Dataset
    from .kept_pictures import KeptPictures

REPORT = "report"
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
    _write_report(out, sections)
    return table


def _write_report(out: Path, sections: list[Section]) -> None:
    """Write the report beside the old one, then put it in its place."""
    part = out / f".{REPORT}.part"
    shutil.rmtree(part, ignore_errors=True)
    (part / "figures").mkdir(parents=True)
    (part / "tables").mkdir()
    try:
        shown = []
        fusions = fusion_table([run for section in sections for run in section.runs])
        if len(fusions):
            fusions.to_csv(part / "tables" / FUSION, index=False)
        for section, prefix in _prefixes(sections):
            _tables(section, prefix, part / "tables")
            pictures = examples_of(out, section.dataset), outlines_of(out, section.dataset)
            judged = fusions[(fusions["dataset"] == section.dataset) & fusions["split"].isin(section.splits)]
            addresses = _figures(section, prefix, part, stacks_of(out, section.dataset))
            shown.append(Shown(section, addresses, *pictures, in_words(judged)))
        (part / "index.html").write_text(render(shown), encoding="utf-8")
        shutil.rmtree(out / REPORT, ignore_errors=True)
        part.rename(out / REPORT)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _prefixes(sections: list[Section]) -> list[tuple[Section, str]]:
    """Name each section's files by its data set, and by its split too when the data set has several."""
    names = [section.dataset for section in sections]
    return [
        (section, section.dataset if names.count(section.dataset) == 1 else f"{section.dataset}-{section.split}")
        for section in sections
    ]


def _figures(section: Section, prefix: str, part: Path, stacks: KeptPictures) -> dict[str, str]:
    """Save a section's figures as PNG; return each as the text of a data address, by name."""
    addresses = {}
    with figures.style():
        others = {"stacks": stack_figure(stacks)}
    for name, figure in figures.draw(section, others).items():
        content = io.BytesIO()
        with figures.style():
            figure.savefig(content, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight")
        (part / "figures" / f"{prefix}-{name}.png").write_bytes(content.getvalue())
        addresses[name] = png_address(content.getvalue())
    return addresses


def _tables(section: Section, prefix: str, folder: Path) -> None:
    for track in section.done:
        track.confusion.to_csv(folder / f"{prefix}-{track.name}-confusion.csv")
        track.per_class.to_csv(folder / f"{prefix}-{track.name}-per-class.csv", index=False)
    if section.importance is not None:
        section.importance[1].to_csv(folder / f"{prefix}-importance.csv", index=False)
    if section.preparation is not None:
        section.preparation[1].to_csv(folder / f"{prefix}-native-columns.csv", index=False)
