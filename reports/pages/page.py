"""HTML pages of the report, which open with a double-click and load only files from the report folder."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import jinja2

from ..._version import __version__
from ...data_manifests.notes import NOTHING_FOUND
from ..figures.section_figures import NAMED_COLUMNS
from ..pictures.examples import PER_CONFUSION, class_examples
from ..pictures.kept_pictures import ImageCopies, Picture
from ..results.confused_pairs import ConfusedPair, Confusion, confused_pairs
from ..results.looks import in_words as looks_in_words
from ..warnings.catalogue import KINDS
from .methods_text import MethodsText, methods_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..analyses.catalogue import AnalysisSummary
    from ..comparisons.leaderboard import Standing
    from ..pictures.segmentation_outlines import OutlinePictures
    from ..results.section import Section, TrackResult
    from ..run_files.card import CardNote
    from ..warnings.kind import ReportWarning

MOST_NAMED = 3  # best tracks in the headline of the overview
WIDE_FROM = 40  # classes; from this number on a confusion matrix is shown in a scrollable box
NO_BREAK = "\u00a0"
NAVIGATION = {
    "leaderboard": "Leaderboard", "confusion": "Confusion matrix", "per-class": "Scores by class",
    "more": "Further analyses", "classes": "Classes and features", "paper": "Methods text and citation",
}  # fmt: skip
"""Titles in the navigation of a page, by anchor."""

AFTER_ANALYSES = "per-class"  # anchor of the section before which analyses with an anchor of their own are shown


@dataclass(frozen=True)
class SectionPage:
    """The contents of the page of a section.

    Attributes:
        section: the results, with compared tracks first.
        prefix: prefix of the names of its files.
        figures: address of each figure, by name.
        examples: stored example images of its data set.
        copies: stored small copies of the images of further objects.
        outlines: stored segmentation outlines of its data set.
        fusions: result of each fusion, in a sentence.
        warnings: warnings that apply to the results.
        standings: standing of each compared track, best first; empty if tracks were not compared.
        standing: summary of the comparisons, in sentences.
        charts: data and layout of each chart, by name.
        matrix: data of the confusion matrices for the script of the page, from `Explorer.to_json`.
        analyses: the analyses on the page.
        left_out: what the page leaves out because runs lack stored content, in sentences.

    """

    section: Section
    prefix: str
    figures: dict[str, str]
    examples: ImageCopies
    copies: ImageCopies
    outlines: OutlinePictures
    fusions: list[str] = field(default_factory=list)
    warnings: list[ReportWarning] = field(default_factory=list)
    standings: dict[str, Standing] = field(default_factory=dict)
    standing: list[str] = field(default_factory=list)
    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    matrix: dict[str, Any] = field(default_factory=dict)
    analyses: list[AnalysisSummary] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Anchor of the section on the overview."""
        return f"{self.section.dataset}-{self.section.split}"

    @property
    def file_name(self) -> str:
        """Name of the section's page."""
        return f"dataset-{self.prefix}.html"

    @property
    def headline(self) -> str:
        """The result: the best of the compared tracks, its interval, and how many tracks are not distinguishable.

        A track is described as best only if the comparisons distinguish it from all other tracks.
        """
        section = self.section
        name = f"{section.dataset} (simulated)" if section.simulated else section.dataset
        if not section.done:
            return f"{name}: no track has finished"
        best = section.done[0]
        standing = self.standings.get(best.name)
        if standing is None:
            return f"{name}: {best.name} has the highest macro F1, {number(best.macro_f1)}"
        ties = sum(other.with_best for other in self.standings.values()) - 1
        score = f"{number(standing.macro_f1)} (95 % CI {number(standing.interval[0])}–{number(standing.interval[1])})"
        if len(section.done) == 1:
            return f"{name}: {best.name} reaches macro F1 {score}"
        if not standing.with_best:
            return f"{name}: {best.name} has the highest macro F1, {score}"
        if not ties:
            return f"{name}: {best.name} is best, macro F1 {score}"
        others = "1 other track is" if ties == 1 else f"{ties} other tracks are"
        return f"{name}: {best.name} has the highest macro F1, {score}; {others} not distinguishable from it"

    def macro_f1(self, track: TrackResult) -> float:
        """Return the mean macro F1 of a track over the runs on which it is compared, or over all if it is not."""
        return self.standings[track.name].macro_f1 if track.name in self.standings else track.macro_f1

    def accuracy(self, track: TrackResult) -> float:
        """Return the mean accuracy over the same runs."""
        return self.standings[track.name].accuracy if track.name in self.standings else track.accuracy

    @property
    def wide(self) -> bool:
        """Whether there are too many classes for a matrix as wide as the page."""
        return len(self.section.class_sizes) >= WIDE_FROM

    @cached_property
    def classes(self) -> dict[str, list[Picture]]:
        """Example images of each class, largest class first; an empty list for a class without images."""
        return {taxon: self._pictures(ids) for taxon, ids in class_examples(self.section).items()}

    @property
    def has_pictures(self) -> bool:
        """Whether any class has an example image."""
        return any(self.classes.values())

    @cached_property
    def pairs(self) -> list[ConfusedPair]:
        """The pairs of classes that the best track confuses most."""
        return confused_pairs(self.section.done[0]) if self.section.done else []

    def confused(self, way: Confusion) -> list[Picture]:
        """Return example images of objects with one kind of confusion."""
        return self._pictures(way.object_ids[:PER_CONFUSION])

    def _pictures(self, object_ids: Iterable[str]) -> list[Picture]:
        found = ((object_id, self.examples.address(object_id)) for object_id in object_ids)
        return [Picture(object_id, address) for object_id, address in found if address is not None]

    @cached_property
    def outlined(self) -> dict[str, list[Picture]]:
        """Segmentation outlines by taxon; empty if no track uses measured features."""
        return self.outlines.by_taxon if self.section.measured is not None else {}

    @property
    def nothing_found(self) -> CardNote | None:
        """The note that counts images in which no object was found."""
        return next((note for note in self.section.notes if note.code == NOTHING_FOUND), None)

    @cached_property
    def f1(self) -> dict[str, float]:
        """F1 of the best track by class, over the test objects of all its runs."""
        if not self.section.done:
            return {}
        per_class = self.section.done[0].per_class
        return dict(zip(per_class["taxon"], per_class["f1"], strict=True))

    @property
    def absent_classes(self) -> list[str]:
        """Classes without test objects in the first run, which are excluded from all means."""
        return list(self.section.done[0].scores[0].classes_absent) if self.section.done else []

    @property
    def sources(self) -> dict[str, str]:
        """Source of each track."""
        return {track.name: track.card.track.source for track in self.section.tracks}

    @property
    def data_citations(self) -> list[str]:
        """The distinct citations of the data."""
        return list(dict.fromkeys(run.card.data.citation for run in self.section.runs if run.card.data.citation))

    @cached_property
    def methods(self) -> MethodsText:
        """Methods text for a paper, with references."""
        return methods_text(self.section, self.standings)

    @cached_property
    def looks(self) -> str:
        """How often test objects were evaluated, in sentences."""
        return looks_in_words(self.section)

    @property
    def navigation(self) -> list[tuple[str, str]]:
        """Anchors of the page with their titles."""
        anchors = {"leaderboard", "classes", "paper"}
        anchors |= {"confusion", "per-class"} if self.section.done else set()
        anchors |= {"more"} if self.further_analyses else set()
        entries: list[tuple[str, str]] = []
        for anchor, title in NAVIGATION.items():
            if anchor == AFTER_ANALYSES:
                entries += [(analysis.anchor, analysis.title) for analysis in self.main_analyses]
            entries += [(anchor, title)] if anchor in anchors else []
        return entries

    @property
    def main_analyses(self) -> list[AnalysisSummary]:
        """Analyses with an anchor, each in a section of the page."""
        return [analysis for analysis in self.analyses if analysis.anchor]

    @property
    def further_analyses(self) -> list[AnalysisSummary]:
        """The other analyses, which share a section of the page."""
        return [analysis for analysis in self.analyses if not analysis.anchor]


