"""The pages: they load nothing but files beside them, say what was done, and take no name for code."""

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
from planktonbench.reports.analyses.confident_errors import SuspectedLabelError
from planktonbench.reports.analyses.report_warnings import OBJECT_INTERVAL, SIMULATED, ReportWarning
from planktonbench.reports.figures.interactive import as_json, tracks
from planktonbench.reports.pages.explorer import Explorer
from planktonbench.reports.pages.page import (
    OverDatasets,
    Shown,
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section

PICTURE = "figures/lake.png"
NOTE = {"code": "twice", "text": "objects occur <twice>", "count": 1234, "examples": ["o1", "o2"]}


class Page(HTMLParser):
    """What a browser would find in a page, style aside."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.in_script = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, and the addresses that it would load or go to."""
        self.tags.append(tag)
        self.in_script = tag == "script"
        loading = {"src", "srcset", "href", "xlink:href", "data", "action", "poster"}
        self.addresses += [value or "" for name, value in attrs if name in loading]

    def handle_data(self, data: str) -> None:
        """Keep the text that is read."""
        if not self.in_script:
            self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self.in_script = self.in_script and tag != "script"

    @property
    def text(self) -> str:
        """All text with single spaces."""
        return " ".join(" ".join(self.words).split())


def shown_of(
    section: Section,
    examples: ImageCopies | None = None,
    outlines: OutlinePictures | None = None,
    **more: Any,  # noqa: ANN401 - fields of Shown
) -> Shown:
    """Return a section as it is shown, with a figure for all that it may have, and with these kept images."""
    names = ["classes", "tracks", "f1-by-size", "scales", "correlations", "importance"]
    names += [f"{track.name}-confusion" for track in section.tracks]
    return Shown(
        section,
        section.dataset,
        dict.fromkeys(names, PICTURE),
        examples or ImageCopies(Path("there are none.parquet"), 112),
        outlines or OutlinePictures(Path("none.parquet")),
        **more,
    )


def page_of(section: Section, **more: Any) -> Page:  # noqa: ANN401 - as above
    """Return the page of a section."""
    return Page(render_dataset(shown_of(section, **more)))


def overview_of(*sections: Section) -> Page:
    """Return the page that shows sections side by side."""
    return Page(render_overview([shown_of(section) for section in sections]))


def test_the_pages_load_files_beside_them_alone(
    make_section: Callable[..., Section], preparation: pd.DataFrame
) -> None:
    """Scripts, styles and pictures are of the report's own folder, and there is no frame, form or link to anywhere."""
    section = make_section({"preparation": preparation, "notes": [NOTE], "source": "https://example.org/paper"})
    for page in (page_of(section), overview_of(section)):
        own = ("assets/", "figures/", "tables/", "#", "index.html", "warnings.html", "dataset-lake.html", "data:,")

        assert [address for address in page.addresses if not address.startswith(own)] == []
        assert {"iframe", "base", "object", "form"} & set(page.tags) == set()


def test_the_style_loads_nothing() -> None:
    """No font and no picture is fetched by it."""
    style = (resources.files("planktonbench.reports") / "templates" / "report.css").read_text("utf-8")

    assert "url(" not in style
    assert "@import" not in style


def test_the_page_names_what_was_run(make_section: Callable[..., Section]) -> None:
    """Tracks with numbers, reasons of what is not done, notes, signatures, machine and versions."""
    section = make_section({"notes": [NOTE]}, {"track": "lost", "status": "failed", "reason": "ValueError: oh"})
    (score,) = section.tracks[0].scores
    text = page_of(section).text
    expected = [
        "lake · holdout.v1", "good", f"{score.macro_f1:.3f}", f"{score.accuracy:.3f}", "2.0 s", "500 ms", "300 MB",
        "failed: ValueError: oh", "1,234 objects occur <twice>", "(first: o1, o2)", score.signature, "abacus; 1 thread",
        "numpy 9.9.9", f"planktonbench {__version__}", "2,000 resamples of samples",
    ]  # fmt: skip

    assert [words for words in expected if words not in text] == []


def test_confused_pairs_stand_beside_examples_of_both(make_section: Callable[..., Section], tmp_path: Path) -> None:
    """Images of both taxa, and between them those that were called the other, with their count and share."""
    section = make_section({"wrong": 3})
    ids = section.runs[0].truth["object_id"]
    kept = pd.DataFrame({"object_id": ids, "png": [f"image of {one}".encode() for one in ids], "data_sha256": "c" * 64})
    kept.to_parquet(tmp_path / "examples.parquet")
    page = page_of(section, examples=ImageCopies(tmp_path / "examples.parquet", 112))
    predictions = section.runs[0].predictions
    (pair,) = {
        tuple(row)
        for row in predictions[predictions["taxon"] != predictions["predicted"]][["taxon", "predicted"]].to_numpy()
    }

    assert f"{pair[0]} called {pair[1]}: 3 (50 % of its test objects)" in page.text
    assert f"no {pair[1]} was called {pair[0]}" in page.text
    shown = class_examples(section)
    pictures = [address for address in page.addresses if address.startswith("data:image")]
    assert len(pictures) == sum(map(len, shown.values())) + sum(len(shown[one]) for one in pair) + 3


MEASURED = {"table": "measured", "version": 1, "background": "dark", "pieces": "largest", "scale_bar": 31}


@pytest.fixture
def outlines(tmp_path: Path) -> OutlinePictures:
    """Pictures of what was measured of three objects."""
    rows = [("egg", "o1", b"1", "a"), ("egg", "o2", b"2", "a"), ("zoea", "o9", b"9", "a")]
    table = pd.DataFrame(rows, columns=["taxon", "object_id", "png", "state"])
    table.to_parquet(tmp_path / "outlines.parquet")
    return OutlinePictures(tmp_path / "outlines.parquet")


def test_what_was_measured_can_be_seen(make_section: Callable[..., Section], outlines: OutlinePictures) -> None:
    """Each picture under its taxon, and how objects were told from the background."""
    empty = {"code": NOTHING_FOUND, "text": "of 63 images show nothing", "count": 7}
    page = page_of(
        make_section({"features": {**MEASURED, "pixel_size_um": 10.58}, "notes": [empty]}), outlines=outlines
    )
    expected = "dark background, the largest piece, the lowest 31 rows cut off (shown pale), a pixel is 10.58 µm wide."

    assert f"inside of the red outlines: {expected} 7 of 63 images show nothing." in page.text
    pictures = [address for address in page.addresses if address.startswith("data:image")]
    assert [address.rpartition(",")[2] for address in pictures] == ["MQ==", "Mg==", "OQ=="]


def test_images_that_all_show_something_are_told(
    make_section: Callable[..., Section], outlines: OutlinePictures
) -> None:
    """The number of empty masks is not left open when it is 0."""
    plain = {**MEASURED, "table": "native+measured", "pieces": "all", "scale_bar": 0}
    text = page_of(make_section({"features": plain}), outlines=outlines).text

    assert "red outlines: dark background, all pieces but specks. Each image shows something." in text


def test_tracks_on_native_features_show_no_outline(
    make_section: Callable[..., Section], outlines: OutlinePictures
) -> None:
    """Pictures that an earlier run left are not of what they learnt from."""
    assert "What was measured" not in page_of(make_section(), outlines=outlines).text


def test_without_images_classes_are_a_figure_alone(make_section: Callable[..., Section]) -> None:
    """A data set without images has its page all the same."""
    page = page_of(make_section())

    assert not [address for address in page.addresses if address.startswith("data:image")]
    assert "Training objects of each taxon" not in page.text


def test_feature_importance_names_its_track(make_section: Callable[..., Section]) -> None:
    """Whose it is, over how many runs, and how many features are shown."""
    table = pd.DataFrame({"feature": [f"f{k}" for k in range(25)], "gain": 0.04, "permutation": 0.01})
    text = page_of(make_section({"importance": table})).text

    assert "What good looked at, the first 20 of 25 features." in text
    assert "Means over 1 run." in text


def test_the_data_and_the_tracks_can_be_cited(make_section: Callable[..., Section]) -> None:
    """The citation of the data once, whatever the number of runs, and the source of each track."""
    facts = {"data_citation": "Nemo (1870). Seas. Licence: CC0.", "source": "Verne 1870"}
    text = page_of(make_section(facts, {**facts, "seed": 1})).text

    assert text.count("Data: Nemo (1870). Seas. Licence: CC0.") == 1
    assert "good: Verne 1870" in text
    assert f"planktonbench {__version__}. Give the signature" in text


def test_several_sections_begin_with_a_table_of_them(
    make_section: Callable[..., Section], add_run: Callable[..., Path], tmp_path: Path
) -> None:
    """Best track and score of each, with a link to its page; simulated ones say so."""
    make_section()
    add_run(tmp_path / "results", dataset="bay", simulated=True)
    page = overview_of(*sections_of(read_runs(tmp_path / "results")))

    assert {"dataset-bay.html", "dataset-lake.html"} < set(page.addresses)
    assert "bay · holdout.v1 (simulated) 3 21 good" in page.text
    assert "parts of this report, which say so, are about drawings" in page.text
    assert "lake · holdout.v1 3 21 good" in page.text


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("fact", "word"), [("simulated", "simulated"), ("quick", "--quick")])
def test_what_is_no_full_result_is_called_so(
    make_section: Callable[..., Section], fact: str, word: str, *, told: bool
) -> None:
    """Simulated data and smaller budgets are named on their pages and on no other."""
    assert (word in page_of(make_section({fact: told})).text.lower()) is told


