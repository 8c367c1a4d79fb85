"""Compact directory of a zip file: 120 bytes per member, compared with about 1 kB in the standard library.

With the latter, a million images would take 1 GB in every process that reads some of them. Implements APPNOTE.TXT
6.3.10 of PKWARE: end of central directory (4.3.16), its zip64 form (4.3.14, 4.3.15) and headers (4.3.12, 4.3.7).
Members may be stored, deflated or compressed by bzip2. Multi-disk archives and encrypted members are not supported.
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
MAX_COMMENT_BYTES = 1 << 16
IS_ENCRYPTED, IS_UTF_8 = 0x1, 0x800  # bits of the flags
TOO_LARGE = 0xFFFFFFFF  # placeholder of a number stored in the extra field
EXTRA_64 = 1  # id of the zip64 extra field
STORED, DEFLATED, BZIP2 = 0, 8, 12


class ZipEntry(NamedTuple):
    """Numbers needed to read a member without the directory.

    Attributes:
        offset: offset of the header from the beginning of the file.
        compressed: compressed size in bytes.
        size: uncompressed size in bytes.
        crc: CRC-32 of the uncompressed content.
        method: compression method.
        flags: general purpose bit flags.

    """

    offset: int
    compressed: int
    size: int
    crc: int
    method: int
    flags: int


@dataclass(frozen=True)
class ZipDirectory:
    """Names and entries of the members of a zip file, in storage order.

    Attributes:
        names: names as in the directory; folders end with a slash.
        rows: row of each member in the directory.
        numbers: numbers of the `ZipEntry` of each row, concatenated.

    """

    names: list[str]
    rows: array[int]
    numbers: array[int]

    def entry(self, position: int) -> ZipEntry:
        """Return the entry of the member at a position."""
        start = len(ZipEntry._fields) * self.rows[position]
        return ZipEntry(*self.numbers[start : start + len(ZipEntry._fields)])


def read_directory(path: Path) -> ZipDirectory:
    """Read the directory of a zip file.

    Raises:
        OSError: if the file cannot be read.
        BadZipFile: if it is not a zip file, or its directory is truncated or damaged.

    """
    with path.open("rb") as file:
        start, size, prefix = _find_directory(file)
        file.seek(start)
        content = file.read(size)
    names: list[str] = []
    numbers = array("Q")
    position = 0
    while position < len(content):
        name, entry, position = _parse_entry(content, position)
        names.append(name)
        numbers.extend(entry._replace(offset=entry.offset + prefix))
    order = sorted(range(len(names)), key=numbers[:: len(ZipEntry._fields)].__getitem__)
    return ZipDirectory([names[row] for row in order], array("I", order), numbers)


def _find_directory(file: BinaryIO) -> tuple[int, int, int]:
    """Return offset and size of the directory, and the number of bytes before the archive (e.g. a self-extractor)."""
    length = file.seek(0, 2)
    file.seek(max(0, length - MAX_COMMENT_BYTES - END.size))
    tail = file.read()
    position = tail.rfind(b"PK\x05\x06")
    if position < 0 or len(tail) < position + END.size:
        message = "it has no end of central directory record"
        raise BadZipFile(message)
    end = length - len(tail) + position
    *_, size, offset, _ = END.unpack_from(tail, position)
    zip64 = _find_directory_64(file, end)
    if zip64:
        end, size, offset = zip64
    start = end - size
    if start < 0 or start < offset:
        message = "its central directory is damaged"
        raise BadZipFile(message)
    return start, size, start - offset


def _find_directory_64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """Return the offset of the zip64 end record, with size and offset of the directory; None if there is none."""
    if end < LOCATOR_64.size + END_64.size:
        return None
    file.seek(end - LOCATOR_64.size)
    locator = LOCATOR_64.unpack(file.read(LOCATOR_64.size))
    if locator[0] != b"PK\x06\x07":
        return None
    start = end - LOCATOR_64.size - END_64.size
    file.seek(start)
    record = END_64.unpack(file.read(END_64.size))
    if record[0] != b"PK\x06\x06":
        message = "its zip64 end of central directory record is damaged"
        raise BadZipFile(message)
    return start, record[-2], record[-1]


def _parse_entry(content: bytes, position: int) -> tuple[str, ZipEntry, int]:
    """Return name and entry of the member at a position of the directory, and the position of the next one."""
    if len(content) < position + ENTRY.size or content[position : position + 4] != b"PK\x01\x02":
        message = "its central directory is truncated or damaged"
        raise BadZipFile(message)
    fields = ENTRY.unpack_from(content, position)
    flags, method, crc, compressed, size = fields[5], fields[6], *fields[9:12]
    name_bytes, extra_bytes, comment_bytes, offset = *fields[12:15], fields[18]
    start = position + ENTRY.size
    name = content[start : start + name_bytes].decode("utf-8" if flags & IS_UTF_8 else "cp437", "replace")
    extra = content[start + name_bytes : start + name_bytes + extra_bytes]
    if TOO_LARGE in (compressed, size, offset):
        size, compressed, offset = _numbers_64(extra, (size, compressed, offset))
    entry = ZipEntry(offset, compressed, size, crc, method, flags)
    return name, entry, start + name_bytes + extra_bytes + comment_bytes


def _numbers_64(extra: bytes, numbers: tuple[int, int, int]) -> list[int]:
    """Replace numbers that exceed 32 bits by those of the zip64 extra field (4.5.3)."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == EXTRA_64 and position + 4 + length <= len(extra):
            large = iter(struct.unpack_from(f"<{length // 8}Q", extra, position + 4))
            return [next(large, number) if number == TOO_LARGE else number for number in numbers]
        position += 4 + length
    return list(numbers)


def read_member(file: BinaryIO, entry: ZipEntry) -> bytes:
    """Return the content of a member.

    Raises:
        BadZipFile: if the member is not at its offset, or its size or checksum differs.
        RuntimeError: if the member is encrypted, or its compression method is not supported.
        EOFError, ValueError, OSError, zlib.error: if the file is truncated or the content is damaged.

    """
    if entry.flags & IS_ENCRYPTED:
        message = "it is encrypted"
        raise RuntimeError(message)
    file.seek(entry.offset)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size or header[:4] != b"PK\x03\x04":
        message = "its header is not at the offset given in the directory"
        raise BadZipFile(message)
    *_, name_bytes, extra_bytes = HEADER.unpack(header)
    file.seek(name_bytes + extra_bytes, 1)
    content = _decompress(file.read(entry.compressed), entry)
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        message = "its size or checksum differs from the directory"
        raise BadZipFile(message)
    return content


def _decompress(content: bytes, entry: ZipEntry) -> bytes:
    if entry.method == STORED:
        return content
    if entry.method == DEFLATED:
        # limited to the size in the directory, because a damaged or malicious member may expand to much more
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, entry.size + 1)
    if entry.method == BZIP2:
        return bz2.BZ2Decompressor().decompress(content, entry.size + 1)
    message = f"compression method {entry.method} is not supported"
    raise RuntimeError(message)
