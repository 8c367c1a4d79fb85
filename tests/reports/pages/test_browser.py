"""The report in a browser: what a reader clicks, types and sees; no error, and no request that leaves the folder."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TAXA = {"Copepoda": 36, "detritus": 72, "<b>egg</b>": 18}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, add_run: Callable[..., Path]) -> Path:
    """A report of three tracks on objects with images."""
    out, data = tmp_path_factory.mktemp("results"), tmp_path_factory.mktemp("data")
    add_run(out, "good", taxa=TAXA, wrong=2)
    add_run(out, "fair", taxa=TAXA, wrong=9, predict_seconds=0.01)
    add_run(out, "bad", taxa=TAXA, wrong=30, predict_seconds=7.0)
    truth = read_runs(out)[0].truth
    truth[["object_id", "taxon"]].to_csv(data / "meta.csv", index=False)
    (data / "imgs").mkdir()
    for number, object_id in enumerate(truth["object_id"]):
        cv2.imwrite(str(data / "imgs" / f"{object_id}.png"), np.full((20, 30), number, np.uint8))
    write_results(out, [open_folder(manifest_of_folder("lake"), data)])
    return out / "report"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("PLANKTONBENCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"there is no {' or '.join(NAMES)} on the path, and PLANKTONBENCH_CHROMIUM names none")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=300_000)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Callable[..., Any]]:  # noqa: ANN401 - playwright may not be installed
    """Return a function that opens a page of the report; in the end nothing may have gone wrong on it."""
    faults: list[str] = []
    pages = []

    def opened(name: str, width: int = 1280, *, script: bool = True) -> Any:  # noqa: ANN401 - as above
        page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=script)
        page.set_default_timeout(300_000)
        page.on("console", lambda told: faults.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else faults.append(asked.url))
        page.on("requestfailed", lambda asked: faults.append(f"failed: {asked.url}"))
        page.goto((report / name).as_uri())
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()

    assert faults == []


def tracks_of(page: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return the tracks that the leaderboard shows, from top to bottom."""
    shown: list[str] = page.eval_on_selector_all(
        "#board-lake tbody tr:not([hidden])",
        "rows => rows.map(row => [...row.cells].find(cell => cell.matches('.text')).textContent)",
    )
    return shown


def test_the_leaderboard_is_sorted_by_a_click_and_by_the_keyboard(visit: Callable[..., Any]) -> None:
    """Rising at first, falling the second time; the head says which."""
    page = visit("index.html")
    predict = page.locator("#board-lake th", has_text="predict")

    assert tracks_of(page) == ["good", "fair", "bad"]
    predict.get_by_role("button").click()
    assert tracks_of(page) == ["fair", "good", "bad"]
    assert predict.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert tracks_of(page) == ["bad", "good", "fair"]
    assert predict.get_attribute("aria-sort") == "descending"


def test_the_leaderboard_is_filtered_by_what_is_typed(visit: Callable[..., Any]) -> None:
    """Rows without the words are hidden, and how many stay is told."""
    page = visit("index.html")
    page.get_by_label("Filter").fill("AI")

    assert tracks_of(page) == ["fair"]
    assert page.locator("[data-counts]").text_content() == "1 of 3"
    page.get_by_label("Filter").fill("")
    assert tracks_of(page) == ["good", "fair", "bad"]


def wait_for_matrix(page: Any) -> Any:  # noqa: ANN401 - as above
    """Return the drawn confusion matrix."""
    matrix = page.locator("[data-chart=confusion]")
    matrix.scroll_into_view_if_needed()
    matrix.locator(".hm image").wait_for()
    return matrix