@dataclass(frozen=True)
class CrossDatasetComparison:
    """Comparisons of pairs of tracks across data sets.

    Attributes:
        sentences: one for each pair of tracks.
        chart: the forest plot, as JSON values.

    """

    sentences: list[str]
    chart: dict[str, Any]


def render_overview(pages: list[SectionPage], across: CrossDatasetComparison | None = None) -> str:
    """Return the page with the leaderboard of each section and the comparison across data sets."""
    titles = dict.fromkeys(analysis.title for page in pages for analysis in page.main_analyses)
    return _render("overview", headline=overview_headline(pages), pages=pages, across=across, analyses=list(titles))


def overview_headline(pages: list[SectionPage]) -> str:
    """Return the result in a sentence: the tracks that most often have the highest macro F1."""
    if len(pages) == 1:
        return pages[0].headline
    best = Counter(page.section.done[0].name for page in pages if page.section.done)
    if not best:
        return "No track has finished"
    unit = "data sets" if len({page.section.dataset for page in pages}) == len(pages) else "data sets and splits"
    wins = [f"{track} on {wins} of {len(pages)}" for track, wins in best.most_common(MOST_NAMED)]
    return f"Highest macro F1: {', '.join(wins)} {unit}"


def render_dataset(page: SectionPage) -> str:
    """Return the page of one section."""
    return _render("dataset", page=page, named_columns=NAMED_COLUMNS)


def render_warnings(pages: list[SectionPage]) -> str:
    """Return the page that explains the warnings that apply to any section."""
    found = {warning.kind.code for page in pages for warning in page.warnings}
    return _render("warnings", pages=pages, kinds=[kind for kind in KINDS if kind.code in found])


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
    environment.filters |= {"number": number, "seconds": seconds, "two_lines": two_lines}
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def number(value: float | None, digits: int = 3) -> str:
    """Format a number with fixed decimals; a dash if it is missing."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def two_lines(text: str) -> str:
    """Return a value with its interval so that a line can only break between them."""
    return text.replace(" ", NO_BREAK).replace(f"{NO_BREAK}[", " [")


def seconds(value: float | None) -> str:
    """Format seconds in a suitable unit; a dash if they are missing."""
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
