"""Whether an encoded image is whole, at every length to which it can be cut."""

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
    """Write grey levels below 128 as a GIF, with a comment, whose codes are the pixels: each row begins with a clear.

    Args:
        pixels: of less than 126 columns, so that codes stay 8 bits long.
        local: the colour table stands behind the image's head, not behind the file's.

    """
    size, grey = struct.pack("<HH", pixels.shape[1], pixels.shape[0]), bytes(np.repeat(2 * np.arange(128), 3).tolist())
    comment = b"\x21\xfe\x05plank\x00"
    everywhere, here = (b"\x00\x00\x00", b"\x86" + grey) if local else (b"\x86\x00\x00" + grey, b"\x00")
    codes = b"".join(b"\x80" + row.tobytes() for row in pixels) + b"\x81"
    blocks = b"".join(bytes([len(part)]) + part for part in (codes[:200], codes[200:])) + b"\x00"
    return b"GIF89a" + size + everywhere + comment + b"\x2c" + bytes(4) + size + here + b"\x07" + blocks + b"\x3b"


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
    "gif": gif(GIF_PIXELS),
    "gif with a local table": gif(GIF_PIXELS, local=True),
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


def test_a_gif_whose_blocks_do_not_follow_each_other_is_damaged() -> None:
    """Where a block should begin, something else stands; what programs write behind the trailer does no harm."""
    content = WHOLE["gif"]
    comment = content.index(b"\x21\xfe")

    assert b"\x3b" in content[comment:-1]
    assert fault_of(content[:comment] + b"\x22" + content[comment + 1 :]) == "damaged"
    assert fault_of(content + bytes(100)) == ""


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
