"""Tests of the page of a mining session in a browser: keys, mouse, undo, ranking again, and what is written."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from planktonbench.benchmarks.mining.page_state import PageState
from planktonbench.benchmarks.mining.server import MiningServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planktonbench.benchmarks.mining.preparation import OpenedMining

DISC, SQUARE = "disc <i>", "square"
EVERY = 4


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """File of the answers."""
    return tmp_path / "answers.csv"


@pytest.fixture
def page(browser: Any, opened: OpenedMining, answers: Path) -> Iterator[Any]:  # noqa: ANN401 - playwright may not be installed
    """The page of a session that is ranked again after four answers; no error, and no request to elsewhere, occurs."""
    errors: list[str] = []
    with MiningServer(PageState(opened, answers, EVERY)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        made = browser.new_page(viewport={"width": 1280, "height": 900})
        made.set_default_timeout(300_000)
        made.on("console", lambda entry: errors.append(entry.text) if entry.type in {"error", "warning"} else None)
        made.on("pageerror", lambda error: errors.append(str(error)))
        made.on("request", lambda sent: None if sent.url.startswith(server.url) else errors.append(sent.url))
        made.goto(server.url)
        made.locator(".suggestion").first.wait_for()
        yield made
        made.close()
        server.shutdown()
        thread.join()

    assert errors == []


def names(page: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return the names of the suggestions, in their order."""
    found: list[str] = page.eval_on_selector_all(".suggestion img", "images => images.map(image => image.alt)")
    return found


def current(page: Any) -> str:  # noqa: ANN401 - as above
    """Return the name of the image in question, on which large picture, caption and grid agree."""
    name: str = page.locator("#current").get_attribute("alt")

    assert page.locator("#caption").text_content().startswith(name)
    assert page.locator(".suggestion[aria-current=true] img").get_attribute("alt") == name
    return name


def written(answers: Path, count: int, page: Any) -> list[list[str]]:  # noqa: ANN401 - as above
    """Return the answers in the file, once there are so many."""
    for _ in range(1500):
        lines = answers.read_text("utf-8").splitlines()[1:] if answers.is_file() else []
        if len(lines) == count:
            return [line.split(",") for line in lines]
        page.wait_for_timeout(20)
    pytest.fail(f"{answers.name} has not {count} answers: {lines}")


def test_images_are_shown_in_the_order_of_the_ranking(page: Any, opened: OpenedMining) -> None:  # noqa: ANN401 - as above
    """All pictures are loaded, names of taxa are not interpreted as HTML, and the first image is in question."""
    session = opened.session

    assert names(page) == [str(name) for name in session.names[session.suggestions(DISC, 60)]]
    assert current(page) == names(page)[0]
    assert page.locator("#taxon").text_content() == DISC
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth >= 50)")
    assert page.locator("#examples img").count() == 1


def test_large_images_are_shown_completely(page: Any) -> None:  # noqa: ANN401 - as above
    """Those that are larger than their frame are made smaller, in both directions, not cut off."""
    page.wait_for_load_state("networkidle")
    inside = """() => [...document.querySelectorAll(".frame img, .suggestion img")].every((image) => {
      Object.assign(image.style, {width: "2000px", aspectRatio: "1 / 3"});
      const [outer, inner] = [image.parentElement, image].map((one) => one.getBoundingClientRect());
      const within = (low, high) => outer[low] <= inner[low] && inner[high] <= outer[high];
      return within("left", "right") && within("top", "bottom");
    })"""

    assert page.evaluate(inside)


def test_keys_answer_and_go_on(page: Any, answers: Path) -> None:  # noqa: ANN401 - as above
    """`y` and the right arrow confirm, `n` and the left arrow reject; each answer is in the file at once."""
    order = names(page)
    for count, (key, word) in enumerate([("y", "yes"), ("n", "no"), ("ArrowRight", "yes")], 1):
        page.keyboard.press(key)
        assert written(answers, count, page)[-1] == [order[count - 1], DISC, word]
        assert current(page) == order[count]

    marks = page.eval_on_selector_all(".suggestion", "items => items.slice(0, 4).map(item => item.className.trim())")
    assert marks == ["suggestion yes", "suggestion no", "suggestion yes", "suggestion"]
    page.locator("#progress", has_text="2 yes, 1 no").wait_for()
    assert page.locator("#found img").count() == 2


