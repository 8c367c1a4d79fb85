"""Files of one section: tables, figures and pictures, and the contents of its page."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..analyses.catalogue import analysis_figures, analysis_summaries
from ..comparisons.fusion_gain import FUSION
from ..comparisons.fusion_gain import in_words as fusions_in_words
from ..comparisons.leaderboard import LEADERBOARD
from ..comparisons.leaderboard import in_words as standing_in_words
from ..figures import section_figures as figures
from ..figures.class_size_chart import by_class_size
from ..figures.interactive import as_json, confusion, cost, difference, tracks
from ..figures.style import style
from ..pictures.confusion_cells import cell_pictures_of
from ..pictures.examples import examples_of
from ..pictures.network_inputs import NETWORK_INPUTS, network_inputs_figure, network_inputs_of
from ..pictures.segmentation_outlines import outlines_of
from ..results.incomplete import left_out
from ..results.section import of_section
from ..warnings.catalogue import warnings_of
from .explorer import Explorer
from .leaderboard_export import leaderboard, write_leaderboard
from .page import SectionPage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from ..comparisons.leaderboard import Leaderboard, Standing
    from ..pictures.kept_pictures import ImageCopies
    from ..results.section import Section

FIGURES, TABLES, ASSETS = "figures", "tables", "assets"
DOTS_PER_INCH = 130
LARGEST_SIDE = 3000  # pixels; the confusion matrix of a hundred classes has more at full resolution


@dataclass(frozen=True)
class SectionFiles:
    """One section of a report that is being written.

    Attributes:
        leaderboard: its results and comparisons.
        prefix: prefix of the names of its files.
        out: the results folder, in which pictures are stored.
        report: the folder of the report.
        tables: tables over all runs of the report, by file name.

    """

    leaderboard: Leaderboard
    prefix: str
    out: Path
    report: Path
    tables: Mapping[str, pd.DataFrame]

    @property
    def section(self) -> Section:
        """The results."""
        return self.leaderboard.section

    def write(self) -> SectionPage:
        """Write the files and return the contents of the page."""
        ranked, standings = self._ranked, self.leaderboard.standings
        self.write_tables()
        explorer = Explorer.of(self.section, self._pictures)
        drawn = self._figures()
        name = self.section.dataset
        page = SectionPage(
            self.section,
            self.prefix,
            drawn,
            examples_of(self.out, name),
            self._pictures,
            outlines_of(self.out, name),
            fusions=fusions_in_words(of_section(self.tables[FUSION], self.section)),
            warnings=warnings_of(self.section, self.tables),
            standings=standings,
            standing=standing_in_words(ranked),
            charts=charts(self.section, standings),
            matrix=explorer.to_json() | {"pictures": self._write_pictures(explorer)},
            analyses=analysis_summaries(self.section, self.tables, drawn, self._with_best),
            left_out=left_out(self.section),
        )
        for file in (file for analysis in page.analyses for file in analysis.files):
            self._table(file.name).write_text(file.content, encoding="utf-8", newline="\n")
        self._table("methods.txt").write_text(f"{page.methods.paragraph}\n", encoding="utf-8")
        self._table("references.bib").write_text(page.methods.bibtex, encoding="utf-8")
        return page

    @cached_property
    def _pictures(self) -> ImageCopies:
        return cell_pictures_of(self.out, self.section.dataset)

    def _table(self, name: str) -> Path:
        return self.report / TABLES / f"{self.prefix}-{name}"

    @property
    def _ranked(self) -> pd.DataFrame:
        """Rows of the leaderboard of the section."""
        return of_section(self.tables[LEADERBOARD], self.section)

    @property
    def _with_best(self) -> list[str]:
        """Compared tracks that are not distinguishable from the best one."""
        return [track for track, standing in self.leaderboard.standings.items() if standing.with_best]

    def write_tables(self) -> None:
        """Write the tables of the section alone."""
        section = self.section
        table = leaderboard(section, self.leaderboard.standings)
        write_leaderboard(table, self.report / TABLES, f"{self.prefix}-leaderboard")
        for track in section.done:
            track.confusion.to_csv(self._table(f"{track.name}-confusion.csv"))
            track.per_class.to_csv(self._table(f"{track.name}-per-class.csv"), index=False)
        if section.importance is not None:
            section.importance[1].to_csv(self._table("importance.csv"), index=False)
        if section.preparation is not None:
            section.preparation[1].to_csv(self._table("native-columns.csv"), index=False)

    def _figures(self) -> dict[str, str]:
        """Save the figures as PNG and return their addresses relative to the pages, by name."""
        with style():
            others = {NETWORK_INPUTS: network_inputs_figure(network_inputs_of(self.out, self.section.dataset))}
            others |= analysis_figures(self.section, self.tables)
        addresses = {}
        for name, figure in figures.draw(self.section, others).items():
            path = f"{FIGURES}/{self.prefix}-{name}.png"
            save_png(figure, self.report / path)
            addresses[name] = quote(path)
        return addresses

    def _write_pictures(self, explorer: Explorer) -> str | None:
        """Write the images of cells and return their address relative to the page; None if none are stored."""
        path = f"{ASSETS}/{self.prefix}-pictures.js"
        return quote(path) if explorer.write_pictures(self.report / path) else None


def save_png(figure: Figure, path: Path) -> None:
    """Save a figure with a palette of 256 colours, which halves the file without a visible difference.

    Large figures have fewer dots per inch, so that their longer side has about `LARGEST_SIDE` pixels.
    """
    from PIL import Image

    content, dpi = io.BytesIO(), min(DOTS_PER_INCH, LARGEST_SIDE / max(figure.get_size_inches()))
    with style():
        figure.savefig(content, format="png", dpi=dpi, bbox_inches="tight")
    with Image.open(content) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, "png")


def charts(section: Section, standings: Mapping[str, Standing]) -> dict[str, dict[str, Any]]:
    """Return the charts of a section by name, as JSON values for its page."""
    if not section.done:
        return {}
    drawn = {
        "tracks": tracks(section),
        "cost": cost(section, standings),
        "by-class-size": by_class_size(section),
        "confusion": confusion(section),
        "difference": difference(section) if len(section.done) > 1 else None,
    }
    return {name: as_json(chart) for name, chart in drawn.items() if chart is not None}
