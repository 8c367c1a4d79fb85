"""The report's pages: HTML that opens by double click and loads nothing but the files beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import jinja2

from ..._version import __version__
from ...data_manifests.notes import NOTHING_FOUND
from ..analyses.confident_errors import MOST_SUSPECTED
from ..analyses.report_warnings import KINDS
from ..figures.section_figures import NAMED_COLUMNS
from ..pictures.examples import PER_CONFUSION, class_examples
from ..pictures.kept_pictures import ImageCopies, Picture
from ..results.confused_pairs import ConfusedPair, Confusion, confused_pairs
from .methods_text import MethodsText, methods_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..analyses.catalogue import AnalysisSummary
    from ..analyses.confident_errors import SuspectedLabelError
    from ..analyses.report_warnings import ReportWarning
    from ..pictures.segmentation_outlines import OutlinePictures
    from ..results.section import Section
    from ..run_files.card import CardNote

WIDE_FROM = 40  # classes; from here on a confusion matrix is shown in a box that scrolls
PLACES = {
    "leaderboard": "Leaderboard", "confusion": "Confusion matrix", "errors": "Most confident errors",
    "per-class": "Class by class", "more": "More", "classes": "Classes", "paper": "For a paper",
}  # fmt: skip
"""Places of a page that can be gone to."""


@dataclass(frozen=True)
class Shown:
    """A section as its page shows it.

    Attributes:
        section: the results.
        prefix: what the names of its files begin with.
        figures: address of each figure, by name.
        examples: the example images that are kept of its data set.
        outlines: the pictures of what was measured that are kept of its data set.
        fusions: what came of each fusion, in a sentence.
        warnings: what a reader of the numbers has to know.
        groups: rank group of each track; empty when none was told.
        gaps: difference of each compared track to the best one, with the ends of its paired interval.
        standing: what the groups say, in sentences.
        charts: data and layout of each chart, by name.
        matrix: what the page's script shows of the confusion matrices, from `Explorer.to_json`.
        suspected_label_errors: the most confident errors of the best track; None when it stored no scores.
        suspected_label_error_files: tracks whose most confident errors lie among the tables.
        analyses: further results, each a part of the page.

    """

    section: Section
    prefix: str
    figures: dict[str, str]
    examples: ImageCopies
    outlines: OutlinePictures
    fusions: list[str] = field(default_factory=list)
    warnings: list[ReportWarning] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    standing: list[str] = field(default_factory=list)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    matrix: dict[str, Any] = field(default_factory=dict)
    suspected_label_errors: list[SuspectedLabelError] | None = None
    suspected_label_error_files: list[str] = field(default_factory=list)
    analyses: list[AnalysisSummary] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Name of the section's place on the overview."""
        return f"{self.section.dataset}-{self.section.split}"

    @property
    def file_name(self) -> str:
        """Name of the section's page."""
        return f"dataset-{self.prefix}.html"

    @property
    def wide(self) -> bool:
        """Whether there are too many classes for a matrix as wide as the page."""
        return len(self.section.class_sizes) >= WIDE_FROM

    @cached_property
    def classes(self) -> dict[str, list[Picture]]:
        """Example images of each class, largest class first; of a class without images, none."""
        return {taxon: self._pictures(ids) for taxon, ids in class_examples(self.section).items()}

    @property
    def has_pictures(self) -> bool:
        """Whether any class has an example image."""
        return any(self.classes.values())

    @cached_property
    def pairs(self) -> list[ConfusedPair]:
        """Pairs of classes that the best track confuses most."""
        return confused_pairs(self.section.done[0]) if self.section.done else []

    def confused(self, way: Confusion) -> list[Picture]:
        """Return example images of objects that were confused in one way."""
        return self._pictures(way.object_ids[:PER_CONFUSION])

    def _pictures(self, object_ids: Iterable[str]) -> list[Picture]:
        found = ((object_id, self.examples.address(object_id)) for object_id in object_ids)
        return [Picture(object_id, address) for object_id, address in found if address is not None]

    @cached_property
    def outlined(self) -> dict[str, list[Picture]]:
        """Pictures of what was measured, by taxon; none where the tracks learnt from no measured feature."""
        return self.outlines.by_taxon if self.section.measured is not None else {}

    @property
    def nothing_found(self) -> CardNote | None:
        """The note that counts images in which no object was found."""
        return next((note for note in self.section.notes if note.code == NOTHING_FOUND), None)

    @cached_property
    def f1(self) -> dict[str, float]:
        """F1 of the best track by class, over the test rows of all its runs."""
        if not self.section.done:
            return {}
        per_class = self.section.done[0].per_class
        return dict(zip(per_class["taxon"], per_class["f1"], strict=True))

    @property
    def left_out(self) -> list[str]:
        """Classes that no mean includes, since the first run has no test objects of them."""
        return list(self.section.done[0].scores[0].classes_absent) if self.section.done else []

    @property
    def sources(self) -> dict[str, str]:
        """Source of each track."""
        return {track.name: track.card.track.source for track in self.section.tracks}

    @property
    def data_citations(self) -> list[str]:
        """How to cite the data, each once."""
        return list(dict.fromkeys(run.card.data.citation for run in self.section.runs if run.card.data.citation))

    @cached_property
    def methods(self) -> MethodsText:
        """What a paper says about the methods, with references."""
        return methods_text(self.section)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Places of the page that can be gone to, each with its words."""
        there = {"leaderboard", "classes", "paper"}
        there |= {"confusion", "errors", "per-class"} if self.section.done else set()
        there |= {"more"} if self.analyses else set()
        return [(place, words) for place, words in PLACES.items() if place in there]


@dataclass(frozen=True)
class OverDatasets:
    """What the comparisons say over several data sets.

    Attributes:
        sentences: one for each pair of tracks.
        chart: the forest plot, as plain values.

    """

    sentences: list[str]
    chart: dict[str, Any]


def render_overview(sections: list[Shown], over: OverDatasets | None = None) -> str:
    """Return the page that shows the leaderboard of each section, and what is known over data sets."""
    return _render("overview", sections=sections, over=over)


def render_dataset(shown: Shown) -> str:
    """Return the page of one section."""
    return _render("dataset", shown=shown, named_columns=NAMED_COLUMNS, most_suspects=MOST_SUSPECTED)


def render_warnings(sections: list[Shown]) -> str:
    """Return the page that explains the cautions that apply to any section."""
    found = {warning.kind.code for shown in sections for warning in shown.warnings}
    return _render("warnings", sections=sections, kinds=[kind for kind in KINDS if kind.code in found])


def _render(name: str, **values: object) -> str:
    return _environment().get_template(f"{name}.html.j2").render(version=__version__, **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number, "seconds": seconds}
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with fixed digits; a dash when there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """Write seconds as a person would."""
    if value is None or math.isnan(value):
        return "–"
    if value < 0.001:  # noqa: PLR2004 - a millisecond
        return "<1 ms"
    steps = ((1000, "ms", 0, 1000), (1, "s", 1, 10), (1, "s", 0, 120), (1 / 60, "min", 1, math.inf))
    return next(
        f"{value * factor:.{digits}f} {unit}"
        for factor, unit, digits, below in steps
        if round(value * factor, digits) < below
    )