def test_names_are_no_code(make_section: Callable[..., Section]) -> None:
    """Names of taxa, reasons and versions are shown as they are, and never taken for tags."""
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


def test_several_runs_are_told_with_how_they_combine(make_section: Callable[..., Section]) -> None:
    """Means over runs, one interval line for each run, matrices of all runs added up."""
    page = page_of(make_section({"wrong": 1}, {"seed": 1}, {"seed": 2, "status": "failed", "reason": "oh"}))

    assert "mean over 2 runs (seeds or folds)" in page.text
    assert "Test objects of all runs added up" in page.text
    assert "2 (failed: oh)" in page.text
    assert page.text.count("macroF1|") == 2


def test_lost_and_absent_classes_are_told(make_section: Callable[..., Section]) -> None:
    """The share of resamples that lose a class, and classes that no mean includes."""
    section = make_section({"taxa": {"egg": 60, "Zoea": 3}, "classes": ["egg", "Zoea", "Doliolida"]})
    share = section.tracks[0].scores[0].draws_losing_a_class
    text = page_of(section).text

    assert f"In {100 * share:.1f} % of the resamples of the first run a rare class was lost" in text
    assert "Classes without test objects in the first run, which no mean includes: Doliolida." in text


def test_the_preparation_of_columns_is_told(make_section: Callable[..., Section], preparation: pd.DataFrame) -> None:
    """How many columns stay, why others went, and where values are missing."""
    text = page_of(make_section({"preparation": preparation})).text

    assert "5 columns, of which 3 are kept by good (holdout.v1, seed 0)" in text
    assert "constant constant (1)" in text
    assert "double |r| = 1.000 with area" in text
    assert "skew 25.00 %" in text
    assert "Native features" in text


