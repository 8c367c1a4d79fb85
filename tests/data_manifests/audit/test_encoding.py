"""Whether an encoded image is whole, at every length to which it can be cut."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.audit.encoding import END_OF_IMAGE, fault_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = (np.arange(40 * 30) % 251).reshape(40, 30).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY[::-1], 255 - GREY])
GIF = (
    b"GIF89a" + struct.pack("<HHBBB", 2, 2, 0x80, 0, 0) + bytes(6)
    + b"\x2c" + struct.pack("<HHHHB", 0, 0, 2, 2, 0) + b"\x02\x02\x84\x51\x00\x3b"
)  # fmt: skip


def encoded(suffix: str, image: NDArray[np.integer] = GREY, *options: int) -> bytes:
    """Return the bytes of an image."""
    return bytes(cv2.imencode(suffix, image, options)[1].tobytes())


WHOLE = {
    "png": encoded(".png"),
    "png of 16 bits": encoded(".png", GREY.astype(np.uint16) * 257),
    "jpeg": encoded(".jpg"),
    "jpeg in colour": encoded(".jpg", COLOUR),
    "progressive jpeg": encoded(".jpg", COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "bmp": encoded(".bmp"),
    "gif": GIF,
}


@pytest.mark.parametrize("content", [*WHOLE.values(), encoded(".tiff")], ids=[*WHOLE, "tiff"])
def test_whole_images_have_no_fault(content: bytes) -> None:
    """What an encoder wrote is whole."""
    assert fault_of(content) == ""


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_every_cut_is_found(content: bytes) -> None:
    """One byte less, or all but one: it is truncated, never taken for whole or for no image."""
    found = {length: fault_of(content[:length]) for length in range(1, len(content))}

    assert set(found.values()) == {"truncated"}


def test_nothing_is_empty_and_text_is_no_image() -> None:
    """An empty file, and a file that something else wrote."""
    assert (fault_of(b""), fault_of(b"not a png")) == ("empty", "unknown")


def test_a_changed_byte_of_a_png_is_found() -> None:
    """Every chunk has a checksum: wherever behind the first eight bytes a bit is turned, something is told."""
    content = WHOLE["png"]
    turned = [content[:k] + bytes([content[k] ^ 1]) + content[k + 1 :] for k in range(8, len(content))]

    assert {fault_of(one) for one in turned} == {"damaged", "truncated"}


def test_the_end_of_a_thumbnail_is_not_the_end() -> None:
    """A JPEG inside a JPEG's header has an end of its own; the outer one is cut all the same."""
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + 40) + b"Exif\x00\x00" + bytes(32) + END_OF_IMAGE
    content = WHOLE["jpeg"][:2] + thumbnail + WHOLE["jpeg"][2:]

    assert fault_of(content) == ""
    assert fault_of(content[:-2]) == "truncated"
    assert fault_of(content[:60]) == "truncated"


def test_what_programs_write_behind_a_jpeg_does_no_harm() -> None:
    """Cameras put kilobytes behind the end."""
    assert fault_of(WHOLE["jpeg"] + bytes(5000)) == ""


def test_a_jpeg_without_markers_is_damaged() -> None:
    """Where a segment should begin, something else stands."""
    assert fault_of(WHOLE["jpeg"][:20] + b"nonsense" + WHOLE["jpeg"][28:]) == "damaged"


def test_a_png_whose_end_never_comes_is_truncated() -> None:
    """Its chunks are right, but IEND is missing."""
    assert fault_of(WHOLE["png"][:-12]) == "truncated"


def test_the_checksum_is_that_of_the_standard() -> None:
    """A chunk made by hand passes: CRC-32 over type and data."""
    chunk = b"tEXtkey\x00value"
    made = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))

    assert fault_of(WHOLE["png"][:-12] + made + WHOLE["png"][-12:]) == ""
