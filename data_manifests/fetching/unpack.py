"""Safe unpacking of archives: no paths outside the folder, no links, no decompression bombs.

An archive is read to its end before anything is written. The rules are stricter than those of `tarfile`'s filter
`data`, which repairs what is rejected here, and also apply to zip files.
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

LARGEST_RATIO = 200  # unpacked bytes per byte of archive; text tables compress to a twentieth, images hardly at all
FREE_OF_RATIO = 100_000_000  # bytes that an archive of any size may unpack to
MOST_MEMBERS = 20_000_000  # the largest published set has seven million images
CHUNK = 1 << 20  # bytes; also the maximum length of a tar header, since headers are read into memory
BLOCK = 4096  # bytes; files occupy multiples of it on disk
ENCRYPTED = 0x1
COMPRESSIONS: dict[bytes, Callable[..., object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
DAMAGE_ERRORS = (
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
        name: name in the archive.
        size: announced size in bytes.
        kind: `file`, `folder`, or a description of any other type.
        open: opens the contents of a file.

    """

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Contents:
    """Contents of an inspected archive, without hidden files and folders.

    Attributes:
        path: the archive.
        files: number of files.
        bytes: total size of the files.
        bytes_on_disk: disk space needed, in whole blocks.

    """

    path: Path
    files: int
    bytes: int
    bytes_on_disk: int


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip or tar archive, judged by its contents."""
    return zipfile.is_zipfile(path) or _is_tar(path)


def _is_tar(path: Path) -> bool:
    """Return whether a file begins with a tar header; `tarfile.is_tarfile` would read a header of any length."""
    try:
        with _decompressed(path) as stream:
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), tarfile.ENCODING, "surrogateescape")
    except (*DAMAGE_ERRORS, OSError):
        return False
    return True


def inspect_archive(path: Path) -> Contents:
    """Read an archive to its end without writing anything, and reject unsafe or damaged archives.

    Args:
        path: a zip or tar archive, compressed or not.

    Raises:
        DataError: the file is not an archive or is damaged; a member has a path outside the folder, is a link or a
            device, or is encrypted; or the archive unpacks to a suspiciously large size.

    """
    files = total = on_disk = 0
    with _members(path) as members:
        for member, _ in members:
            files += 1
            total += member.size
            on_disk += -(-member.size // BLOCK) * BLOCK
    return Contents(path, files, total, on_disk)


def unpack(contents: Contents, folder: Path, advance: Callable[[int], object] = lambda _: None) -> None:
    """Unpack an inspected archive.

    Hidden files and macOS metadata are skipped.

    Args:
        contents: return value of `inspect_archive`.
        folder: an empty or new folder; if unpacking fails, the caller removes it.
        advance: called with the number of bytes written since the last call.

    Raises:
        DataError: as for `inspect_archive`; or two members have the same name, or a file's size differs from the
            announced one.

    """
    folder.mkdir(parents=True, exist_ok=True)
    with _members(contents.path) as members:
        for member, place in members:
            _write(member, folder / place, advance)


@contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[ArchiveMember, PurePosixPath]]]:
    """Open an archive, yield its files with their relative paths, and convert exceptions to DataError."""
    try:
        with closing(_of_zip(path) if zipfile.is_zipfile(path) else _of_tar(path)) as members:
            yield _checked(members, path)
    except (FileExistsError, NotADirectoryError) as fault:
        message = f"{path} contains '{fault.filename}' twice, or both as a file and as a folder. Nothing was unpacked."
        raise DataError(message) from fault
    except DAMAGE_ERRORS as fault:
        raise DataError(_damaged(path, fault)) from fault
    except OSError as fault:
        if (
            fault.errno is not None
        ):  # from the file system; gzip and bz2 raise OSError without errno for a wrong checksum
            raise
        raise DataError(_damaged(path, fault)) from fault


def _damaged(path: Path, fault: Exception) -> str:
    return f"{path} cannot be unpacked (damaged, truncated or not an archive): {fault}. Delete it and fetch it again."


def _checked(members: Iterator[ArchiveMember], path: Path) -> Iterator[tuple[ArchiveMember, PurePosixPath]]:
    """Check each member and yield the files that are not hidden."""
    length = path.stat().st_size
    limit = FREE_OF_RATIO + LARGEST_RATIO * length
    announced = 0
    for number, member in enumerate(members):
        place = _place(member, path)
        announced += member.size
        if announced > limit or number >= MOST_MEMBERS:
            message = (
                f"{path}: up to member '{member.name}', an archive of {length:,} bytes unpacks to {announced:,} bytes "
                f"in {number + 1:,} members; it may be a decompression bomb. Nothing was unpacked."
            )
            raise DataError(message)
        if place is not None:
            yield member, place


def _place(member: ArchiveMember, path: Path) -> PurePosixPath | None:
    """Return the path of a file relative to the folder; None for folders and hidden files."""
    name, place = member.name, PurePosixPath(member.name)
    outside = place.is_absolute() or ".." in place.parts or "\\" in name or re.match(r"[A-Za-z]:", name)
    if outside or "\0" in name:
        message = f"{path}: member '{name}' would be written outside the folder. Nothing was unpacked."
        raise DataError(message)
    if member.kind not in {"file", "folder"}:
        message = f"{path}: member '{name}' is {member.kind}; expected files and folders only. Nothing was unpacked."
        raise DataError(message)
    return None if member.kind == "folder" or is_hidden(name.removeprefix("./")) else place


def _write(member: ArchiveMember, place: Path, advance: Callable[[int], object]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with member.open() as source, place.open("xb") as target:
        while chunk := source.read(CHUNK):
            done += len(chunk)
            if done > member.size:
                break
            target.write(chunk)
            advance(len(chunk))
    if done != member.size:
        message = f"{place.name}: got {done:,} bytes, but the archive announces {member.size:,}"
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
    """Yield the members of a tar file, and check its end mark, since tar files do not store their number of members."""
    with _decompressed(path) as stream:
        headers = _Headers(stream)
        with tarfile.open(fileobj=headers, mode="r:") as archive:  # type: ignore[call-overload]  # it has read, seek and tell
            while (entry := archive.next()) is not None:
                archive.members.clear()  # tarfile keeps every header it has read, up to a gigabyte
                yield ArchiveMember(entry.name, entry.size, _tar_kind(entry), partial(archive.extractfile, entry))
        if headers.last.strip(b"\0") or len(headers.last) != tarfile.BLOCKSIZE:
            message = f"the end mark is missing after {headers.tell():,} bytes"
            raise tarfile.ReadError(message)
        while stream.read(CHUNK):  # the checksum of a compressed file is verified at its end
            pass


def _decompressed(path: Path) -> IO[bytes]:
    """Open a file for reading, decompressed according to its first bytes."""
    with path.open("rb") as file:
        magic = file.read(6)
    opener = next((opener for start, opener in COMPRESSIONS.items() if magic.startswith(start)), open)
    return cast("IO[bytes]", opener(path, "rb"))


def _tar_kind(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "a link"
    if entry.issparse() or entry.size < 0:
        return "a sparse file"
    return "file" if entry.isreg() else "folder" if entry.isdir() else "a device or a pipe"


class _Headers:
    """File object for `tarfile` that limits the size of a single read, and so the length of a header.

    Attributes:
        last: bytes read most recently; after the last member, the block that should mark the end.

    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell
        self.last = b""

    def read(self, size: int) -> bytes:
        """Read `size` bytes, or fewer at the end of the file."""
        if not 0 <= size <= CHUNK:
            message = f"a header claims {size:,} bytes"
            raise tarfile.ReadError(message)
        self.last = self._stream.read(size)
        return self.last