@pytest.mark.parametrize(
    ("table", "heading"), [("measured", "Measured features"), ("native+measured", "Native and measured features")]
)
def test_the_heading_says_whose_columns_they_are(
    make_section: Callable[..., Section], preparation: pd.DataFrame, table: str, heading: str
) -> None:
    """Measured columns are not called native."""
    assert heading in page_of(make_section({"preparation": preparation, "features": {**MEASURED, "table": table}})).text


def test_a_section_without_a_finished_run_is_shown(make_section: Callable[..., Section]) -> None:
    """The reason stands in place of numbers."""
    text = page_of(make_section({"status": "skipped", "reason": "no weights"})).text

    assert "skipped: no weights" in text
    assert "Confusion matrices" not in text


def test_what_nobody_measured_is_a_dash(make_section: Callable[..., Section]) -> None:
    """A run that is done without timing or memory has its line all the same."""
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
def test_numbers_are_written_as_a_person_would(
    write: Callable[[float | None], str], value: float | None, expected: str
) -> None:
    """Seconds in the unit that fits, other numbers with three digits; None and NaN are a dash."""
    assert write(value) == expected


def test_cautions_stand_above_the_numbers_and_are_explained(make_section: Callable[..., Section]) -> None:
    """Code and finding on both pages, and what they mean on a page of their own, of those that apply alone."""
    section = make_section()
    found = [ReportWarning(OBJECT_INTERVAL, "too narrow"), ReportWarning(SIMULATED, "drawn")]
    texts = [page_of(section, warnings=found).text, Page(render_overview([shown_of(section, warnings=found)])).text]
    explained = Page(render_warnings([shown_of(section, warnings=found[:1])])).text

    for text in texts:
        assert text.index("W03 too narrow") < text.index("W07 drawn") < text.index("95 % interval")
    assert OBJECT_INTERVAL.remedy in explained
    assert SIMULATED.remedy not in explained


def test_rank_groups_have_a_column_when_they_are_known(make_section: Callable[..., Section]) -> None:
    """Without a comparison nobody is in a group."""
    section = make_section()

    assert "group track macro F1" in page_of(section, groups={"good": 1}).text
    assert "group track macro F1" not in page_of(section).text


def test_differences_to_the_best_track_are_told(make_section: Callable[..., Section]) -> None:
    """With their paired interval; the best has none."""
    section = make_section({}, {"track": "fair", "wrong": 5})
    text = page_of(section, groups={"good": 1, "fair": 1}, gaps={"fair": (-0.1, -0.2, 0.05)}).text

    assert "to the best accuracy" in text
    assert "-0.100 [-0.200, +0.050]" in text
    assert "to the best accuracy" not in page_of(section).text


def test_what_is_known_over_data_sets_is_on_the_overview(make_section: Callable[..., Section]) -> None:
    """Sentences and a forest plot, where a pair was compared on several."""
    shown = [shown_of(make_section())]
    told = Page(render_overview(shown, OverDatasets(["one against two on 2 data sets."], {"data": [], "layout": {}})))

    assert "Over data sets one against two on 2 data sets." in told.text
    assert "Over data sets" not in Page(render_overview(shown)).text


def test_confident_errors_are_told_with_label_call_and_score(make_section: Callable[..., Section]) -> None:
    """With their image where one is kept; without scores the page says why there are none."""
    section = make_section()
    one = SuspectedLabelError("o7", "egg", "Copepoda", 0.987, "data:image/webp;base64,AAAA")
    page = page_of(section, suspected_label_errors=[one], suspected_label_error_files=["good"])

    assert "labelled egg called Copepoda (0.987) o7" in page.text
    assert {one.address, "tables/lake-good-suspects.tsv"} < set(page.addresses)
    assert "good stored no scores" in page_of(section).text
    assert "There is none." in page_of(section, suspected_label_errors=[]).text
