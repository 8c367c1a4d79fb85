"""Pages of the report: contents, self-containedness and escaping of names."""

from __future__ import annotations

import math
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from planktonbench import __version__
from planktonbench.data_manifests.notes import NOTHING_FOUND
from planktonbench.reports.analyses.analysis import (
    CaptionedPicture,
    CaptionLine,
    PictureGroup,
    PictureStrip,
    SectionFile,
)
from planktonbench.reports.analyses.catalogue import AnalysisSummary
from planktonbench.reports.figures.interactive import as_json, tracks
from planktonbench.reports.pages.explorer import Explorer
from planktonbench.reports.pages.page import (
    CrossDatasetComparison,
    SectionPage,
    number,
    render_dataset,
    render_overview,
    render_warnings,
    seconds,
)
from planktonbench.reports.pictures.examples import class_examples
from planktonbench.reports.pictures.kept_pictures import ImageCopies
from planktonbench.reports.pictures.segmentation_outlines import OutlinePictures
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.warnings.data import SimulatedData
from planktonbench.reports.warnings.intervals import ObjectInterval
from planktonbench.reports.warnings.kind import ReportWarning

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.comparisons.leaderboard import Standing
    from planktonbench.reports.results.section import Section

PICTURE = "figures/lake.png"
NOTE = {"code": "twice", "text": "objects occur <twice>", "count": 1234, "examples": ["o1", "o2"]}


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.pieces: list[str] = []
        self.in_script = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and the addresses that it loads or links to."""
        self.tags.append(tag)
        self.in_script = tag == "script"
        loading = {"src", "srcset", "href", "xlink:href", "data", "action", "poster"}
        self.addresses += [value or "" for name, value in attrs if name in loading]

    def handle_data(self, data: str) -> None:
        """Keep visible text."""
        if not self.in_script:
            self.pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a script."""
        self.in_script = self.in_script and tag != "script"

    @property
    def text(self) -> str:
        """All visible text with single spaces."""
        return " ".join(" ".join(self.pieces).split())


def contents_of(
    section: Section,
    examples: ImageCopies | None = None,
    copies: ImageCopies | None = None,
    outlines: OutlinePictures | None = None,
    **more: Any,  # noqa: ANN401 - fields of SectionPage
) -> SectionPage:
    """Return the page contents of a section, with all figures that it can have and with these stored images."""
    names = ["classes", "tracks", "f1-by-size", "scales", "correlations", "importance"]
    names += [f"{track.name}-confusion" for track in section.tracks]
    return SectionPage(
        section,
        section.dataset,
        dict.fromkeys(names, PICTURE),
        examples or ImageCopies(Path("there are none.parquet"), 112),
        copies or ImageCopies(Path("there are none.parquet"), 72),
        outlines or OutlinePictures(Path("none.parquet")),
        **more,
    )


def page_of(section: Section, **more: Any) -> Page:  # noqa: ANN401 - as above
    """Return the rendered page of a section."""
    return Page(render_dataset(contents_of(section, **more)))


def overview_of(*sections: Section) -> Page:
    """Return the overview of some sections."""
    return Page(render_overview([contents_of(section) for section in sections]))


def test_pages_load_only_files_of_the_report(make_section: Callable[..., Section], preparation: pd.DataFrame) -> None:
    """Scripts, styles and images come from the folder of the report; there are no frames, forms or external links."""
    section = make_section({"preparation": preparation, "notes": [NOTE], "source": "https://example.org/paper"})
    for page in (page_of(section), overview_of(section)):
        own = ("assets/", "figures/", "tables/", "#", "index.html", "warnings.html", "dataset-lake.html", "data:,")

        assert {"assets/report.css", "assets/report.js", "assets/plotly.min.js"} < set(page.addresses)
        assert [address for address in page.addresses if not address.startswith(own)] == []
        assert {"iframe", "base", "object", "form"} & set(page.tags) == set()


def test_the_style_sheet_loads_nothing() -> None:
    """It refers to no fonts, images or other style sheets."""
    style = (resources.files("planktonbench.reports.pages") / "templates" / "report.css").read_text("utf-8")

    assert "url(" not in style
    assert "@import" not in style


