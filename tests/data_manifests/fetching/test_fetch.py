"""Fetching from a server that behaves, and from servers that do not; all of them run here."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import planktonbench as pb
import pytest
from planktonbench import DataError, ManifestError
from planktonbench.benchmarks.cli.app import main
from planktonbench.data_manifests.fetching import download
from planktonbench.data_manifests.fetching.fetch import Fetched, fetch
from planktonbench.data_manifests.manifest import Download, Manifest, manifest_of_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOGIN = b"<!DOCTYPE html><html><body>Please log in</body></html>"


class Server(ThreadingHTTPServer):
    """Serves one file; what it does wrong is set by the test.

    Attributes:
        content: the file.
        tag: its ETag; empty for none.
        ranges: whether it gives parts of the file.
        stop_after: bytes after which each of the next answers breaks off.
        announced: length it announces, when that is not the true one.
        status: code it answers with.
        kind: its Content-Type.
        encoding: its Content-Encoding; empty for none.
        careless: whether it gives the rest of a file that has changed.
        shift: bytes by which it misses the place that it is asked for.
        asked: the Range header of each request for the file.

    """

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.tag = '"one"'
        self.ranges = True
        self.stop_after: list[int] = []
        self.announced: int | None = None
        self.status = 200
        self.kind = "application/octet-stream"
        self.encoding = ""
        self.careless = False
        self.shift = 0
        self.asked: list[str] = []
        self.pause = 0.0

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"http://127.0.0.1:{self.server_port}/files/set.zip"


class Handler(BaseHTTPRequestHandler):
    """Answers as its server is set."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Tell the length."""
        self._head(0)
        self.close_connection = True

    def do_GET(self) -> None:
        """Give the file, or what is asked of it, or what the test wants."""
        server = self.server
        server.asked.append(self.headers.get("Range", ""))
        start = self._start()
        if start == len(server.content):
            self._nothing_left()
            return
        start += server.shift if start else 0
        self._head(start)
        body = server.content[start:]
        if server.stop_after:
            body = body[: server.stop_after.pop(0)]
        if server.pause:
            for place in range(0, len(body), 20_000):
                self.wfile.write(body[place : place + 20_000])
                time.sleep(server.pause)
        else:
            self.wfile.write(body)
        self.close_connection = True

    def _start(self) -> int:
        wanted, known = self.headers.get("Range", ""), self.headers.get("If-Range", "")
        fits = self.server.ranges and wanted and (known == self.server.tag or self.server.careless)
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if fits else 0

    def _nothing_left(self) -> None:
        self.send_response(416)
        self.send_header("Content-Range", f"bytes */{len(self.server.content)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _head(self, start: int) -> None:
        server = self.server
        whole = len(server.content) if server.announced is None else server.announced
        self.send_response(206 if start else server.status)
        self.send_header("Content-Type", server.kind)
        self.send_header("Content-Length", str(whole - start))
        self.send_header("Connection", "close")
        if server.encoding:
            self.send_header("Content-Encoding", server.encoding)
        if server.tag:
            self.send_header("ETag", server.tag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.end_headers()


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip file of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


FILES = {
    "Set/taxa.csv": b"objid,taxon\n1,egg\n",
    "Set/imgs/egg/1.png": bytes(range(256)) * 400,
    "Set/._taxa.csv": b"junk",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of a zip file, whose downloads are taken up again at once."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    made = Server(zipped(FILES))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def manifest_for(server: Server, **facts: Any) -> Manifest:  # noqa: ANN401 - fields of the download
    """Return a manifest whose file the server has."""
    entry = Download(**{"url": server.url, "root": "Set", **facts})
    return manifest_of_folder("sea").model_copy(update={"downloads": (entry,)})


def digest(content: bytes) -> str:
    """Return the sha256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def held(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


EXPECTED = {name.removeprefix("Set/"): content for name, content in FILES.items() if "._" not in name}


def test_a_set_is_fetched_unpacked_and_found(server: Server) -> None:
    """It lies where data sets are looked for, without the folder around it and without macOS's junk."""
    fetched = fetch(manifest_for(server))

    assert held(fetched.folder) == EXPECTED
    assert fetched == Fetched(fetched.folder, was_there=False, pins={server.url: digest(server.content)})
    assert pb.data_manifests.dataset.find_folder("sea") == fetched.folder
    assert sorted(path.name for path in fetched.folder.parent.iterdir()) == [".sea.lock", "sea"]


def test_a_pinned_file_is_checked_and_needs_no_pin(server: Server, tmp_path: Path) -> None:
    """The right hash is taken in silence."""
    assert fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea").pins == {}


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    """Unless it is asked for."""
    fetch(manifest_for(server), tmp_path / "sea")
    again = fetch(manifest_for(server), tmp_path / "sea")
    asked = len(server.asked)
    fetch(manifest_for(server), tmp_path / "sea", force=True)

    assert again.was_there
    assert (asked, len(server.asked)) == (1, 2)
    assert held(tmp_path / "sea") == EXPECTED


def test_a_set_of_ones_own_is_not_fetched_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for where `run` looks."""
    fetch(manifest_for(server), tmp_path / "sea")
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path))

    assert fetch(manifest_for(server)) == Fetched(tmp_path / "sea", was_there=True, pins={})


def test_what_is_fetched_again_is_kept(server: Server, tmp_path: Path) -> None:
    """Each former folder under a name of its own, with what somebody has added to it."""
    folder = fetch(manifest_for(server), tmp_path / "sea").folder
    (folder / "notes.txt").write_text("my own")
    formers = [fetch(manifest_for(server), folder, force=True).former for _ in range(2)]

    assert formers == [tmp_path / "sea.former-1", tmp_path / "sea.former-2"]
    assert (tmp_path / "sea.former-1" / "notes.txt").read_text() == "my own"
    assert held(folder) == EXPECTED


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_something_else_is_left_alone(server: Server, tmp_path: Path, *, force: bool) -> None:
    """It is not taken for the set, nor replaced by it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="is not empty and holds no data set"):
        fetch(manifest_for(server), tmp_path / "home", force=force)

    assert held(tmp_path / "home") == {"thesis.txt": b"years of work"}
    assert server.asked == []


def test_an_empty_folder_is_filled(server: Server, tmp_path: Path) -> None:
    """Somebody has made it for the set."""
    (tmp_path / "sea").mkdir()

    assert fetch(manifest_for(server), tmp_path / "sea").former is None
    assert held(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("root", ["/home", "..", "Set/../..", "C:/Users", "Set\\..\\.."])
def test_a_manifest_cannot_reach_out_of_its_archive(server: Server, tmp_path: Path, root: str) -> None:
    """Its root would have somebody else's folders moved into the set."""
    with pytest.raises(ManifestError, match="leads out of the archive"):
        fetch(manifest_for(server, root=root), tmp_path / "sea")
    assert server.asked == []


def test_a_broken_download_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    """Only the rest is asked for, within one call and over several."""
    server.stop_after = [32_768, 16_384]
    fetched = fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea")

    assert server.asked == ["", "bytes=32768-", "bytes=49152-"]
    assert held(fetched.folder) == EXPECTED


def test_a_download_that_breaks_off_each_time_is_kept_for_the_next_call(server: Server, tmp_path: Path) -> None:
    """The message says so, and the next call asks for the rest alone."""
    server.stop_after = [16_384] * download.TRIES
    with pytest.raises(DataError, match=r"broke off 5 times, the last time after 81,920 bytes: .* call again to go on"):
        fetch(manifest_for(server), tmp_path / "sea")
    server.asked.clear()
    fetch(manifest_for(server), tmp_path / "sea")

    assert server.asked == ["bytes=81920-"]
    assert held(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("shift", [1000, -1000])
def test_a_server_that_misses_the_place_is_not_believed(server: Server, tmp_path: Path, shift: int) -> None:
    """The part that it gives is not written, neither as the rest nor as the whole; the file is fetched anew."""
    server.stop_after, server.shift = [32_768], shift
    fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea")

    assert server.asked == ["", "bytes=32768-", ""]
    assert held(tmp_path / "sea") == EXPECTED


def test_a_download_that_was_complete_is_not_begun_again(server: Server, tmp_path: Path) -> None:
    """It was killed between the last byte and its taking."""
    store = tmp_path / ".sea.downloads"
    store.mkdir()
    (store / "set.zip.part").write_bytes(server.content)
    (store / "set.zip.part.version").write_text(f"{server.tag}\n{len(server.content)}")
    fetch(manifest_for(server), tmp_path / "sea")

    assert server.asked == [f"bytes={len(server.content)}-"]
    assert held(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("change", [{"ranges": False}, {"tag": ""}, {"tag": 'W/"weak"'}])
def test_without_a_sure_rest_the_whole_is_fetched(server: Server, tmp_path: Path, change: dict[str, object]) -> None:
    """A server that gives no parts, or does not know its file again, is asked for all of it."""
    for name, value in change.items():
        setattr(server, name, value)
    server.stop_after = [32_768]
    fetch(manifest_for(server), tmp_path / "sea")

    assert len(server.asked) == 2
    assert held(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("careless", [False, True])
def test_a_file_that_changed_between_two_tries_is_not_mixed(server: Server, tmp_path: Path, *, careless: bool) -> None:
    """The beginning of the old one is thrown away, also where the server would give the rest of the new one."""
    server.careless = careless
    server.stop_after = [16_384] * download.TRIES
    with pytest.raises(DataError, match="broke off"):
        fetch(manifest_for(server), tmp_path / "sea")
    server.tag, server.content = '"two"', zipped({"Set/taxa.csv": os.urandom(90_000)})
    fetch(manifest_for(server), tmp_path / "sea")

    assert list(held(tmp_path / "sea")) == ["taxa.csv"]


def test_a_server_that_promises_more_than_it_has(server: Server, tmp_path: Path) -> None:
    """The file is never taken for whole."""
    server.announced = len(server.content) + 5000
    with pytest.raises(DataError, match=r"broke off 5 times, the last time after 102,760 bytes: IncompleteRead"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


def test_a_server_that_promises_less_than_the_manifest(server: Server, tmp_path: Path) -> None:
    """The manifest is believed."""
    expected = len(server.content)
    server.announced = expected - 5000
    with pytest.raises(DataError, match=rf"has {expected - 5000:,} bytes; expected {expected:,}, as in the manifest"):
        fetch(manifest_for(server, bytes=expected), tmp_path / "sea")


def test_a_server_that_promises_less_than_it_has(server: Server, tmp_path: Path) -> None:
    """The archive is cut off, and nobody takes it for whole."""
    server.announced = len(server.content) - 5000
    with pytest.raises(DataError, match="not an archive"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_login_page_is_not_taken_for_the_file(server: Server, tmp_path: Path, kind: str) -> None:
    """Whatever it calls itself; a file that was saved by hand is taken instead."""
    server.content, server.kind = LOGIN, kind
    with pytest.raises(DataError, match="a web page instead of the file") as told:
        fetch(manifest_for(server), tmp_path / "sea")
    place = tmp_path / ".sea.downloads" / "set.zip"
    place.write_bytes(zipped(FILES))
    fetch(manifest_for(server), tmp_path / "sea")

    assert f"save the file as {place}, and call again" in str(told.value)
    assert held(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "404, there is no such file"), (403, "403, the server refuses it"), (401, "401, .* asks for a login"),
     (500, "broke off 5 times.*the server failed with 500")],
)  # fmt: skip
def test_a_server_that_refuses_is_told(server: Server, tmp_path: Path, status: int, message: str) -> None:
    """With the address and the reason."""
    server.status = status
    with pytest.raises(DataError, match=f"{server.url}.*{message}"):
        fetch(manifest_for(server), tmp_path / "sea")


def test_nobody_answers(server: Server, tmp_path: Path) -> None:
    """An address without a server behind it ends with one sentence."""
    manifest = manifest_for(server, url="http://127.0.0.1:9/set.zip")
    with pytest.raises(DataError, match=r"http://127.0.0.1:9/set.zip broke off 5 times.*refused"):
        fetch(manifest, tmp_path / "sea")


def test_a_server_without_a_safe_connection_is_told(server: Server, tmp_path: Path) -> None:
    """At once: the next try would not be safer."""
    manifest = manifest_for(server, url=server.url.replace("http:", "https:"))
    with pytest.raises(DataError, match=r"cannot be fetched: no safe connection \(TLS\)"):
        fetch(manifest, tmp_path / "sea")


def test_a_file_put_by_hand_with_another_hash_is_left_there(server: Server, tmp_path: Path) -> None:
    """It may be somebody's only copy; the message names both hashes."""
    store = tmp_path / ".sea.downloads"
    store.mkdir()
    (store / "set.zip").write_bytes(b"an older version")
    with pytest.raises(DataError, match=rf"sha256 {digest(b'an older version')}; the manifest pins {'0' * 64}"):
        fetch(manifest_for(server, sha256="0" * 64), tmp_path / "sea")

    assert (store / "set.zip").read_bytes() == b"an older version"
    assert server.asked == []


def test_a_wrong_hash_is_refused(server: Server, tmp_path: Path) -> None:
    """Nothing is unpacked, and the wrong file does not stay."""
    with pytest.raises(DataError, match=r"is not the file whose sha256 the manifest pins \(0{64}\)"):
        fetch(manifest_for(server, sha256="0" * 64), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()
    assert [path.name for path in (tmp_path / ".sea.downloads").iterdir()] == []


def test_no_room_is_told_before_anything_is_fetched(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed, what is free, where, and how to choose another place."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's own
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(DataError, match=r"needs 0.00 GB and some to spare, and .* has 0.00 GB free.*--out DIR"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert server.asked == []


def test_a_manifest_without_downloads_says_where_to_look() -> None:
    """The FlowCam challenge is not public any more."""
    with pytest.raises(ManifestError, match=r"files of 'flowcam' cannot be fetched.*data show flowcam"):
        fetch(pb.data_manifests.manifest.load_manifest("flowcam"))


def test_a_wrong_root_is_told(server: Server, tmp_path: Path) -> None:
    """With what the archive holds."""
    with pytest.raises(DataError, match="holds no folder 'Other', which the manifest names; found: Set"):
        fetch(manifest_for(server, root="Other"), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


def test_several_downloads_make_one_folder(server: Server, tmp_path: Path) -> None:
    """Archives and single files side by side."""
    entries = (Download(url=server.url, root="Set"), Download(url=server.url.replace("set.zip", "notes.txt")))
    fetch(manifest_of_folder("sea").model_copy(update={"downloads": entries[:1]}), tmp_path / "one")
    with pytest.raises(DataError, match="'imgs' came with another download"):
        fetch(manifest_of_folder("sea").model_copy(update={"downloads": (entries[0], entries[0])}), tmp_path / "two")
    server.content = b"notes"
    fetch(manifest_of_folder("sea").model_copy(update={"downloads": entries[1:]}), tmp_path / "three")

    assert held(tmp_path / "three") == {"notes.txt": b"notes"}


def test_progress_counts_the_bytes(server: Server, tmp_path: Path) -> None:
    """All of them, once, although the download broke off."""
    seen: dict[str, int] = {}

    @contextmanager
    def counting(label: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        assert unit == "bytes"
        seen[f"{label} of {total}"] = 0

        def advance(more: int) -> None:
            seen[f"{label} of {total}"] += more

        yield advance

    server.stop_after = [32_768]
    fetch(manifest_for(server), tmp_path / "sea", counting=counting)
    length, unpacked = len(server.content), sum(map(len, EXPECTED.values()))

    assert seen == {f"fetching set.zip of {length}": length, f"unpacking set.zip of {unpacked}": unpacked}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_fetch_goes_on_with_the_next_call(server: Server, tmp_path: Path) -> None:
    """Killed in the middle, it leaves nothing where the set belongs; the next call fetches the rest alone."""
    server.pause = 0.1
    (tmp_path / "sea.yaml").write_text(
        "{name: sea, title: t, instrument: i, source: s, citation: c, licence: l, background: light,"
        f" downloads: [{{url: '{server.url}', root: Set}}]}}"
    )
    command = [sys.executable, "-m", "planktonbench", "data", "fetch", "sea.yaml", "--out", "sea"]
    part = tmp_path / ".sea.downloads" / "set.zip.part"
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not (part.is_file() and part.stat().st_size):
            time.sleep(0.01)
        process.kill()
    left = part.stat().st_size
    server.pause = 0
    server.asked.clear()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert left != len(server.content)
    assert server.asked == [f"bytes={left}-"]
    assert held(tmp_path / "sea") == EXPECTED
    assert f"sha256: {digest(server.content)}" in done.stdout
    assert "licence: l\nplease cite: c" in done.stderr
    assert f"Next: planktonbench data check {tmp_path / 'sea'} --dataset sea.yaml" in done.stdout


def test_the_command_tells_where_the_former_folder_is(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And who may delete it."""
    (tmp_path / "sea.yaml").write_text(
        "{name: sea, title: t, instrument: i, source: s, citation: c, licence: l, background: light,"
        f" downloads: [{{url: '{server.url}', root: Set}}]}}"
    )
    words = ["data", "fetch", str(tmp_path / "sea.yaml"), "--out", str(tmp_path / "sea"), "--force"]

    assert (main(words), main(words)) == (0, 0)
    assert (
        f"previous files: {tmp_path / 'sea.former-1'} (delete them if you no longer need them)"
        in capsys.readouterr().out
    )


def test_a_tar_file_is_fetched_too(server: Server, tmp_path: Path) -> None:
    """Compressed, known by its contents whatever its name, and not unpacked by who takes its suffix for an encoding."""
    server.encoding = "x-gzip"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    server.content = content.getvalue()

    assert held(fetch(manifest_for(server), tmp_path / "sea").folder) == EXPECTED
