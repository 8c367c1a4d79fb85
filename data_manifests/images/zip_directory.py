"""The directory of a zip file in little memory: 120 bytes a member, where the standard library takes a kilobyte.

A million images would otherwise cost a gigabyte in every process that reads some of them. After APPNOTE.TXT 6.3.10 of
PKWARE: end of central directory (4.3.16), its 64-bit form (4.3.14, 4.3.15), headers (4.3.12, 4.3.7). Members that are
stored, deflated or compressed by bzip2 are read; archives of several disks and encrypted members are not.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from zipfile import BadZipFile

if TYPE_CHECKING:
    from pathlib import Path

END, END_64, LOCATOR_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
ENTRY, HEADER = struct.Struct("<4s4B4H3L5H2L"), struct.Struct("<4s2B4H3L2H")
LONGEST_COMMENT = 1 << 16
IS_ENCRYPTED, IS_UTF_8 = 0x1, 0x800  # bits of the flags
TOO_LARGE = 0xFFFFFFFF  # in place of a number that stands in the extra field
EXTRA_64 = 1
STORED, DEFLATED, BZIP2 = 0, 8, 12


class Spot(NamedTuple):
    """Where a member lies, so that it is read without the directory.

    Attributes:
        offset: of its header from the beginning of the file.
        compressed: bytes that it takes there.
        size: bytes that it has.
        crc: its CRC-32.
        method: how it is compressed.
        flags: bits of its entry.

    """

    offset: int
    compressed: int
    size: int
    crc: int
    method: int
    flags: int


@dataclass(frozen=True)
class ZipDirectory:
    """Names and places of the members of a zip file, in storage order.

    Attributes:
        names: as they stand in the directory; folders have a slash at the end.
        rows: where in the directory each of them stands.
        spots: the numbers of the `Spot` of each row, one behind the other.

    """

    names: list[str]
    rows: array[int]
    spots: array[int]

    def spot(self, position: int) -> Spot:
        """Return where the member at a position lies."""
        start = len(Spot._fields) * self.rows[position]
        return Spot(*self.spots[start : start + len(Spot._fields)])


def read_directory(path: Path) -> ZipDirectory:
    """Read the directory of a zip file.

    Raises:
        OSError: the file cannot be read.
        BadZipFile: it is no zip file, or its directory is cut or damaged.

    """
    with path.open("rb") as file:
        start, size, before = _directory_place(file)
        file.seek(start)
        content = file.read(size)
    names: list[str] = []
    spots = array("Q")
    place = 0
    while place < len(content):
        name, spot, place = _entry(content, place)
        names.append(name)
        spots.extend(spot._replace(offset=spot.offset + before))
    order = sorted(range(len(names)), key=spots[:: len(Spot._fields)].__getitem__)
    return ZipDirectory([names[position] for position in order], array("I", order), spots)


def _directory_place(file: BinaryIO) -> tuple[int, int, int]:
    """Return where the directory begins, its bytes, and how many bytes lie before the archive (a program, say)."""
    length = file.seek(0, 2)
    file.seek(max(0, length - LONGEST_COMMENT - END.size))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + END.size:
        message = "File is not a zip file"
        raise BadZipFile(message)
    end = length - len(tail) + at
    *_, size, offset, _ = END.unpack_from(tail, at)
    found = _directory_place_64(file, end)
    if found:
        end, size, offset = found
    start = end - size
    if start < 0 or start < offset:
        message = "the directory at its end is damaged"
        raise BadZipFile(message)
    return start, size, start - offset


def _directory_place_64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Return where the 64-bit end begins, and the bytes and offset of the directory by it; None when there is none."""
    if end < LOCATOR_64.size + END_64.size:
        return None
    file.seek(end - LOCATOR_64.size)
    locator = LOCATOR_64.unpack(file.read(LOCATOR_64.size))
    if locator[0] != b"PK\x06\x07":
        return None
    start = end - LOCATOR_64.size - END_64.size
    file.seek(start)
    found = END_64.unpack(file.read(END_64.size))
    if found[0] != b"PK\x06\x06":
        message = "the 64-bit end of its directory is damaged"
        raise BadZipFile(message)
    return start, found[-2], found[-1]


def _entry(content: bytes, place: int) -> tuple[str, Spot, int]:
    """Return name and spot of the entry at a place of the directory, and where the next begins."""
    if len(content) < place + ENTRY.size or content[place : place + 4] != b"PK\x01\x02":
        message = "its directory is cut or damaged"
        raise BadZipFile(message)
    found = ENTRY.unpack_from(content, place)
    flags, method, crc, compressed, size = found[5], found[6], *found[9:12]
    name_bytes, extra_bytes, comment_bytes, offset = *found[12:15], found[18]
    begin = place + ENTRY.size
    name = content[begin : begin + name_bytes].decode("utf-8" if flags & IS_UTF_8 else "cp437", "replace")
    extra = content[begin + name_bytes : begin + name_bytes + extra_bytes]
    if TOO_LARGE in (compressed, size, offset):
        size, compressed, offset = _numbers_64(extra, (size, compressed, offset))
    return name, Spot(offset, compressed, size, crc, method, flags), begin + name_bytes + extra_bytes + comment_bytes


def _numbers_64(extra: bytes, numbers: tuple[int, int, int]) -> list[int]:
    """Replace those numbers that are too large for 32 bits by those of the extra field (4.5.3)."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == EXTRA_64 and place + 4 + length <= len(extra):
            large = iter(struct.unpack_from(f"<{length // 8}Q", extra, place + 4))
            return [next(large, number) if number == TOO_LARGE else number for number in numbers]
        place += 4 + length
    return list(numbers)


def read_member(file: BinaryIO, spot: Spot) -> bytes:
    """Return the content of a member.

    Raises:
        BadZipFile: it is not where the directory says, or not what its checksum says.
        RuntimeError: it is encrypted, or compressed in a way that is not known.
        EOFError, ValueError, OSError, zlib.error: the file is cut, or the content is damaged.

    """
    if spot.flags & IS_ENCRYPTED:
        message = "it is encrypted"
        raise RuntimeError(message)
    file.seek(spot.offset)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size or header[:4] != b"PK\x03\x04":
        message = "its header is not where the directory says"
        raise BadZipFile(message)
    *_, name_bytes, extra_bytes = HEADER.unpack(header)
    file.seek(name_bytes + extra_bytes, 1)
    content = _plain(file.read(spot.compressed), spot)
    if len(content) != spot.size or zlib.crc32(content) != spot.crc:
        message = "its checksum is wrong"
        raise BadZipFile(message)
    return content


def _plain(content: bytes, spot: Spot) -> bytes:
    if spot.method == STORED:
        return content
    if spot.method == DEFLATED:
        # never more than the directory promises, however much a damaged or hostile member would unfold to
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, spot.size + 1)
    if spot.method == BZIP2:
        return bz2.BZ2Decompressor().decompress(content, spot.size + 1)
    message = f"it is compressed in a way that cannot be read here (method {spot.method})"
    raise RuntimeError(message)
