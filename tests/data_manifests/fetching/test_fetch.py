"""Fetching from a well-behaved local server, and from faulty ones."""

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
    """Serves one file, with the faults that a test sets.

    Attributes:
        content: the file.
        tag: its ETag; empty for none.
        ranges: whether it supports range requests.
        stop_after: bytes after which each of the next responses ends.
        announced: announced length, if it differs from the true one.
        status: status code of the response.
        kind: its Content-Type.
        encoding: its Content-Encoding; empty for none.
        ignores_version: whether it sends the requested range of a file that has changed.
        shift: bytes between the requested and the actual start of a range.
        requested: the Range header of each request for the file.

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
        self.ignores_version = False
        self.shift = 0
        self.requested: list[str] = []
        self.pause = 0.0

    @property
    def url(self) -> str:
        """URL of the file."""
        return f"http://127.0.0.1:{self.server_port}/files/set.zip"


class Handler(BaseHTTPRequestHandler):
    """Responds as configured in its server."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_HEAD(self) -> None:
        """Send the length."""
        self._head(0)
        self.close_connection = True

    def do_GET(self) -> None:
        """Send the file, the requested range, or the faulty response that the test configured."""
        server = self.server
        server.requested.append(self.headers.get("Range", ""))
        start = self._start()
        if start == len(server.content):
            self._range_not_satisfiable()
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
        fits = self.server.ranges and wanted and (known == self.server.tag or self.server.ignores_version)
        return int(wanted.removeprefix("bytes=").removesuffix("-")) if fits else 0

    def _range_not_satisfiable(self) -> None:
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
    """A server of a zip file; interrupted downloads are resumed without a pause."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    made = Server(zipped(FILES))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def manifest_for(server: Server, **facts: Any) -> Manifest:  # noqa: ANN401 - fields of the download
    """Return a manifest whose download is the file of the server."""
    entry = Download(**{"url": server.url, "root": "Set", **facts})
    return manifest_of_folder("sea").model_copy(update={"downloads": (entry,)})


def digest(content: bytes) -> str:
    """Return the sha256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files in a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


EXPECTED = {name.removeprefix("Set/"): content for name, content in FILES.items() if "._" not in name}


def test_a_data_set_is_fetched_unpacked_and_found(server: Server) -> None:
    """It is installed where data sets are searched, without the archive's root folder and without macOS metadata."""
    fetched = fetch(manifest_for(server))

    assert read_folder(fetched.folder) == EXPECTED
    assert fetched == Fetched(fetched.folder, already_present=False, pins={server.url: digest(server.content)})
    assert pb.data_manifests.dataset.find_folder("sea") == fetched.folder
    assert sorted(path.name for path in fetched.folder.parent.iterdir()) == [".sea.lock", "sea"]


def test_a_file_with_the_pinned_hash_is_accepted(server: Server, tmp_path: Path) -> None:
    """No pin is suggested for it."""
    assert fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea").pins == {}


def test_an_existing_data_set_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    """Unless force is set."""
    fetch(manifest_for(server), tmp_path / "sea")
    again = fetch(manifest_for(server), tmp_path / "sea")
    requests = len(server.requested)
    fetch(manifest_for(server), tmp_path / "sea", force=True)

    assert again.already_present
    assert (requests, len(server.requested)) == (1, 2)
    assert read_folder(tmp_path / "sea") == EXPECTED


