"""Resumable downloader for pooch.

pooch finds files that exist already and checks hashes; this downloader resumes interrupted downloads and rejects
responses that are not the requested file. It was tested against a local server only; the publishers' URLs were not
reachable during development.
"""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

TRIES = 5
PAUSE = 2.0  # seconds before the second attempt; doubled before each further one
TIMEOUT = (20, 60)  # seconds to connect, and between two bytes
CHUNK = 1 << 14  # bytes; the most that is lost when a connection breaks
RESERVE = 200_000_000  # bytes to leave free on the disk
HTML_STARTS = (b"<!doctype html", b"<html")


class InterruptedDownloadError(Exception):
    """A download ended early; the next attempt resumes it."""


@dataclass
class ResumableDownloader:
    """Downloader for `pooch.retrieve` that keeps incomplete downloads in a separate file.

    Attributes:
        partial_file: incomplete download; the server's version mark is stored in a file next to it.
        bytes: length of the complete file, if known.
        advance: called with the number of bytes received since the last call.

    """

    partial_file: Path
    bytes: int | None
    advance: Callable[[int], object]
    _reported: int = field(default=0, init=False)

    def __call__(self, url: str, output_file: str | Path, pooch: object, *, check_only: bool = False) -> None:  # noqa: ARG002 - pooch's signature
        """Download a complete file to the path that pooch expects.

        Raises:
            DataError: the server refuses the file or sends something else, or there is not enough disk space.

        """
        import requests
        import urllib3

        temporary = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)
        for attempt in range(TRIES):
            try:
                self._resume(url)
                break
            except requests.exceptions.SSLError as fault:
                message = f"{url} cannot be downloaded: no secure connection (TLS): {_reason(fault)}"
                raise DataError(message) from fault
            except (InterruptedDownloadError, *temporary) as fault:
                if attempt + 1 == TRIES:
                    message = (
                        f"The download of {url} was interrupted {TRIES} times, most recently after "
                        f"{self._size():,} bytes: {_reason(fault)}. The incomplete file is kept; run the command "
                        "again to resume."
                    )
                    raise DataError(message) from fault
                time.sleep(PAUSE * 2**attempt)
            except requests.RequestException as fault:
                message = f"{url} cannot be downloaded: {_reason(fault)}"
                raise DataError(message) from fault
        shutil.move(self.partial_file, output_file)
        self._version_file.unlink(missing_ok=True)

    @property
    def _version_file(self) -> Path:
        """File that holds the server's version mark (ETag or date) and, on the next line, the announced length."""
        return self.partial_file.with_name(f"{self.partial_file.name}.version")

    def _read_version(self) -> tuple[str, str]:
        """Return version mark and announced length of the incomplete download; empty texts if unknown."""
        mark, _, announced = (
            self._version_file.read_text("utf-8").partition("\n") if self._version_file.is_file() else ("", "", "")
        )
        return mark, announced

    def _size(self) -> int:
        return self.partial_file.stat().st_size if self.partial_file.is_file() else 0

    def _resume(self, url: str) -> None:
        """Request the missing bytes and append them; request the whole file if it changed or ranges are unsupported."""
        import requests

        have = self._size()
        mark, announced = self._read_version()
        range_headers = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
        headers = {"Accept-Encoding": "identity", **range_headers}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                if answer.headers.get("Content-Range") == f"bytes */{have}" and announced in {"", str(have)}:
                    return  # the download was complete when the previous process was killed
                self._discard("the file has changed")
            _check_status(answer, url)
            if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
                raise DataError(_html_message(url, self.partial_file))
            partial = answer.status_code == requests.codes.partial_content
            start = have if partial else 0
            total = _length(answer, start)
            if partial and not (range_headers and _continues(answer, start, total) and _version(answer) in {mark, ""}):
                self._discard("the server sent a different range than requested, or the file has changed")
            self._check_length(url, total)
            require_disk_space(self.partial_file.parent, None if total is None else total - start, url)
            self._version_file.write_text(
                f"{_version(answer) or (mark if partial else '')}\n{total or ''}", encoding="utf-8"
            )
            self._append(answer, start)
        if total is not None and self._size() != total:
            message = f"the server announced {total:,} bytes and sent {self._size():,}"
            if self._size() > total:
                self.partial_file.unlink()
            raise InterruptedDownloadError(message)

    def _append(self, answer: requests.Response, start: int) -> None:
        self._report(start)
        with self.partial_file.open("ab" if start else "wb") as file:
            for chunk in answer.raw.stream(CHUNK, decode_content=False):  # a .gz file stays compressed
                if not file.tell() and chunk[:64].lstrip().lower().startswith(HTML_STARTS):
                    raise DataError(_html_message(answer.url, self.partial_file))
                file.write(chunk)
                self._report(file.tell())

    def _discard(self, why: str) -> NoReturn:
        """Delete the incomplete download, so that the next attempt requests the whole file."""
        self.partial_file.unlink(missing_ok=True)
        raise InterruptedDownloadError(why)

    def _report(self, done: int) -> None:
        self.advance(done - self._reported)
        self._reported = done

    def _check_length(self, url: str, total: int | None) -> None:
        if self.bytes is not None and total is not None and total != self.bytes:
            message = (
                f"{url} has {total:,} bytes; expected {self.bytes:,}, as in the manifest. The file has changed, or "
                "the URL is redirected: open it in a browser."
            )
            raise DataError(message)


