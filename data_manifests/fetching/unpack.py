"""Archives from elsewhere, unpacked with suspicion: nothing leaves the folder, nothing is a link, nothing swells.

An archive is looked through to its end before anything of it is written. The rules are stricter than those of
`tarfile`'s filter `data`, which mends what is refused here, and hold for zip files, too.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from ..errors import DataError
from ..files.listing import is_hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

LARGEST_RATIO = 200  # unpacked bytes per byte of the archive; tables of text pack to a twentieth, images hardly at all
FREE_OF_RATIO = 100_000_000  # bytes; a small archive may swell so far
MOST_MEMBERS = 20_000_000  # the largest published set has seven million images
PIECE = 1 << 20  # bytes; also the longest header that a tar file may have, since headers are read into memory
BLOCK = 4096  # bytes; what a file takes on a disk is a multiple of it
ENCRYPTED = 0x1
COMPRESSIONS: dict[bytes, Callable[..., object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
DAMAGES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True)
class ArchiveMember:
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


@dataclass(frozen=True)
class Contents:
    """What an archive holds that was looked through: hidden files and folders are not counted.

    Attributes:
        path: the archive.
        files: how many files it holds.
        bytes: how long they are together.
        bytes_on_disk: what they will take on a disk of blocks.

    """

    path: Path
    files: int
    bytes: int
    bytes_on_disk: int


def is_archive(path: Path) -> bool:
    """Tell whether a file is a zip or tar archive, by its contents."""
    return zipfile.is_zipfile(path) or _is_tar(path)


def _is_tar(path: Path) -> bool:
    """Tell whether a file begins with the header of a tar file; `tarfile` would read a header of any length for it."""
    try:
        with _decompressed(path) as stream:
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
    except (*DAMAGES, OSError):
        return False
    return True


def look_through(path: Path) -> Contents:
    """Read an archive to its end without writing anything, and refuse what is wrong with it.

    Args:
        path: a zip or tar archive, compressed or not.

    Raises:
        DataError: it is no archive or a damaged one, a member would leave the folder, is a link or a device, is
            encrypted, or the whole swells beyond measure.

    """
    files = total = on_disk = 0
    with _members(path) as members:
        for member, _ in members:
            files += 1
            total += member.size
            on_disk += -(-member.size // BLOCK) * BLOCK
    return Contents(path, files, total, on_disk)


def unpack(contents: Contents, folder: Path, advance: Callable[[int], object] = lambda _: None) -> None:
    """Unpack an archive that was looked through.

    Hidden files and what macOS leaves behind are passed over.

    Args:
        contents: what `look_through` has returned.
        folder: an empty or new folder; when this fails, the caller removes it.
        advance: told how many more bytes were written.

    Raises:
        DataError: as `look_through`; or two members have one name, or a file has other contents than it announces.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with _members(contents.path) as members:
        for member, place in members:
            _write(member, folder / place, advance)


@contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[ArchiveMember, PurePosixPath]]]:
    """Open an archive, yield its files with their places in the folder, and turn faults into messages."""
    try:
        with closing(_of_zip(path) if zipfile.is_zipfile(path) else _of_tar(path)) as members:
            yield _refusing(members, path)
    except (FileExistsError, NotADirectoryError) as fault:
        message = f"{path} holds '{fault.filename}' twice, or as a file and as a folder. Nothing was kept."
        raise DataError(message) from fault
    except DAMAGES as fault:
        raise DataError(_damaged(path, fault)) from fault
    except OSError as fault:
        if fault.errno is not None:  # the disk's; gzip and bz2 raise others of a wrong checksum
            raise
        raise DataError(_damaged(path, fault)) from fault


def _damaged(path: Path, fault: Exception) -> str:
    return f"{path} is no archive that can be unpacked (damaged or cut off): {fault}. Delete it and fetch it again."


def _refusing(members: Iterator[ArchiveMember], path: Path) -> Iterator[tuple[ArchiveMember, PurePosixPath]]:
    """Check each member, and yield the files that are not hidden."""
    length = path.stat().st_size
    limit = FREE_OF_RATIO + LARGEST_RATIO * length
    announced = 0
    for number, member in enumerate(members):
        place = _place(member, path)
        announced += member.size
        if announced > limit or number >= MOST_MEMBERS:
            message = (
                f"{path}: member '{member.name}' would make {announced:,} bytes in {number + 1:,} members out of an "
                f"archive of {length:,} bytes; this looks like a bomb. Nothing was kept."
            )
            raise DataError(message)
        if place is not None:
            yield member, place


def _place(member: ArchiveMember, path: Path) -> PurePosixPath | None:
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


def _write(member: ArchiveMember, place: Path, advance: Callable[[int], object]) -> None:
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


def _of_zip(path: Path) -> Generator[ArchiveMember]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            yield ArchiveMember(info.orig_filename, info.file_size, _zip_kind(info), partial(archive.open, info))


def _zip_kind(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "a device or a pipe"
    if info.flag_bits & ENCRYPTED:
        return "encrypted"
    return "folder" if info.is_dir() or kind == stat.S_IFDIR else "file"


def _of_tar(path: Path) -> Generator[ArchiveMember]:
    """Yield the members of a tar file, and read it to its end: a tar file does not know how many it should have."""
    with _decompressed(path) as stream:
        headers = _Headers(stream)
        with tarfile.open(fileobj=headers, mode="r:") as archive:  # type: ignore[call-overload]  # it reads, seeks, tells
            while (entry := archive.next()) is not None:
                archive.members.clear()  # it keeps every header that it has read: a gigabyte
                yield ArchiveMember(entry.name, entry.size, _tar_kind(entry), partial(archive.extractfile, entry))
        if headers.last.strip(b"\0") or len(headers.last) != tarfile.BLOCKSIZE:
            message = f"the mark of its end is missing after {headers.tell():,} bytes"
            raise tarfile.ReadError(message)
        while stream.read(PIECE):  # the checksum of a compressed file is compared at its end
            pass


def _decompressed(path: Path) -> IO[bytes]:
    """Open a file for reading behind its compression, which its first bytes tell."""
    with path.open("rb") as file:
        magic = file.read(6)
    opener = next((opener for start, opener in COMPRESSIONS.items() if magic.startswith(start)), open)
    return cast("IO[bytes]", opener(path, "rb"))


def _tar_kind(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "a link"
    if entry.issparse() or entry.size < 0:
        return "a file with holes"
    return "file" if entry.isreg() else "folder" if entry.isdir() else "a device or a pipe"


class _Headers:
    """A file as `tarfile` needs it, which gives no more at once than a sound header or a piece of a member is long.

    Attributes:
        last: what was read last; after the last member, the block that should mark the end.

    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell
        self.last = b""

    def read(self, size: int) -> bytes:
        """Read so many bytes, or fewer at the end of the file."""
        if not 0 <= size <= PIECE:
            message = f"a header claims {size:,} bytes"
            raise tarfile.ReadError(message)
        self.last = self._stream.read(size)
        return self.last
