"""Tests of the detection of truncated and damaged images."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.images.encoding import END_OF_IMAGE, fault_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = (np.arange(40 * 30) % 251).reshape(40, 30).astype(np.uint8)
COLOUR = np.dstack([GREY, GREY[::-1], 255 - GREY])
GIF_PIXELS = (np.arange(20 * 15) % 101).reshape(15, 20).astype(np.uint8)


def gif(pixels: NDArray[np.uint8], *, local: bool = False) -> bytes:
    """Encode grey levels below 128 as a GIF with a comment; codes are the pixel values, and a clear precedes each row.

    Args:
        pixels: fewer than 126 columns, so that codes stay 8 bits long.
        local: use a local colour table instead of a global one.

    """
    size, grey = struct.pack("<HH", pixels.shape[1], pixels.shape[0]), bytes(np.repeat(2 * np.arange(128), 3).tolist())
    comment = b"\x21\xfe\x05plank\x00"
    global_table, local_table = (b"\x00\x00\x00", b"\x86" + grey) if local else (b"\x86\x00\x00" + grey, b"\x00")
    codes = b"".join(b"\x80" + row.tobytes() for row in pixels) + b"\x81"
    blocks = b"".join(bytes([len(block)]) + block for block in (codes[:200], codes[200:])) + b"\x00"
    return (
        b"GIF89a" + size + global_table + comment + b"\x2c" + bytes(4) + size + local_table + b"\x07" + blocks + b"\x3b"
    )


def encoded(suffix: str, image: NDArray[np.integer] = GREY, *options: int) -> bytes:
    """Return an encoded image."""
    return bytes(cv2.imencode(suffix, image, options)[1].tobytes())


INTACT = {
    "png": encoded(".png"),
    "png of 16 bits": encoded(".png", GREY.astype(np.uint16) * 257),
    "jpeg": encoded(".jpg"),
    "jpeg in colour": encoded(".jpg", COLOUR),
    "progressive jpeg": encoded(".jpg", COLOUR, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "bmp": encoded(".bmp"),
    "gif": gif(GIF_PIXELS),
    "gif with a local table": gif(GIF_PIXELS, local=True),
}


@pytest.mark.parametrize("content", [*INTACT.values(), encoded(".tiff")], ids=[*INTACT, "tiff"])
def test_intact_images_have_no_fault(content: bytes) -> None:
    """The output of an encoder is intact."""
    assert fault_of(content) == ""


@pytest.mark.parametrize("content", INTACT.values(), ids=INTACT)
def test_truncation_is_detected_at_every_length(content: bytes) -> None:
    """From one byte to all but one byte, the image is reported as truncated, never as intact or unknown."""
    found = {length: fault_of(content[:length]) for length in range(1, len(content))}

    assert set(found.values()) == {"truncated"}


def test_empty_and_unknown_content() -> None:
    """An empty file is reported as empty, and a file that is not an image as unknown."""
    assert (fault_of(b""), fault_of(b"not a png")) == ("empty", "unknown")


def test_a_changed_byte_of_a_png_is_detected() -> None:
    """Every chunk has a checksum, so that a flipped bit anywhere after the signature is reported."""
    content = INTACT["png"]
    changed = [content[:k] + bytes([content[k] ^ 1]) + content[k + 1 :] for k in range(8, len(content))]

    assert {fault_of(one) for one in changed} == {"damaged", "truncated"}


def test_the_end_marker_of_a_thumbnail_is_ignored() -> None:
    """A truncated JPEG is detected even if the thumbnail in its header has an end-of-image marker."""
    thumbnail = b"\xff\xe1" + struct.pack(">H", 2 + 40) + b"Exif\x00\x00" + bytes(32) + END_OF_IMAGE
    content = INTACT["jpeg"][:2] + thumbnail + INTACT["jpeg"][2:]

    assert fault_of(content) == ""
    assert fault_of(content[:-2]) == "truncated"
    assert fault_of(content[:60]) == "truncated"


def test_trailing_data_of_a_jpeg_are_ignored() -> None:
    """Some cameras write kilobytes after the end of the image."""
    assert fault_of(INTACT["jpeg"] + bytes(5000)) == ""


def test_a_gif_with_an_invalid_block_is_damaged() -> None:
    """An unknown byte at the start of a block is reported; data after the trailer are ignored."""
    content = INTACT["gif"]
    comment = content.index(b"\x21\xfe")

    assert b"\x3b" in content[comment:-1]
    assert fault_of(content[:comment] + b"\x22" + content[comment + 1 :]) == "damaged"
    assert fault_of(content + bytes(100)) == ""


def test_a_jpeg_without_a_marker_is_damaged() -> None:
    """Each segment must begin with a marker."""
    assert fault_of(INTACT["jpeg"][:20] + b"nonsense" + INTACT["jpeg"][28:]) == "damaged"


def test_a_png_without_iend_is_truncated() -> None:
    """All chunks are correct, but IEND is missing."""
    assert fault_of(INTACT["png"][:-12]) == "truncated"


def test_checksums_of_png_follow_the_standard() -> None:
    """A chunk with CRC-32 over type and data, built in the test, is accepted."""
    chunk = b"tEXtkey\x00value"
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))

    assert fault_of(INTACT["png"][:-12] + text + INTACT["png"][-12:]) == ""
