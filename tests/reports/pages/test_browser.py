"""Tests of the report in a browser: interaction works, without errors and without requests outside the folder."""

from __future__ import annotations

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

TAXA = {"Copepoda": 36, "detritus": 72, "<b>egg</b>": 18}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, add_run: Callable[..., Path]) -> Path:
    """A report of three tracks on a data set with images."""
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


@pytest.fixture
def visit(browser: Any, report: Path) -> Iterator[Callable[..., Any]]:  # noqa: ANN401 - playwright may not be installed
    """Return a function that opens a page of the report; afterwards check that no errors occurred."""
    errors: list[str] = []
    pages = []

    def opened(name: str, width: int = 1280, *, script: bool = True) -> Any:  # noqa: ANN401 - as above
        page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=script)
        page.set_default_timeout(300_000)
        page.on("console", lambda entry: errors.append(entry.text) if entry.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda sent: None if sent.url.startswith(("file:", "data:")) else errors.append(sent.url))
        page.on("requestfailed", lambda sent: errors.append(f"failed: {sent.url}"))
        page.goto((report / name).as_uri())
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()

    assert errors == []


def tracks_of(page: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return the tracks shown in the leaderboard, from top to bottom."""
    shown: list[str] = page.eval_on_selector_all(
        "#board-lake tbody tr:not([hidden])",
        "rows => rows.map(row => row.querySelector('td.text[title]').textContent)",  # letters have no title
    )
    return shown


def test_the_leaderboard_is_sorted_by_mouse_and_keyboard(visit: Callable[..., Any]) -> None:
    """The first activation sorts in ascending order, the second in descending order; the header states the order."""
    page = visit("index.html")
    header = page.locator("#board-lake th", has_text="prediction")

    assert tracks_of(page) == ["good", "fair", "bad"]
    header.get_by_role("button").click()
    assert tracks_of(page) == ["fair", "good", "bad"]
    assert header.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert tracks_of(page) == ["bad", "good", "fair"]
    assert header.get_attribute("aria-sort") == "descending"


def test_the_leaderboard_is_filtered_by_text(visit: Callable[..., Any]) -> None:
    """Rows that do not match are hidden, and the number of remaining rows is shown."""
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
    """True and predicted taxon, count and images of a cell are shown; classes are sorted by size."""
    page = visit("dataset-lake.html")
    click_cell(page, 0, 0)
    page.wait_for_function("document.querySelectorAll('#cell-pictures img').length > 0")

    description = "detritus predicted as detritus: 24 objects, 100 % of the 24 test objects of detritus"
    assert page.locator("#cell-words").text_content().startswith(description)
    pictures = page.locator("#cell-pictures img")
    assert pictures.count() == 6
    assert pictures.first.get_attribute("alt").endswith("detritus predicted as detritus")
    assert page.evaluate(
        "[...document.querySelectorAll('#cell-pictures img')].every(image => image.naturalWidth === 30)"
    )


def test_a_cell_can_be_chosen_with_the_keyboard(visit: Callable[..., Any]) -> None:
    """Cells are chosen from the list of confusions or by two taxa; names are not interpreted as HTML."""
    page = visit("dataset-lake.html")
    page.locator("#matrix-track").select_option("bad")
    page.locator("summary", has_text="List of the most frequent confusions").press("Enter")
    page.locator("#cell-list button").nth(1).press("Enter")
    description = page.locator("#cell-words")

    assert " predicted as " in description.text_content()
    page.locator("#cell-truth").select_option(label="<b>egg</b>")
    page.locator("#cell-predicted").select_option(label="detritus")
    assert description.text_content().startswith("<b>egg</b> predicted as detritus: 0 objects")
    assert page.locator("#cell-words b").count() == 0


def test_classes_can_be_ordered_and_tracks_changed(visit: Callable[..., Any]) -> None:
    """The matrix shows the classes in the chosen order."""
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


def test_two_tracks_are_compared_by_class(visit: Callable[..., Any]) -> None:
    """The difference is zero for a track and itself, and not for two different tracks."""
    page = visit("dataset-lake.html")
    chart = page.locator("[data-chart=difference]")
    chart.scroll_into_view_if_needed()
    chart.locator(".points path").first.wait_for()
    values = "document.querySelector('[data-chart=difference]').data[0].y"

    assert min(page.evaluate(values)) > 0 or max(page.evaluate(values)) > 0
    page.locator("#second-track").select_option("good")
    page.wait_for_function(f"{values}.every(value => value === 0)")


@pytest.mark.parametrize("name", ["index.html", "dataset-lake.html", "warnings.html"])
def test_a_narrow_window_has_no_horizontal_scrolling(visit: Callable[..., Any], name: str) -> None:
    """At a width of 400 pixels, wide content scrolls inside its own box."""
    page = visit(name, 400)

    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_print_shows_figures_instead_of_charts(visit: Callable[..., Any]) -> None:
    """In print, interactive charts are replaced by static figures."""
    page = visit("dataset-lake.html")

    assert not page.locator(".on-paper img").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator(".on-paper img").first.is_visible()
    assert not page.locator(".chart").first.is_visible()
    assert not page.locator("#matrix-track").is_visible()


def test_without_scripts_there_are_figures_and_tables(visit: Callable[..., Any]) -> None:
    """Elements that need scripts are hidden."""
    page = visit("dataset-lake.html", script=False)

    assert page.locator(".on-paper img").first.is_visible()
    assert page.locator("#board-lake tbody tr").count() == 3
    assert not page.locator("#matrix-track").is_visible()
    assert not page.locator(".chart").first.is_visible()
