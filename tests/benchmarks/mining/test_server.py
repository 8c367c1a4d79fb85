"""The local server: who may ask for what, and the files that are written."""

from __future__ import annotations

import http.client
import json
import re
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from planktonbench.benchmarks.mining.page_state import PageState
from planktonbench.benchmarks.mining.server import MiningServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planktonbench.benchmarks.mining.preparation import OpenedMining

DISC = "disc <i>"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """File of the answers."""
    return tmp_path / "answers.csv"


@pytest.fixture
def server(opened: OpenedMining, answers: Path) -> Iterator[MiningServer]:
    """A server in another thread, which ranks again after three answers."""
    with MiningServer(PageState(opened, answers, every=3)) as made:
        thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    server: MiningServer, name: str = "", sent: object = None, *, token: str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send a request; return status, headers and content."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
    path = f"/{server.token if token is None else token}/{name}"
    if sent is None:
        connection.request("GET", path, headers=headers)
    else:
        usual = {"Origin": server.origin, "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(sent), {**usual, **headers})
    reply = connection.getresponse()
    found = reply.status, dict(reply.getheaders()), reply.read()
    connection.close()
    return found


def state(server: MiningServer, name: str = "state", sent: object = None) -> dict[str, Any]:
    """Return the JSON of a successful reply."""
    status, _, content = ask(server, name, sent)

    assert status == 200, content
    found: dict[str, Any] = json.loads(content)
    return found


def test_the_page_and_its_files(server: MiningServer) -> None:
    """They are complete, and may not load anything from elsewhere."""
    kinds = {"": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
    for name, kind in kinds.items():
        status, headers, content = ask(server, name)

        assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert not re.search(rb"https?:|url\(|=\"//", content)
    assert server.url.startswith("http://127.0.0.1:")


def test_images_are_sent_by_number(server: MiningServer) -> None:
    """As PNG; other numbers and paths do not exist."""
    for name in ("image/3", "example/1"):
        status, headers, content = ask(server, name)
        assert (status, headers["Content-Type"], content[:4]) == (200, "image/png", b"\x89PNG")
    for name in ("image/100", "image/-1", "image/x", "example/2", "image/../../answers.csv", "page.html", "image/"):
        assert ask(server, name)[0] == 404


@pytest.mark.parametrize("token", ["", "x", "é", "state"])
def test_other_tokens_are_refused(server: MiningServer, token: str) -> None:
    """For the page as for actions."""
    assert ask(server, "state", token=quote(token))[0] == 404
    assert ask(server, "undo", {}, token=quote(token))[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ({"Host": "evil.example"}, 404),
    ],
)
def test_requests_of_other_sites_are_refused(
    server: MiningServer, opened: OpenedMining, headers: dict[str, str], status: int
) -> None:
    """Even with the token: another origin, a form, or another name of the host; nothing changes."""
    sent = {"image": 4, "taxon": DISC, "yes": True}

    assert ask(server, "answer", sent, **headers)[0] == status
    assert opened.session.answers == []
    assert ask(server, "state", Host="evil.example")[0] == 404


def test_every_answer_is_written_at_once(server: MiningServer, answers: Path) -> None:
    """The reply has the new counts; undo removes the last line."""
    for image, yes in ((4, True), (5, False)):
        found = state(server, "answer", {"image": image, "taxon": DISC, "yes": yes})
    counts = next(one for one in found["taxa"] if one["name"] == DISC)

    assert (counts["yes"], counts["no"], found["remaining"]) == (1, 1, 97)
    assert found["confirmed"] == [4]
    assert answers.read_text("utf-8") == f"image,taxon,answer\n04.png,{DISC},yes\n05.png,{DISC},no\n"

    undone = state(server, "undo", {})["undone"]
    assert (undone["image"], undone["name"]) == (5, "05.png")
    assert answers.read_text("utf-8") == f"image,taxon,answer\n04.png,{DISC},yes\n"
    state(server, "undo", {})
    assert state(server, "undo", {})["undone"] is None


def test_images_are_ranked_again_after_some_answers(server: MiningServer) -> None:
    """After the third; the order then is another one, without the answered images."""
    order = [one["image"] for one in state(server)["suggestions"]]
    replies = [state(server, "answer", {"image": image, "taxon": DISC, "yes": image % 4 == 0}) for image in order[:3]]

    assert [reply["ranked"] for reply in replies] == [False, False, True]
    assert [one["image"] for one in replies[1]["suggestions"]][:40] == order[2:42]
    ranked = [one["image"] for one in replies[2]["suggestions"]]
    assert not set(order[:3]) & set(ranked)
    assert ranked[:40] != order[3:43]
    assert state(server, "rank", {"taxon": "square"})["taxon"] == "square"


@pytest.mark.parametrize(
    ("name", "sent", "status"),
    [
        ("answer", {"image": 1000, "taxon": DISC, "yes": True}, 409),
        ("answer", {"image": 1, "taxon": "nothing", "yes": True}, 409),
        ("answer", {"taxon": DISC}, 400),
        ("answer", [1], 400),
        ("nothing", {}, 400),
    ],
)
def test_wrong_requests_are_errors(
    server: MiningServer, opened: OpenedMining, name: str, sent: object, status: int
) -> None:
    """The server continues, and nothing changes."""
    found, _, content = ask(server, name, sent)

    assert found == status
    assert json.loads(content)["error"]
    assert opened.session.answers == []


def test_an_answer_that_cannot_be_written_is_not_kept(opened: OpenedMining, tmp_path: Path) -> None:
    """Page and file agree: the answer must be given again."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    made = PageState(opened, tmp_path / "file" / "answers.csv", every=3)
    with MiningServer(made) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        status, _, content = ask(server, "answer", {"image": 4, "taxon": DISC, "yes": True})
        server.shutdown()

    assert status == 409
    assert "cannot be written" in json.loads(content)["error"]
    assert opened.session.answers == []


def test_finish_ends_the_server(opened: OpenedMining, answers: Path) -> None:
    """The reply is sent before."""
    with MiningServer(PageState(opened, answers, every=0)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        assert state(server, "finish", {}) == {"finished": True}
        thread.join(60)
        assert not thread.is_alive()