def require_disk_space(folder: Path, needed: int | None, what: str) -> None:
    """Check that there is enough disk space.

    Raises:
        DataError: there is not; the message gives the space needed, the space available and the folder.

    """
    free = shutil.disk_usage(folder).free
    if needed is not None and needed + RESERVE > free:
        message = (
            f"{what} needs {needed / 1e9:,.2f} GB plus {RESERVE / 1e9:,.1f} GB in reserve; {folder} has "
            f"{free / 1e9:,.2f} GB free. Free some space, or choose another folder with --out DIR or XDG_CACHE_HOME."
        )
        raise DataError(message)


def announced_bytes(url: str) -> int | None:
    """Request the length of a file; None if the server does not announce it."""
    import requests

    try:
        answer = requests.head(url, headers={"Accept-Encoding": "identity"}, allow_redirects=True, timeout=TIMEOUT)
    except requests.RequestException:
        return None  # the download itself will report the reason
    return _length(answer, 0) if answer.ok else None


def _check_status(answer: requests.Response, url: str) -> None:
    reasons = {
        401: "the server requires a login",
        403: "access denied",
        404: "file not found",
        410: "the file was removed",
    }
    code = answer.status_code
    if code >= 500 or code in {408, 429}:  # noqa: PLR2004 - server errors and rate limits, which may be temporary
        message = f"the server failed with {code} {answer.reason}"
        raise InterruptedDownloadError(message)
    if code >= 400:  # noqa: PLR2004 - client errors
        why = reasons.get(code, answer.reason)
        message = f"{url} cannot be downloaded: {code}, {why}. Open the URL in a browser to see whether it has moved."
        raise DataError(message)


def _html_message(url: str, partial_file: Path) -> str:
    place = partial_file.with_suffix("")
    return (
        f"{url} returned a web page instead of the file (is there a login, or a licence to accept?). Open it in a "
        f"browser, save the file as {place}, and run the command again: it is unpacked from there and then deleted."
    )


def _continues(answer: requests.Response, have: int, total: int | None) -> bool:
    """Return whether a partial response starts at byte `have` and reaches the end of the file."""
    span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if span is None or int(span[1]) != have:
        return False
    end = int(span[2]) + 1
    return span[3] in {"*", str(end)} and total in {None, end}


def _length(answer: requests.Response, start: int) -> int | None:
    """Return the length of the complete file as announced by the server."""
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _version(answer: requests.Response) -> str:
    """Return the server's version mark of the file: a strong ETag, else the modification date, else an empty text."""
    tag: str = answer.headers.get("ETag", "")
    strong = "" if tag.startswith("W/") else tag
    return strong or str(answer.headers.get("Last-Modified", ""))


def _reason(fault: Exception) -> str:
    """Return the innermost reason of a network error, which is the informative one."""
    inner: BaseException = fault
    while True:
        causes = [cause for cause in (getattr(inner, "reason", None), *inner.args) if isinstance(cause, BaseException)]
        if not causes:
            return " ".join(str(inner).split())
        inner = causes[0]
