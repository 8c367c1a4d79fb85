"""A download that goes on where it broke off, and takes nothing for the file that is not the file.

It is a downloader for pooch, which looks for what is there and checks the hash. Addresses of publishers could not be
tried where this was written; the tests run it against a server of their own.
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
PAUSE = 2.0  # seconds before the second try; twice as long before each further one
TIMEOUT = (20, 60)  # seconds to connect, and without a byte
PIECE = 1 << 14  # bytes; so many are lost, at most, when a connection breaks
SPARE = 200_000_000  # bytes that a disk should have left
PAGE = (b"<!doctype html", b"<html")


class BrokenOffError(Exception):
    """A download ended before its end; the next try goes on from there."""


@dataclass
class Resuming:
    """A downloader for `pooch.retrieve` that keeps what has come in a file of its own.

    Attributes:
        part: the file in which a download grows; beside it stands by what the server knows the file again.
        bytes: length of the whole file, when it is known beforehand.
        advance: told how many more bytes are there.

    """

    part: Path
    bytes: int | None
    advance: Callable[[int], object]
    _told: int = field(default=0, init=False)

    def __call__(self, url: str, output_file: str | Path, pooch: object, *, check_only: bool = False) -> None:  # noqa: ARG002 - pooch's signature
        """Download a file whole, and put it where pooch wants it.

        Raises:
            DataError: the server does not give the file, gives something else, or there is no room.

        """
        import requests
        import urllib3

        passing = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)
        for attempt in range(TRIES):
            try:
                self._go_on(url)
                break
            except requests.exceptions.SSLError as fault:
                message = f"{url} cannot be fetched: no safe connection (TLS): {_reason(fault)}"
                raise DataError(message) from fault
            except (BrokenOffError, *passing) as fault:
                if attempt + 1 == TRIES:
                    message = (
                        f"{url} broke off {TRIES} times, the last time after {self._size():,} bytes: "
                        f"{_reason(fault)}. What has come is kept; call again to go on."
                    )
                    raise DataError(message) from fault
                time.sleep(PAUSE * 2**attempt)
            except requests.RequestException as fault:
                message = f"{url} cannot be fetched: {_reason(fault)}"
                raise DataError(message) from fault
        shutil.move(self.part, output_file)
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        """File that holds the server's mark of this version of the file (ETag or date), and its length below."""
        return self.part.with_name(f"{self.part.name}.version")

    def _known(self) -> tuple[str, str]:
        """Return mark and length of the version that was begun, as texts; empty where they are not known."""
        mark, _, announced = self._mark.read_text("utf-8").partition("\n") if self._mark.is_file() else ("", "", "")
        return mark, announced

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _go_on(self, url: str) -> None:
        """Ask for the rest of the file, and append it; for all of it when the server will not, or it has changed."""
        import requests

        have = self._size()
        mark, announced = self._known()
        asked = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
        headers = {"Accept-Encoding": "identity", **asked}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                if answer.headers.get("Content-Range") == f"bytes */{have}" and announced in {"", str(have)}:
                    return  # all of it had come when the last call was killed
                self._begin_again("the file has changed")
            _refuse_other_answers(answer, url)
            if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
                raise DataError(_page_instead(url, self.part))
            partial = answer.status_code == requests.codes.partial_content
            start = have if partial else 0
            total = _length(answer, start)
            if partial and not (asked and _continues(answer, start, total) and _version(answer) in {mark, ""}):
                self._begin_again("the server gave another part than was asked for, or the file has changed")
            self._refuse_other_length(url, total)
            need_room(self.part.parent, None if total is None else total - start, url)
            self._mark.write_text(f"{_version(answer) or (mark if partial else '')}\n{total or ''}", encoding="utf-8")
            self._append(answer, start)
        if total is not None and self._size() != total:
            message = f"the server announced {total:,} bytes and sent {self._size():,}"
            if self._size() > total:
                self.part.unlink()
            raise BrokenOffError(message)

    def _append(self, answer: requests.Response, start: int) -> None:
        self._tell(start)
        with self.part.open("ab" if start else "wb") as file:
            for piece in answer.raw.stream(PIECE, decode_content=False):  # as it lies there; a .gz stays one
                if not file.tell() and piece[:64].lstrip().lower().startswith(PAGE):
                    raise DataError(_page_instead(answer.url, self.part))
                file.write(piece)
                self._tell(file.tell())

    def _begin_again(self, why: str) -> NoReturn:
        """Throw away what has come, so that the next try asks for all of it."""
        self.part.unlink(missing_ok=True)
        raise BrokenOffError(why)

    def _tell(self, done: int) -> None:
        self.advance(done - self._told)
        self._told = done

    def _refuse_other_length(self, url: str, total: int | None) -> None:
        if self.bytes is not None and total is not None and total != self.bytes:
            message = (
                f"{url} has {total:,} bytes; expected {self.bytes:,}, as in the manifest. The file has changed, or "
                "the address leads elsewhere: open it in a browser."
            )
            raise DataError(message)


