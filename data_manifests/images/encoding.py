"""Whether an encoded image is whole.

This is not left to the decoder: some versions fill what is cut off with grey and tell the terminal at most. What was
changed in the middle of a JPEG, GIF or BMP, which have no checksums, is not seen.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PNG = b"\x89PNG\r\n\x1a\n"
END_OF_IMAGE, START_OF_SCAN = b"\xff\xd9", 0xDA
GIF_HEADS = {b"\x21": 2, b"\x2c": 11}  # bytes of an extension and of an image before the first sub-block


def fault_of(content: bytes) -> str:
    """Return what is wrong with an encoded image: `empty`, `truncated`, `damaged`, `unknown`, or nothing.

    PNG: every chunk is there with its checksum, up to IEND (ISO/IEC 15948, 5.3). JPEG: the marker of the end of the
    image comes behind the first scan (ITU-T T.81, B.1.1.3), so that the one of a thumbnail does not count, and what
    some programs write behind the image does no harm. GIF: every block is there, up to the trailer (CompuServe GIF89a,
    15 and 27). BMP: the file is as long as its header says. Of TIFF the beginning alone is looked at; the decoder tells
    the rest.
    """
    if not content:
        return "empty"
    for beginnings, check in CHECKS:
        if content.startswith(beginnings):
            return check(content)
    known = [beginning for beginnings, _ in CHECKS for beginning in beginnings]
    return "truncated" if any(beginning.startswith(content) for beginning in known) else "unknown"


def _jpeg_fault(content: bytes) -> str:
    """Go from segment to segment, each a marker and its own length, to the first scan; look for the end from there."""
    place = 2
    while len(content) >= place + 4:
        marker, kind, length = struct.unpack(">BBH", content[place : place + 4])
        if marker != 0xFF:  # noqa: PLR2004 - every marker begins with it
            return "damaged"
        if kind == START_OF_SCAN:
            return "" if END_OF_IMAGE in content[place + 2 + length :] else "truncated"
        place += 1 if kind == 0xFF else 2 + length  # noqa: PLR2004 - a marker may be filled up in front
    return "truncated"


def _gif_fault(content: bytes) -> str:
    """Go from block to block, each an introducer and sub-blocks with their own lengths, to the trailer."""
    place = 13 + _colours_of_gif(content[10:11])
    while len(content) > place:
        introducer = content[place : place + 1]
        if introducer == b"\x3b":
            return ""
        if introducer not in GIF_HEADS:
            return "damaged"
        colours = _colours_of_gif(content[place + 9 : place + 10]) if introducer == b"\x2c" else 0
        place += GIF_HEADS[introducer] + colours
        while content[place : place + 1] > b"\x00":
            place += 1 + content[place]
        place += 1
    return "truncated"


def _colours_of_gif(flags: bytes) -> int:
    """Return the bytes of the colour table that flags announce; none when they are cut off."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags > b"\x7f" else 0


def _bmp_fault(content: bytes) -> str:
    size = struct.unpack("<I", content[2:6])[0] if len(content) > 6 else len(content) + 1  # noqa: PLR2004 - its place
    return "" if len(content) >= size else "truncated"


def _tiff_fault(_: bytes) -> str:
    return ""


def _png_fault(content: bytes) -> str:
    place = len(PNG)
    while True:
        head = content[place : place + 8]
        if len(head) < 8:  # noqa: PLR2004 - length and type of a chunk
            return "truncated"
        length, kind = struct.unpack(">I4s", head)
        end = place + 8 + length
        if len(content) < end + 4:
            return "truncated"
        if zlib.crc32(content[place + 4 : end]) != struct.unpack(">I", content[end : end + 4])[0]:
            return "damaged"
        if kind == b"IEND":
            return ""
        place = end + 4


CHECKS: tuple[tuple[tuple[bytes, ...], Callable[[bytes], str]], ...] = (
    ((PNG,), _png_fault),
    ((b"\xff\xd8\xff",), _jpeg_fault),
    ((b"GIF87a", b"GIF89a"), _gif_fault),
    ((b"BM",), _bmp_fault),
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), _tiff_fault),
)
"""Beginnings of each format, and its check."""