def test_images_are_ranked_again_after_some_answers(page: Any, opened: OpenedMining, answers: Path) -> None:  # noqa: ANN401 - as above
    """After the fourth, the list begins anew with the order of the new ranking."""
    order = names(page)
    for name in order[:EVERY]:
        page.keyboard.press("y" if int(name[:2]) % 4 == 0 else "n")
    page.locator("#message", has_text="Ranked again").wait_for()

    assert len(written(answers, EVERY, page)) == EVERY
    assert not set(order[:EVERY]) & set(names(page))
    assert names(page) == [str(name) for name in opened.session.names[opened.session.suggestions(DISC, 60)]]
    assert names(page)[:20] != order[EVERY : EVERY + 20]
    assert current(page) == names(page)[0]


def test_keys_may_be_faster_than_the_server(page: Any, answers: Path) -> None:  # noqa: ANN401 - as above
    """Answers given while images are ranked again are about the images shown, which are not suggested again."""
    order = names(page)
    page.evaluate(
        f"for (let k = 0; k < {EVERY + 2}; k++) document.dispatchEvent(new KeyboardEvent('keydown', {{key: 'n'}}))"
    )
    given = written(answers, EVERY + 2, page)
    page.locator("#progress", has_text=f"0 yes, {EVERY + 2} no").wait_for()

    assert [image for image, _, _ in given] == order[: EVERY + 2]
    assert not set(order[: EVERY + 2]) & set(names(page))


def test_undo_takes_answers_back(page: Any, answers: Path) -> None:  # noqa: ANN401 - as above
    """With `u` or the button; the image is in question again, also after images were ranked again."""
    order = names(page)
    page.keyboard.press("y")
    written(answers, 1, page)
    page.keyboard.press("u")
    assert written(answers, 0, page) == []
    page.locator("#message", has_text="Took back").wait_for()
    assert current(page) == order[0]

    page.keyboard.press("y")
    page.keyboard.press("r")
    page.locator("#message", has_text="Ranked again").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.locator("#message", has_text="Took back").wait_for()
    assert current(page) == order[0]
    assert written(answers, 0, page) == []


def test_images_are_chosen_and_answered_by_mouse(page: Any, answers: Path) -> None:  # noqa: ANN401 - as above
    """An answer can also be changed: its image is chosen again."""
    order = names(page)
    page.locator(".suggestion").nth(2).click()
    assert current(page) == order[2]
    page.get_by_role("button", name="No").click()
    assert written(answers, 1, page) == [[order[2], DISC, "no"]]
    assert current(page) == order[3]

    page.locator(".suggestion").nth(2).click()
    page.keyboard.press("y")
    page.locator("#progress", has_text="1 yes, 0 no").wait_for()
    assert written(answers, 1, page) == [[order[2], DISC, "yes"]]


def test_skipped_images_come_back_at_the_end(page: Any) -> None:  # noqa: ANN401 - as above
    """They have no answer, and remain in the list."""
    order = names(page)
    page.keyboard.press("s")

    assert current(page) == order[1]
    assert names(page) == order
    assert "skipped" in page.locator(".suggestion").first.get_attribute("class")


def test_each_class_has_its_suggestions(page: Any, answers: Path) -> None:  # noqa: ANN401 - as above
    """Answers are about the class that is shown; a confirmed image is not suggested for another one."""
    page.get_by_role("button", name=SQUARE).click()
    page.locator("#taxon", has_text=SQUARE).wait_for()
    first = current(page)
    page.keyboard.press("y")

    assert written(answers, 1, page) == [[first, SQUARE, "yes"]]
    page.get_by_role("button", name=DISC).click()
    page.locator("#taxon", has_text=DISC).wait_for()
    assert first not in names(page)


def test_finish_ends_the_session(page: Any) -> None:  # noqa: ANN401 - as above
    """The page says so, and keys do nothing any more."""
    page.get_by_role("button", name="Finish").click()
    page.locator("#done").wait_for()

    assert page.locator("#done").text_content().startswith("Finished")
    page.keyboard.press("y")
    assert page.locator("#message").is_hidden()
    assert page.locator("nav").is_hidden()
    assert page.locator("#finish").is_hidden()
