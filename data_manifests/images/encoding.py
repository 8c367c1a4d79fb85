"""Detection of truncated and damaged image files.

This is not left to the decoder: some versions fill missing data with grey and at most print a warning to the terminal.
Changes in the middle of a JPEG, GIF or BMP, which have no checksums, are not detected.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PNG = b"\x89PNG\r\n\x1a\n"
END_OF_IMAGE, START_OF_SCAN = b"\xff\xd9", 0xDA
GIF_HEADERS = {b"\x21": 2, b"\x2c": 11}  # bytes of an extension and of an image before the first sub-block


def fault_of(content: bytes) -> str:
    """Return the fault of an encoded image: `empty`, `truncated`, `damaged`, `unknown`, or an empty string if intact.

    PNG: all chunks up to IEND are present with correct checksums (ISO/IEC 15948, 5.3). JPEG: the end-of-image marker
    follows the first scan (ITU-T T.81, B.1.1.3), so that the marker of a thumbnail does not count and trailing data are
    allowed. GIF: all blocks up to the trailer are present (CompuServe GIF89a, 15 and 27). BMP: the file has at least
    the size given in its header. TIFF: only the signature is checked; other faults are left to the decoder.
    """
    if not content:
        return "empty"
    for signatures, check in CHECKS:
        if content.startswith(signatures):
            return check(content)
    known = [signature for signatures, _ in CHECKS for signature in signatures]
    return "truncated" if any(signature.startswith(content) for signature in known) else "unknown"


def _jpeg_fault(content: bytes) -> str:
    """Skip the segments up to the first scan, each a marker and a length, and search for the end of image after it."""
    offset = 2
    while len(content) >= offset + 4:
        marker, kind, length = struct.unpack(">BBH", content[offset : offset + 4])
        if marker != 0xFF:  # noqa: PLR2004 - first byte of every marker
            return "damaged"
        if kind == START_OF_SCAN:
            return "" if END_OF_IMAGE in content[offset + 2 + length :] else "truncated"
        offset += 1 if kind == 0xFF else 2 + length  # noqa: PLR2004 - fill bytes may precede a marker
    return "truncated"


def _gif_fault(content: bytes) -> str:
    """Skip the blocks up to the trailer, each an introducer and sub-blocks with their lengths."""
    offset = 13 + _gif_colour_table_size(content[10:11])
    while len(content) > offset:
        introducer = content[offset : offset + 1]
        if introducer == b"\x3b":
            return ""
        if introducer not in GIF_HEADERS:
            return "damaged"
        table_size = _gif_colour_table_size(content[offset + 9 : offset + 10]) if introducer == b"\x2c" else 0
        offset += GIF_HEADERS[introducer] + table_size
        while content[offset : offset + 1] > b"\x00":
            offset += 1 + content[offset]
        offset += 1
    return "truncated"


def _gif_colour_table_size(flags: bytes) -> int:
    """Return the size in bytes of the colour table announced by the flags; 0 if the flags are missing."""
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags > b"\x7f" else 0


def _bmp_fault(content: bytes) -> str:
    size = struct.unpack("<I", content[2:6])[0] if len(content) > 6 else len(content) + 1  # noqa: PLR2004 - end of field
    return "" if len(content) >= size else "truncated"


def _tiff_fault(_: bytes) -> str:
    return ""


def _png_fault(content: bytes) -> str:
    offset = len(PNG)
    while True:
        header = content[offset : offset + 8]
        if len(header) < 8:  # noqa: PLR2004 - length and type of a chunk
            return "truncated"
        length, kind = struct.unpack(">I4s", header)
        end = offset + 8 + length
        if len(content) < end + 4:
            return "truncated"
        if zlib.crc32(content[offset + 4 : end]) != struct.unpack(">I", content[end : end + 4])[0]:
            return "damaged"
        if kind == b"IEND":
            return ""
        offset = end + 4


CHECKS: tuple[tuple[tuple[bytes, ...], Callable[[bytes], str]], ...] = (
    ((PNG,), _png_fault),
    ((b"\xff\xd8\xff",), _jpeg_fault),
    ((b"GIF87a", b"GIF89a"), _gif_fault),
    ((b"BM",), _bmp_fault),
    ((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"), _tiff_fault),
)
"""Signatures of each format, and its check."""
