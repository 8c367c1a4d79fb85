"""Zip file of any number of images, written in constant memory with its directory buffered on disk.

`zipfile` keeps about 380 bytes per member until the file is closed, 0.4 GB for a million members. The output here is
byte for byte that of `zipfile` on Unix. Records as in PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.14 to
4.3.16.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG_AGO = 1 << 5 | 1  # 1 January 1980 at midnight for each member, so that the same objects give the same archive
UNIX, OWNER_ONLY = 3, 0o600 << 16
PLAIN_VERSION, LARGE_VERSION = 20, 45
LARGE = 2**31 - 1  # bytes; larger offsets are stored in eight bytes
MANY = 2**16 - 1  # maximum number of members in the plain end record
FULL_2, FULL_4 = 2**16 - 1, 2**32 - 1  # placeholders that refer to the ZIP64 record

MEMBER = struct.Struct("<4s5H3L2H")
ENTRY = struct.Struct("<4s2B5H3L5H2L")
LARGE_OFFSET = struct.Struct("<2HQ")
LARGE_END = struct.Struct("<4sQ2H2L4Q")
LARGE_PLACE = struct.Struct("<4sLQL")
END = struct.Struct("<4s4H2LH")


class Archive:
    """Zip file open for adding members; see `open_archive`."""

    def __init__(self, file: IO[bytes], directory: IO[bytes]) -> None:
        """Write members to `file` and their directory entries to `directory`."""
        self._file = file
        self._directory = directory
        self._count = 0

    def add(self, name: str, content: bytes) -> None:
        """Store a member without compression.

        Args:
            name: path inside the archive, ASCII.
            content: contents, less than 2 GiB.

        """
        encoded, offset = name.encode("ascii"), self._file.tell()
        size, crc = len(content), zlib.crc32(content)
        facts = (0, 0, 0, LONG_AGO, crc, size, size, len(encoded))  # no flags, stored, midnight
        self._file.write(MEMBER.pack(b"PK\3\4", PLAIN_VERSION, *facts, 0) + encoded + content)
        large = LARGE_OFFSET.pack(1, 8, offset) if offset > LARGE else b""
        version = LARGE_VERSION if large else PLAIN_VERSION
        rest = (len(large), 0, 0, 0, OWNER_ONLY, FULL_4 if large else offset)
        self._directory.write(ENTRY.pack(b"PK\1\2", version, UNIX, version, *facts, *rest) + encoded + large)
        self._count += 1

    def finish(self) -> None:
        """Write the directory and the end records."""
        count, start, size = self._count, self._file.tell(), self._directory.tell()
        self._directory.seek(0)
        while block := self._directory.read(1 << 20):
            self._file.write(block)
        if count > MANY or start > LARGE or size > LARGE:
            end = LARGE_END.pack(b"PK\6\6", 44, LARGE_VERSION, LARGE_VERSION, 0, 0, count, count, size, start)
            self._file.write(end + LARGE_PLACE.pack(b"PK\6\7", 0, start + size, 1))
            count, size, start = min(count, FULL_2), min(size, FULL_4), min(start, FULL_4)
        self._file.write(END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0))


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a new zip file; it is completed when the block succeeds and left incomplete when it fails."""
    with path.open("wb") as file, TemporaryFile(dir=path.parent) as directory:
        archive = Archive(file, directory)
        yield archive
        archive.finish()