def test_the_page_describes_the_runs(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """It shows scores and costs, reasons of failures, notes, signatures, machine and versions."""
    section = make_section({"notes": [NOTE]}, {"track": "lost", "status": "failed", "reason": "ValueError: oh"})
    (score,) = section.tracks[0].scores
    compared = {"good": make_standing(macro_f1=score.macro_f1, accuracy=score.accuracy)}
    text = page_of(section, standings=compared).text
    expected = [
        "lake · holdout.v1", "good", f"{score.macro_f1:.3f}", f"{score.accuracy:.3f}", "2.0 s", "500 ms", "300 MB",
        "failed: ValueError: oh", "1,234 objects occur <twice>", "(first: o1, o2)", score.signature, "abacus; 1 thread",
        "numpy 9.9.9", f"planktonbench {__version__}", "from the jackknife over samples",
    ]  # fmt: skip

    assert [phrase for phrase in expected if phrase not in text] == []


def test_withheld_classes_are_named_and_marked(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Their score stands beside macro F1; pages without such classes do not mention them."""
    add_run(tmp_path, withheld=["egg (other)"], wrong=6)
    add_run(tmp_path, dataset="bay")
    without, section = sections_of(read_runs(tmp_path))
    text = page_of(section).text

    assert "Withheld from training and validation: egg (other)." in text
    assert "egg (other) (withheld)" in text
    assert "macro F1 95 % CI without withheld classes" in text
    assert f"{section.tracks[0].macro_f1:.3f}" in text
    assert f"{section.tracks[0].macro_f1_seen:.3f}" in text
    assert "withheld" not in page_of(without).text.lower()


def test_confused_pairs_are_shown_with_examples(make_section: Callable[..., Section], tmp_path: Path) -> None:
    """Images of both taxa are shown, and between them the misclassified objects with count and share."""
    section = make_section({"wrong": 3})
    ids = section.runs[0].truth["object_id"]
    kept = pd.DataFrame({"object_id": ids, "png": [f"image of {one}".encode() for one in ids], "state": "c" * 64})
    kept.to_parquet(tmp_path / "examples.parquet")
    page = page_of(section, examples=ImageCopies(tmp_path / "examples.parquet", 112))
    predictions = section.runs[0].predictions
    (pair,) = {
        tuple(row)
        for row in predictions[predictions["taxon"] != predictions["predicted"]][["taxon", "predicted"]].to_numpy()
    }

    assert f"{pair[0]} predicted as {pair[1]}: 3 (50 % of its test objects)" in page.text
    assert f"no {pair[1]} was predicted as {pair[0]}" in page.text
    examples = class_examples(section)
    pictures = [address for address in page.addresses if address.startswith("data:image")]
    assert len(pictures) == sum(map(len, examples.values())) + sum(len(examples[one]) for one in pair) + 3


MEASURED = {"table": "measured", "version": 1, "background": "dark", "pieces": "largest", "scale_bar": 31}


@pytest.fixture
def outlines(tmp_path: Path) -> OutlinePictures:
    """Segmentation outlines of three objects."""
    rows = [("egg", "o1", b"1", "a"), ("egg", "o2", b"2", "a"), ("zoea", "o9", b"9", "a")]
    table = pd.DataFrame(rows, columns=["taxon", "object_id", "png", "state"])
    table.to_parquet(tmp_path / "outlines.parquet")
    return OutlinePictures(tmp_path / "outlines.parquet")


def test_segmentation_outlines_are_shown(make_section: Callable[..., Section], outlines: OutlinePictures) -> None:
    """Pictures are shown by taxon with the settings of the segmentation and the number of empty masks."""
    empty = {"code": NOTHING_FOUND, "text": "of 63 images show nothing", "count": 7}
    page = page_of(
        make_section({"features": {**MEASURED, "pixel_size_um": 10.58}, "notes": [empty]}), outlines=outlines
    )
    expected = "dark background, the largest piece, the lowest 31 rows cropped (shown pale), pixel size 10.58 µm."

    assert f"inside the red outlines: {expected} 7 of 63 images show nothing." in page.text
    pictures = [address for address in page.addresses if address.startswith("data:image")]
    assert [address.rpartition(",")[2] for address in pictures] == ["MQ==", "Mg==", "OQ=="]


def test_absence_of_empty_masks_is_stated(make_section: Callable[..., Section], outlines: OutlinePictures) -> None:
    """The page states explicitly that no mask is empty."""
    plain = {**MEASURED, "table": "native+measured", "pieces": "all", "scale_bar": 0}
    text = page_of(make_section({"features": plain}), outlines=outlines).text

    assert "red outlines: dark background, all pieces except specks. An object was found in every image." in text


def test_outlines_are_hidden_without_measured_features(
    make_section: Callable[..., Section], outlines: OutlinePictures
) -> None:
    """Pictures stored by an earlier run are not shown if tracks use native features only."""
    assert "red outlines" not in page_of(make_section(), outlines=outlines).text


def test_without_images_there_is_no_gallery(make_section: Callable[..., Section]) -> None:
    """A data set without images has a page without image examples."""
    page = page_of(make_section())

    assert not [address for address in page.addresses if address.startswith("data:image")]
    assert "Training objects of each taxon" not in page.text


def test_feature_importance_names_its_track(make_section: Callable[..., Section]) -> None:
    """The page states the track, the number of runs and the number of features shown."""
    table = pd.DataFrame({"feature": [f"f{k}" for k in range(25)], "gain": 0.04, "permutation": 0.01})
    text = page_of(make_section({"importance": table})).text

    assert "Importance of the features for good, the first 20 of 25 features." in text
    assert "Means over 1 run." in text


def test_the_data_and_the_tracks_can_be_cited(make_section: Callable[..., Section]) -> None:
    """The citation of the data is given once for several runs, and each track has its source."""
    facts = {"data_citation": "Nemo (1870). Seas. Licence: CC0.", "source": "Verne 1870"}
    text = page_of(make_section(facts, {**facts, "seed": 1})).text

    assert text.count("Data: Nemo (1870). Seas. Licence: CC0.") == 1
    assert "good: Verne 1870" in text
    assert f"planktonbench {__version__}. Report the signature" in text


def test_the_overview_lists_all_sections(
    make_section: Callable[..., Section], add_run: Callable[..., Path], tmp_path: Path
) -> None:
    """Each row has the best track, its score and a link to the page; simulated data are marked."""
    make_section()
    add_run(tmp_path / "results", dataset="bay", simulated=True)
    page = overview_of(*sections_of(read_runs(tmp_path / "results")))

    assert {"dataset-bay.html", "dataset-lake.html"} < set(page.addresses)
    assert "bay · holdout.v1 (simulated) 3 21 good" in page.text
    assert "the sections marked as simulated are based on drawings" in page.text
    assert "lake · holdout.v1 3 21 good" in page.text


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(("fact", "word"), [("simulated", "simulated"), ("quick", "--quick")])
def test_simulated_data_and_reduced_budgets_are_stated(
    make_section: Callable[..., Section], fact: str, word: str, *, stated: bool
) -> None:
    """Simulated data and reduced budgets are mentioned if and only if they apply."""
    assert (word in page_of(make_section({fact: stated})).text.lower()) is stated


def test_names_are_escaped(make_section: Callable[..., Section]) -> None:
    """Names, reasons and machines are shown literally and never interpreted as HTML."""
    taxa = {"<b>bold</b>": 9, 'Méduse & "egg"': 6}
    section = make_section(
        {"taxa": taxa, "source": '"><script>', "machine": "<i>"},
        {"taxa": taxa, "track": "lost", "status": "failed", "reason": "<script>alert(1)</script>"},
    )
    explorer = Explorer.of(section, ImageCopies(Path("none.parquet"), 112))
    drawn = {"tracks": as_json(tracks(section))}
    page = page_of(section, charts=drawn, matrix=explorer.to_json())

    assert page.tags.count("script") == len(["plotly", "ours", "matrix"]) + len(drawn)
    assert "i" not in page.tags
    assert all(words in page.text for words in (*taxa, "<script>alert(1)</script>", "<i>; 1 thread"))


def test_the_combination_of_several_runs_is_stated(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """Scores are means over the compared runs, counts are summed, and each run has its signature."""
    section = make_section({"wrong": 1}, {"seed": 1}, {"seed": 2, "status": "failed", "reason": "oh"})
    page = page_of(section, standings={"good": make_standing(n_runs=2)})

    assert "means over 2 runs (seeds or folds)" in page.text
    assert "summed over the test objects of all runs" in page.text
    assert "2 (failed: oh)" in page.text
    assert page.text.count("macroF1|") == 2


def test_value_and_interval_are_of_the_same_runs(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """Of those on which the track is compared, also in the headline and on the overview; all others are counted."""
    section = make_section({"wrong": 1}, {"seed": 1, "wrong": 9})
    standings = {"good": make_standing(macro_f1=0.953, accuracy=0.961)}
    page = page_of(section, standings=standings)
    overview = Page(render_overview([contents_of(section, standings=standings)])).text

    assert "good 0.953 0.610 – 0.970 0.961" in page.text
    assert "1 of 2" in page.text
    assert "accuracy are means over one run, the same for all compared tracks" in page.text
    assert "and the variation over runs" not in page.text
    assert "good reaches macro F1 0.953 (95 % CI 0.610–0.970)" in page.text
    assert "good 0.953 0.961" in overview
    assert f"{section.tracks[0].macro_f1:.3f}" not in overview


def test_absent_classes_are_reported(make_section: Callable[..., Section]) -> None:
    """The page gives the share of resamples that lose a class and lists classes excluded from means."""
    section = make_section({"taxa": {"egg": 60, "Zoea": 3}, "classes": ["egg", "Zoea", "Doliolida"]})
    share = section.tracks[0].scores[0].draws_losing_a_class
    text = page_of(section).text

    assert f"In {100 * share:.1f} % of the resamples of the first run, a rare class had no objects" in text
    assert "Classes without test objects in the first run, excluded from all means: Doliolida." in text


def test_the_preparation_of_columns_is_described(
    make_section: Callable[..., Section], preparation: pd.DataFrame
) -> None:
    """The page shows how many columns are kept, why others are dropped, and where values are missing."""
    text = page_of(make_section({"preparation": preparation})).text

    assert "Of 5 columns, 3 are kept by good (holdout.v1, seed 0)" in text
    assert "constant constant (1)" in text
    assert "double |r| = 1.000 with area" in text
    assert "skew 25.00 %" in text
    assert "Native features" in text


@pytest.mark.parametrize(
    ("table", "heading"), [("measured", "Measured features"), ("native+measured", "Native and measured features")]
)
def test_the_heading_names_the_feature_table(
    make_section: Callable[..., Section], preparation: pd.DataFrame, table: str, heading: str
) -> None:
    """The heading distinguishes measured from native columns."""
    assert heading in page_of(make_section({"preparation": preparation, "features": {**MEASURED, "table": table}})).text


def test_a_section_without_a_finished_run_is_shown(make_section: Callable[..., Section]) -> None:
    """The reason of the failure is shown instead of numbers."""
    text = page_of(make_section({"status": "skipped", "reason": "no weights"})).text

    assert "skipped: no weights" in text
    assert "Confusion matrix" not in text
    assert "lake: no track has finished" in text


def test_unmeasured_costs_are_a_dash(make_section: Callable[..., Section]) -> None:
    """A run without time and memory has a row in the leaderboard."""
    text = page_of(make_section({"fit_seconds": None, "predict_seconds": None, "peak_rss_mb": None})).text

    assert "– – – MB" in text


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (number, 0.12345, "0.123"), (number, 1, "1.000"), (number, None, "–"), (number, math.nan, "–"),
        (seconds, 0.0002, "<1 ms"), (seconds, 0.25, "250 ms"), (seconds, 1.26, "1.3 s"), (seconds, 42.4, "42 s"),
        (seconds, 0.9999, "1.0 s"), (seconds, 9.99, "10 s"),
        (seconds, 119.9, "2.0 min"), (seconds, 150, "2.5 min"), (seconds, None, "–"), (seconds, math.nan, "–"),
    ],
)  # fmt: skip
def test_numbers_are_formatted(write: Callable[[float | None], str], value: float | None, expected: str) -> None:
    """Seconds have a suitable unit, other numbers three decimals; None and NaN are a dash."""
    assert write(value) == expected


def test_warnings_are_above_the_leaderboard_and_explained(make_section: Callable[..., Section]) -> None:
    """Both pages show code and text; a separate page explains the warnings that apply, and only these."""
    section = make_section()
    found = [ReportWarning(ObjectInterval(), "too narrow"), ReportWarning(SimulatedData(), "drawn")]
    texts = [page_of(section, warnings=found).text, Page(render_overview([contents_of(section, warnings=found)])).text]
    explained = Page(render_warnings([contents_of(section, warnings=found[:1])])).text

    for text in texts:
        assert text.index("W03 too narrow") < text.index("W07 drawn") < text.index("track macro F1 95 % CI")
    assert ObjectInterval.remedy in explained
    assert SimulatedData.remedy not in explained


def test_letters_and_differences_from_the_best_are_shown(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """With paired intervals; without comparisons the columns are left out."""
    section = make_section({}, {"track": "fair", "wrong": 5})
    fair = make_standing(letters="ab", difference=-0.1, difference_interval=(-0.2, 0.05))
    page = page_of(section, standings={"good": make_standing(), "fair": fair})
    alone = page_of(section).text

    assert "letters track macro F1 95 % CI difference from best accuracy" in page.text
    assert "a good" in page.text
    assert "ab fair" in page.text
    assert "0.610–0.970" in page.text
    assert "-0.100 [-0.200, +0.050]" in page.text
    assert "Tracks that share a letter are not distinguishable" in page.text
    assert "letters track" not in alone
    assert "difference from best accuracy" not in alone


def test_rows_with_the_best_are_marked(
    make_section: Callable[..., Section], make_standing: Callable[..., Standing]
) -> None:
    """Tracks that are distinguishable from the best are not."""
    section = make_section({}, {"track": "fair", "wrong": 5}, {"track": "poor", "wrong": 9})
    poor = make_standing(letters="b", with_best=False)
    standings = {"good": make_standing(), "fair": make_standing(letters="ab"), "poor": poor}
    source = render_dataset(contents_of(section, standings=standings))

    assert source.count('class="with-best"') == 2


def test_the_comparison_across_data_sets_is_on_the_overview(make_section: Callable[..., Section]) -> None:
    """It has sentences and a forest plot if a pair of tracks was compared on several data sets."""
    pages = [contents_of(make_section())]
    across = CrossDatasetComparison(["one against two on 2 data sets."], {"data": [], "layout": {}})
    text = Page(render_overview(pages, across)).text

    assert "Comparison across data sets one against two on 2 data sets." in text
    assert "Comparison across data sets" not in Page(render_overview(pages)).text


PICTURES = AnalysisSummary(
    "Odd objects",
    "Objects that are odd.",
    anchor="odd",
    pictures=[
        CaptionedPicture("o0007", (CaptionLine("label", "egg"), CaptionLine("predicted", "<b>", "score 0.987"))),
        CaptionedPicture("not stored", (CaptionLine("label", "egg"),)),
    ],
    files=[SectionFile("good-odd.tsv", "good", "text")],
    files_description="Tables of odd objects",
)


def test_pictures_of_an_analysis_have_captions(make_section: Callable[..., Section], tmp_path: Path) -> None:
    """Lines and id of the object are shown, with the image if it is stored; further files are linked."""
    kept = pd.DataFrame({"object_id": ["o0007"], "webp": [b"image"], "state": "c" * 64})
    kept.to_parquet(tmp_path / "cells.parquet")
    copies = ImageCopies(tmp_path / "cells.parquet", 72, "webp")
    page = page_of(make_section(), analyses=[PICTURES], copies=copies)

    assert "Tables of odd objects: good ." in page.text
    assert "label egg predicted <b> (score 0.987) o0007 label egg not stored" in page.text
    assert {copies.address("o0007"), "tables/lake-good-odd.tsv"} < set(page.addresses)
    assert len([address for address in page.addresses if address.startswith("data:image")]) == 1


def test_analysis_with_an_anchor_has_its_own_section(make_section: Callable[..., Section]) -> None:
    """It is before the scores by class; others are among the further analyses, with summary and remarks."""
    other = AnalysisSummary(
        "Other", "Something else.", "", "other.csv", ["share"], [("good", [0.5])], remarks=["Not available: rest."]
    )
    page = page_of(make_section(), analyses=[PICTURES, other])
    headings = [
        "Confusion matrix Counts",
        "Odd objects Objects that are odd.",
        "Scores by class Each",
        "Further analyses Other Something else. Full table: other.csv . Not available: rest. track share good 0.500",
    ]

    assert [page.text.index(heading) for heading in headings] == sorted(map(page.text.index, headings))
    assert "Confusion matrix Odd objects Scores by class Further analyses Classes and features" in page.text
    assert "#odd" in page.addresses


def test_groups_of_pictures_are_shown_in_strips(make_section: Callable[..., Section], tmp_path: Path) -> None:
    """With titles; an object without a stored image is left out, and names are escaped."""
    copies = ImageCopies(tmp_path / "copies.parquet", 72)
    copies.kept.keep([("o0007", b"image"), ("o0008", b"other")], "state")
    strips = (PictureStrip("class <a>", ("o0007", "gone")), PictureStrip("confused", ("o0008",)))
    analysis = AnalysisSummary("Odd", "Odd pairs.", picture_groups=[PictureGroup("1: <a> as b", strips)])
    page = page_of(make_section(), analyses=[analysis], copies=copies)

    assert "1: <a> as b class <a> confused" in page.text
    assert [one for one in page.addresses if one.startswith("data:image")] == [
        copies.address("o0007"), copies.address("o0008"),
    ]  # fmt: skip


def test_tables_of_other_things_than_tracks_wrap_their_text(make_section: Callable[..., Section]) -> None:
    """The first column has the heading of the analysis; a wide table of tracks breaks lines before intervals only."""
    value = "0.500 ± 0.010 [0.400, 0.600]"
    findings = AnalysisSummary("F", "Findings.", "", "", ["verdict"], [("it is so", ["holds"])], row_title="finding")
    wide = AnalysisSummary("W", "Wide.", "", "", list("abcdef"), [("good", [value, *"12345"])])
    section = make_section()
    text = page_of(section, analyses=[findings]).text
    page = render_dataset(contents_of(section, analyses=[findings, wide]))

    assert "finding verdict it is so holds" in text
    assert '<table class="sortable prose">' in page
    assert '<table class="sortable narrow">' in page
    assert "<td>0.500\u00a0±\u00a00.010 [0.400,\u00a00.600]</td>" in page


def test_without_analyses_there_are_no_headings(make_section: Callable[..., Section]) -> None:
    """Neither on the page nor in its navigation."""
    assert "Further analyses" not in page_of(make_section()).text


def test_the_overview_names_analyses_with_an_anchor(make_section: Callable[..., Section]) -> None:
    """Among the contents of the pages of data sets."""
    pages = [contents_of(make_section(), analyses=[PICTURES])]

    assert "scores by class, odd objects, and a methods text" in Page(render_overview(pages)).text
    assert "scores by class, and a methods text" in overview_of(make_section({"seed": 1})).text


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ({}, "good has the highest macro F1,"),
        ({"good": "a", "fair": "b"}, "good is best, macro F1"),
        ({"good": "a", "fair": "a"}, "good has the highest macro F1,"),
        ({"fair": "a"}, "good has the highest macro F1,"),
    ],
)
def test_the_headline_states_the_result(
    make_section: Callable[..., Section],
    make_standing: Callable[..., Standing],
    letters: dict[str, str],
    expected: str,
) -> None:
    """It gives score and interval, and calls a track best only if the others are distinguishable from it."""
    section = make_section({"simulated": True}, {"track": "fair", "wrong": 9, "simulated": True})
    standings = {
        track: make_standing(letters=letter, with_best=letter == "a", macro_f1=0.9) for track, letter in letters.items()
    }
    value = "0.900" if "good" in letters else f"{section.done[0].macro_f1:.3f}"
    headline = contents_of(section, standings=standings).headline
    is_shared = list(letters.values()) == ["a", "a"]

    assert headline.startswith(f"lake (simulated): {expected} {value}")
    assert ("(95 % CI 0.610–0.970)" in headline) is ("good" in letters)
    assert headline.endswith("; 1 other track is not distinguishable from it") is is_shared
    assert headline in page_of(section, standings=standings).text


def test_the_headline_of_the_overview_counts_best_tracks(
    make_section: Callable[..., Section], add_run: Callable[..., Path], tmp_path: Path
) -> None:
    """With one section it is the headline of the section."""
    only = make_section()
    add_run(tmp_path / "results", dataset="bay")
    add_run(tmp_path / "results", "other", dataset="sea")
    sections = sections_of(read_runs(tmp_path / "results"))

    assert contents_of(only).headline in overview_of(only).text
    assert "Highest macro F1: good on 2 of 3, other on 1 of 3 data sets" in overview_of(*sections).text
