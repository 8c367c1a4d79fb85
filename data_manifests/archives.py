"""Archives from elsewhere, unpacked with suspicion: nothing leaves the folder, nothing is a link, nothing swells."""

from __future__ import annotations

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from .errors import DataError
from .listing import is_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGEST_RATIO = 200  # unpacked bytes per byte of the archive; tables of text pack to a twentieth, images hardly at all
FREE_OF_RATIO = 100_000_000  # bytes; a small archive may swell so far
MOST_MEMBERS = 20_000_000  # the largest published set has seven million images
PIECE = 1 << 20  # bytes
ENCRYPTED = 0x1


@dataclass(frozen=True)
class Member:
    """One entry of an archive.

    Attributes:
        name: as it stands in the archive.
        size: bytes that it announces.
        kind: `file`, `folder`, or what else it is, in words.
        open: opens a file's contents.

    """

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes]]


def is_archive(path: Path) -> bool:
    """Tell whether a file is a zip or tar archive, by its contents."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpacked_bytes(path: Path) -> int | None:
    """Return how many bytes a zip file announces; of a tar file, whose end one would have to read for it, None."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())


def unpack(path: Path, folder: Path, advance: Callable[[int], object] = lambda _: None) -> int:
    """Unpack a zip or tar archive.

    Hidden files and what macOS leaves behind are passed over.

    Args:
        path: the archive, compressed or not.
        folder: an empty or new folder; when this fails, the caller removes it.
        advance: told how many more bytes were written.

    Returns:
        How many files were written.

    Raises:
        DataError: it is no archive or a damaged one, a member would leave the folder, is a link or a device, is
            encrypted, or the whole swells beyond measure; nothing of such a member is written.

    """
    limit = FREE_OF_RATIO + LARGEST_RATIO * path.stat().st_size
    written = files = 0
    with _opened(path) as members:
        for number, member in enumerate(members):
            place = _place(member, path)
            written += member.size
            if written > limit or number >= MOST_MEMBERS:
                message = (
                    f"{path}: member '{member.name}' would make {written:,} bytes in {number + 1:,} members out of an "
                    f"archive of {path.stat().st_size:,} bytes; this looks like a bomb. Nothing was kept."
                )
                raise DataError(message)
            if place is None:
                continue
            _write(member, folder / place, advance)
            files += 1
    return files


def _place(member: Member, path: Path) -> PurePosixPath | None:
    """Return where a file goes inside the folder; None for folders and hidden files."""
    name, place = member.name, PurePosixPath(member.name)
    outside = place.is_absolute() or ".." in place.parts or "\\" in name or re.match(r"[A-Za-z]:", name)
    if outside or "\0" in name:
        message = f"{path}: member '{name}' would be written outside of the folder. Nothing was kept."
        raise DataError(message)
    if member.kind not in {"file", "folder"}:
        message = f"{path}: member '{name}' is {member.kind}; expected files and folders only. Nothing was kept."
        raise DataError(message)
    return None if member.kind == "folder" or is_hidden(name.removeprefix("./")) else place


def _write(member: Member, place: Path, advance: Callable[[int], object]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with member.open() as source, place.open("xb") as target:
        while piece := source.read(PIECE):
            done += len(piece)
            if done > member.size:
                break
            target.write(piece)
            advance(len(piece))
    if done != member.size:
        message = f"{place.name}: {done:,} bytes came instead of the {member.size:,} that were announced"
        raise EOFError(message)


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[Member]]:
    """Open an archive, and turn what is wrong with it into a message."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield (_of_zip(archive, info) for info in archive.infolist())
        else:
            with tarfile.open(path, "r|*") as stream:
                yield (_of_tar(stream, entry) for entry in stream)
    except FileExistsError as fault:
        message = f"{path} holds '{fault.filename}' twice. Nothing was kept."
        raise DataError(message) from fault
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as fault:
        message = (
            f"{path} is no archive that can be unpacked (damaged or cut off): {fault}. Delete it and fetch it again."
        )
        raise DataError(message) from fault


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = "folder" if info.is_dir() else "file"
    if stat.S_ISLNK(mode):
        kind = "a link"
    elif info.flag_bits & ENCRYPTED:
        kind = "encrypted"
    return Member(info.filename, info.file_size, kind, lambda: archive.open(info))


def _of_tar(stream: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    kind = "file" if entry.isreg() else "folder" if entry.isdir() else "a device or a pipe"
    if entry.issym() or entry.islnk():
        kind = "a link"
    stream.members = []  # type: ignore[attr-defined]  # it keeps every header that it has read: a gigabyte

    def content() -> IO[bytes]:
        opened = stream.extractfile(entry)
        if opened is None:
            message = f"'{entry.name}' cannot be read"
            raise tarfile.ReadError(message)
        return opened

    return Member(entry.name, entry.size, kind, content)