def click_cell(page: Any, row: int, column: int) -> None:  # noqa: ANN401 - as above
    """Click the middle of a cell of the confusion matrix of three classes."""
    box = wait_for_matrix(page).locator(".nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * (column + 0.45) / 3, box["y"] + box["height"] * (row + 0.45) / 3)
    page.locator(".hoverlayer .hovertext").wait_for()
    page.mouse.click(box["x"] + box["width"] * (column + 0.5) / 3, box["y"] + box["height"] * (row + 0.5) / 3)


def test_a_click_on_a_cell_shows_its_objects(visit: Callable[..., Any]) -> None:
    """Truth, call and count in words, and images of objects that are so; classes stand by size."""
    page = visit("dataset-lake.html")
    click_cell(page, 0, 0)
    page.wait_for_function("document.querySelectorAll('#cell-pictures img').length > 0")

    assert (
        page.locator("#cell-words").text_content().startswith("detritus called detritus: 24 objects, 100 % of the 24")
    )
    pictures = page.locator("#cell-pictures img")
    assert pictures.count() == 6
    assert pictures.first.get_attribute("alt").endswith("detritus called detritus")
    assert page.evaluate(
        "[...document.querySelectorAll('#cell-pictures img')].every(image => image.naturalWidth === 30)"
    )


def test_a_cell_is_reached_by_the_keyboard(visit: Callable[..., Any]) -> None:
    """From the list of the largest confusions, or by naming two taxa; a name is no tag."""
    page = visit("dataset-lake.html")
    page.locator("#matrix-track").select_option("bad")
    page.locator("summary", has_text="The largest confusions").press("Enter")
    page.locator("#cell-list button").nth(1).press("Enter")
    words = page.locator("#cell-words")

    assert "predicted" in words.text_content()
    page.locator("#cell-truth").select_option(label="<b>egg</b>")
    page.locator("#cell-called").select_option(label="detritus")
    assert words.text_content().startswith("<b>egg</b> called detritus: 0 objects")
    assert page.locator("#cell-words b").count() == 0


def test_classes_can_be_ordered_and_tracks_changed(visit: Callable[..., Any]) -> None:
    """The matrix has the names in the order that is chosen."""
    page = visit("dataset-lake.html")
    wait_for_matrix(page)
    names = "document.querySelector('[data-chart=confusion]').data[0].y"

    assert page.evaluate(names) == ["detritus", "Copepoda", "&lt;b&gt;egg&lt;/b&gt;"]
    page.locator("#matrix-order").select_option("name")
    page.wait_for_function(f"{names}[1] === 'Copepoda' && {names}[2] === 'detritus'")
    counts = "JSON.stringify(document.querySelector('[data-chart=confusion]').data[0].z)"
    before = page.evaluate(counts)
    page.locator("#matrix-track").select_option("bad")
    page.wait_for_function(f"{counts} !== {before!r}")


def test_two_tracks_are_set_against_each_other(visit: Callable[..., Any]) -> None:
    """The difference of a track with itself is zero, and of two it is not."""
    page = visit("dataset-lake.html")
    chart = page.locator("[data-chart=difference]")
    chart.scroll_into_view_if_needed()
    chart.locator(".points path").first.wait_for()
    values = "document.querySelector('[data-chart=difference]').data[0].y"

    assert min(page.evaluate(values)) > 0 or max(page.evaluate(values)) > 0
    page.locator("#second-track").select_option("good")
    page.wait_for_function(f"{values}.every(value => value === 0)")


@pytest.mark.parametrize("name", ["index.html", "dataset-lake.html", "warnings.html"])
def test_a_narrow_window_needs_no_scrolling_sideways(visit: Callable[..., Any], name: str) -> None:
    """At 400 pixels what is wide scrolls in its own box."""
    page = visit(name, 400)

    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_on_paper_charts_are_figures(visit: Callable[..., Any]) -> None:
    """What answers to the pointer is left out, and the figure of the same stands in its place."""
    page = visit("dataset-lake.html")

    assert not page.locator(".on-paper img").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator(".on-paper img").first.is_visible()
    assert not page.locator(".chart").first.is_visible()
    assert not page.locator("#matrix-track").is_visible()


def test_without_scripts_there_are_figures_and_tables(visit: Callable[..., Any]) -> None:
    """Nothing is offered that cannot be used."""
    page = visit("dataset-lake.html", script=False)

    assert page.locator(".on-paper img").first.is_visible()
    assert page.locator("#board-lake tbody tr").count() == 3
    assert not page.locator("#matrix-track").is_visible()
    assert not page.locator(".chart").first.is_visible()