def test_a_data_set_in_the_users_data_folder_is_not_fetched_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folders that `run` searches are searched here, too."""
    fetch(manifest_for(server), tmp_path / "sea")
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path))

    assert fetch(manifest_for(server)) == Fetched(tmp_path / "sea", already_present=True, pins={})


def test_replaced_folders_are_kept(server: Server, tmp_path: Path) -> None:
    """Each replaced folder gets a new name and keeps the files that the user added."""
    folder = fetch(manifest_for(server), tmp_path / "sea").folder
    (folder / "notes.txt").write_text("my own")
    previous = [fetch(manifest_for(server), folder, force=True).previous for _ in range(2)]

    assert previous == [tmp_path / "sea.former-1", tmp_path / "sea.former-2"]
    assert (tmp_path / "sea.former-1" / "notes.txt").read_text() == "my own"
    assert read_folder(folder) == EXPECTED


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_other_files_is_not_touched(server: Server, tmp_path: Path, *, force: bool) -> None:
    """It is neither mistaken for the data set nor replaced by it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="is not empty and contains no data set"):
        fetch(manifest_for(server), tmp_path / "home", force=force)

    assert read_folder(tmp_path / "home") == {"thesis.txt": b"years of work"}
    assert server.requested == []


def test_an_empty_folder_is_filled(server: Server, tmp_path: Path) -> None:
    """The user may have created it for the data set."""
    (tmp_path / "sea").mkdir()

    assert fetch(manifest_for(server), tmp_path / "sea").previous is None
    assert read_folder(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("root", ["/home", "..", "Set/../..", "C:/Users", "Set\\..\\.."])
def test_a_manifest_root_outside_the_archive_is_rejected(server: Server, tmp_path: Path, root: str) -> None:
    """It would move unrelated folders into the data set."""
    with pytest.raises(ManifestError, match="is outside the archive"):
        fetch(manifest_for(server, root=root), tmp_path / "sea")
    assert server.requested == []


def test_an_interrupted_download_is_resumed(server: Server, tmp_path: Path) -> None:
    """Only the missing bytes are requested, within one call and over several."""
    server.stop_after = [32_768, 16_384]
    fetched = fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea")

    assert server.requested == ["", "bytes=32768-", "bytes=49152-"]
    assert read_folder(fetched.folder) == EXPECTED


def test_a_download_that_is_always_interrupted_is_kept_for_the_next_call(server: Server, tmp_path: Path) -> None:
    """The message says so, and the next call requests only the missing bytes."""
    server.stop_after = [16_384] * download.TRIES
    with pytest.raises(
        DataError, match=r"interrupted 5 times, most recently after 81,920 bytes: .* run the command again to resume"
    ):
        fetch(manifest_for(server), tmp_path / "sea")
    server.requested.clear()
    fetch(manifest_for(server), tmp_path / "sea")

    assert server.requested == ["bytes=81920-"]
    assert read_folder(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("shift", [1000, -1000])
def test_a_response_with_another_range_is_rejected(server: Server, tmp_path: Path, shift: int) -> None:
    """It is written neither as the missing bytes nor as the whole file; the file is downloaded from the start."""
    server.stop_after, server.shift = [32_768], shift
    fetch(manifest_for(server, sha256=digest(server.content)), tmp_path / "sea")

    assert server.requested == ["", "bytes=32768-", ""]
    assert read_folder(tmp_path / "sea") == EXPECTED


def test_a_complete_download_is_not_repeated(server: Server, tmp_path: Path) -> None:
    """The process was killed after the last byte and before the file was renamed."""
    store = tmp_path / ".sea.downloads"
    store.mkdir()
    (store / "set.zip.part").write_bytes(server.content)
    (store / "set.zip.part.version").write_text(f"{server.tag}\n{len(server.content)}")
    fetch(manifest_for(server), tmp_path / "sea")

    assert server.requested == [f"bytes={len(server.content)}-"]
    assert read_folder(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("change", [{"ranges": False}, {"tag": ""}, {"tag": 'W/"weak"'}])
def test_the_whole_file_is_requested_if_it_cannot_be_resumed(
    server: Server, tmp_path: Path, change: dict[str, object]
) -> None:
    """This applies to servers without range requests and to files without a strong version mark."""
    for name, value in change.items():
        setattr(server, name, value)
    server.stop_after = [32_768]
    fetch(manifest_for(server), tmp_path / "sea")

    assert len(server.requested) == 2
    assert read_folder(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize("ignores_version", [False, True])
def test_versions_of_a_changed_file_are_not_mixed(server: Server, tmp_path: Path, *, ignores_version: bool) -> None:
    """The incomplete old version is discarded, even if the server would send the requested range of the new one."""
    server.ignores_version = ignores_version
    server.stop_after = [16_384] * download.TRIES
    with pytest.raises(DataError, match="interrupted"):
        fetch(manifest_for(server), tmp_path / "sea")
    server.tag, server.content = '"two"', zipped({"Set/taxa.csv": os.urandom(90_000)})
    fetch(manifest_for(server), tmp_path / "sea")

    assert list(read_folder(tmp_path / "sea")) == ["taxa.csv"]


def test_a_server_that_announces_more_than_it_sends(server: Server, tmp_path: Path) -> None:
    """The file is never considered complete."""
    server.announced = len(server.content) + 5000
    with pytest.raises(DataError, match=r"interrupted 5 times, most recently after 102,760 bytes: IncompleteRead"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


def test_a_server_that_announces_less_than_the_manifest(server: Server, tmp_path: Path) -> None:
    """The manifest takes precedence."""
    expected = len(server.content)
    server.announced = expected - 5000
    with pytest.raises(DataError, match=rf"has {expected - 5000:,} bytes; expected {expected:,}, as in the manifest"):
        fetch(manifest_for(server, bytes=expected), tmp_path / "sea")


def test_a_server_that_announces_less_than_it_has(server: Server, tmp_path: Path) -> None:
    """The truncated archive is rejected."""
    server.announced = len(server.content) - 5000
    with pytest.raises(DataError, match="not an archive"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_login_page_is_not_mistaken_for_the_file(server: Server, tmp_path: Path, kind: str) -> None:
    """It is recognised whatever its content type; a file that was saved manually is used instead."""
    server.content, server.kind = LOGIN, kind
    with pytest.raises(DataError, match="a web page instead of the file") as caught:
        fetch(manifest_for(server), tmp_path / "sea")
    place = tmp_path / ".sea.downloads" / "set.zip"
    place.write_bytes(zipped(FILES))
    fetch(manifest_for(server), tmp_path / "sea")

    assert f"save the file as {place}, and run the command again" in str(caught.value)
    assert read_folder(tmp_path / "sea") == EXPECTED


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "404, file not found"), (403, "403, access denied"), (401, "401, .* requires a login"),
     (500, "interrupted 5 times.*the server failed with 500")],
)  # fmt: skip
def test_a_refusal_by_the_server_is_reported(server: Server, tmp_path: Path, status: int, message: str) -> None:
    """The message has the URL and the reason."""
    server.status = status
    with pytest.raises(DataError, match=f"{server.url}.*{message}"):
        fetch(manifest_for(server), tmp_path / "sea")


def test_an_unreachable_server_is_reported(server: Server, tmp_path: Path) -> None:
    """The message has the URL and the reason."""
    manifest = manifest_for(server, url="http://127.0.0.1:9/set.zip")
    with pytest.raises(DataError, match=r"http://127.0.0.1:9/set.zip was interrupted 5 times.*refused"):
        fetch(manifest, tmp_path / "sea")


def test_a_server_without_a_secure_connection_is_reported(server: Server, tmp_path: Path) -> None:
    """Immediately, since a retry would not help."""
    manifest = manifest_for(server, url=server.url.replace("http:", "https:"))
    with pytest.raises(DataError, match=r"cannot be downloaded: no secure connection \(TLS\)"):
        fetch(manifest, tmp_path / "sea")


def test_an_existing_file_with_the_wrong_hash_is_kept(server: Server, tmp_path: Path) -> None:
    """It may be the user's only copy; the message has both hashes."""
    store = tmp_path / ".sea.downloads"
    store.mkdir()
    (store / "set.zip").write_bytes(b"an older version")
    with pytest.raises(DataError, match=rf"sha256 {digest(b'an older version')}; the manifest pins {'0' * 64}"):
        fetch(manifest_for(server, sha256="0" * 64), tmp_path / "sea")

    assert (store / "set.zip").read_bytes() == b"an older version"
    assert server.requested == []


def test_a_download_with_the_wrong_hash_is_rejected(server: Server, tmp_path: Path) -> None:
    """Nothing is unpacked, and the file is deleted."""
    with pytest.raises(DataError, match=r"does not have the sha256 pinned by the manifest \(0{64}\) and was deleted"):
        fetch(manifest_for(server, sha256="0" * 64), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()
    assert [path.name for path in (tmp_path / ".sea.downloads").iterdir()] == []


def test_lack_of_disk_space_is_reported_before_the_download(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the space needed, the space available, the folder, and how to choose another one."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's own
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(DataError, match=r"needs 0.00 GB plus 0.2 GB in reserve; .* has 0.00 GB free.*--out DIR"):
        fetch(manifest_for(server), tmp_path / "sea")
    assert server.requested == []


def test_a_manifest_without_downloads_is_reported() -> None:
    """The FlowCam challenge is no longer public; the message refers to `data show`."""
    with pytest.raises(ManifestError, match=r"files of 'flowcam' cannot be fetched.*data show flowcam"):
        fetch(pb.data_manifests.manifest.load_manifest("flowcam"))


def test_a_wrong_root_is_reported(server: Server, tmp_path: Path) -> None:
    """The message lists the contents of the archive."""
    with pytest.raises(DataError, match="has no folder 'Other', which the manifest lists as its root; found: Set"):
        fetch(manifest_for(server, root="Other"), tmp_path / "sea")
    assert not (tmp_path / "sea").exists()


def test_several_downloads_are_combined_in_one_folder(server: Server, tmp_path: Path) -> None:
    """Downloads may be archives or single files; name clashes are rejected."""
    entries = (Download(url=server.url, root="Set"), Download(url=server.url.replace("set.zip", "notes.txt")))
    fetch(manifest_of_folder("sea").model_copy(update={"downloads": entries[:1]}), tmp_path / "one")
    with pytest.raises(DataError, match="'imgs' is also in another download"):
        fetch(manifest_of_folder("sea").model_copy(update={"downloads": (entries[0], entries[0])}), tmp_path / "two")
    server.content = b"notes"
    fetch(manifest_of_folder("sea").model_copy(update={"downloads": entries[1:]}), tmp_path / "three")

    assert read_folder(tmp_path / "three") == {"notes.txt": b"notes"}


def test_progress_counts_the_bytes(server: Server, tmp_path: Path) -> None:
    """Each byte is counted once, although the download was interrupted."""
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
def test_a_killed_fetch_is_resumed_by_the_next_call(server: Server, tmp_path: Path) -> None:
    """No incomplete data set is left behind, and the next call requests only the missing bytes."""
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
    received = part.stat().st_size
    server.pause = 0
    server.requested.clear()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert received != len(server.content)
    assert server.requested == [f"bytes={received}-"]
    assert read_folder(tmp_path / "sea") == EXPECTED
    assert f"sha256: {digest(server.content)}" in done.stdout
    assert "licence: l\nplease cite: c" in done.stderr
    assert f"Next: planktonbench data check {tmp_path / 'sea'} --dataset sea.yaml" in done.stdout


def test_the_command_prints_the_path_of_the_replaced_folder(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that it may be deleted."""
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


def test_a_compressed_tar_file_is_fetched(server: Server, tmp_path: Path) -> None:
    """It is recognised by its contents, and a Content-Encoding header does not cause it to be decompressed twice."""
    server.encoding = "x-gzip"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    server.content = content.getvalue()

    assert read_folder(fetch(manifest_for(server), tmp_path / "sea").folder) == EXPECTED