def need_room(folder: Path, needed: int | None, what: str) -> None:
    """Refuse to begin what would fill the disk.

    Raises:
        DataError: with what is needed, what is free, and where.

    """
    free = shutil.disk_usage(folder).free
    if needed is not None and needed + SPARE > free:
        message = (
            f"{what} needs {needed / 1e9:,.2f} GB and some to spare, and {folder} has {free / 1e9:,.2f} GB free. "
            "Make room, or choose another place with --out DIR or XDG_CACHE_HOME."
        )
        raise DataError(message)


def announced_bytes(url: str) -> int | None:
    """Ask a server how long a file is; None when it does not say."""
    import requests

    try:
        answer = requests.head(url, headers={"Accept-Encoding": "identity"}, allow_redirects=True, timeout=TIMEOUT)
    except requests.RequestException:
        return None  # the download itself will tell why
    return _length(answer, 0) if answer.ok else None


def _refuse_other_answers(answer: requests.Response, url: str) -> None:
    reasons = {
        401: "the server asks for a login",
        403: "the server refuses it",
        404: "there is no such file",
        410: "the file is gone",
    }
    code = answer.status_code
    if code >= 500 or code in {408, 429}:  # noqa: PLR2004 - the server's own faults, and haste, which may pass
        message = f"the server failed with {code} {answer.reason}"
        raise BrokenOffError(message)
    if code >= 400:  # noqa: PLR2004 - our faults
        why = reasons.get(code, answer.reason)
        message = f"{url} cannot be fetched: {code}, {why}. Open the address in a browser to see whether it has moved."
        raise DataError(message)


def _page_instead(url: str, part: Path) -> str:
    place = part.with_suffix("")
    return (
        f"{url} answered with a web page instead of the file (a login or a licence to accept?). Open it in a browser, "
        f"save the file as {place}, and call again: it is taken from there, and removed when it is unpacked."
    )


def _continues(answer: requests.Response, have: int, total: int | None) -> bool:
    """Tell whether a partial answer goes on exactly where we are, and to the end."""
    told = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if told is None or int(told[1]) != have:
        return False
    end = int(told[2]) + 1
    return told[3] in {"*", str(end)} and total in {None, end}


def _length(answer: requests.Response, start: int) -> int | None:
    """Return the length of the whole file as the server announces it."""
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _version(answer: requests.Response) -> str:
    """Return a mark by which the server knows this version of the file again; empty when it has none that is strong."""
    tag: str = answer.headers.get("ETag", "")
    strong = "" if tag.startswith("W/") else tag
    return strong or str(answer.headers.get("Last-Modified", ""))


def _reason(fault: Exception) -> str:
    """Return the innermost reason of a network error, which is the one that helps."""
    inner: BaseException = fault
    while True:
        nearer = [part for part in (getattr(inner, "reason", None), *inner.args) if isinstance(part, BaseException)]
        if not nearer:
            return " ".join(str(inner).split())
        inner = nearer[0]
