"""Tests of decoding to grey levels: bit depth, colour and transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.images.decoding import (
    BLACK,
    decoded,
    grey_levels,
    grey_of,
    mask_levels,
    opencv_on_one_thread,
    quiet_decoder,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)


def png(pixels: NDArray[np.integer]) -> bytes:
    """Encode pixels as PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def levels(pixels: NDArray[np.integer], **options: int) -> NDArray[np.uint8]:
    """Encode pixels as PNG and return the decoded grey levels."""
    found = grey_levels(png(pixels), **options)
    assert found is not None
    assert found.dtype == np.uint8
    return found


def test_8_bit_grey_is_unchanged() -> None:
    """All pixels are equal, with and without a third dimension."""
    np.testing.assert_array_equal(GREY, levels(GREY))
    np.testing.assert_array_equal(GREY, grey_of(GREY[..., None]))


@pytest.mark.parametrize(("white", "bits"), [(65535, 16), (4095, 12), (255, 8)])
def test_16_bits_are_scaled_by_the_white_level(white: int, bits: int) -> None:
    """Images of 8-, 12- and 16-bit cameras span black to white, rounded to the nearest of 256 levels."""
    ramp = np.linspace(0, white, 63).reshape(9, 7).round().astype(np.uint16)
    found = levels(ramp)

    assert 2**bits - 1 == white
    assert (found.min(), found.max()) == (0, 255)
    np.testing.assert_allclose(ramp * (255 / white), found, atol=0.5)


def test_dark_16_bit_images_are_scaled_as_12_bits() -> None:
    """The documented drawback of the rule: values up to 4,095 are treated as 12-bit values."""
    found = levels(np.array([[0, 1000], [2000, 256]], np.uint16))

    assert found.tolist() == [[0, 62], [125, 16]]


def test_colours_are_converted_to_grey() -> None:
    """Weights are those of ITU-R BT.601 for blue, green and red, also with 16 bits."""
    colours = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    expected = colours @ np.array([0.114, 0.587, 0.299])

    np.testing.assert_allclose(expected, levels(colours), atol=1)
    np.testing.assert_allclose(expected, levels(colours.astype(np.uint16) * 257), atol=1)


@pytest.mark.parametrize("depth", [1, 257])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_images_are_composited_over_the_grey_of_the_border(channels: int, depth: int) -> None:
    """Colours of transparent pixels have no effect; partly transparent pixels are blended."""
    grey = np.full((6, 6), 200, np.uint16)
    opacity = np.full((6, 6), 255, np.uint16)
    grey[2:4, 2:4], opacity[2:4, 2:4] = 0, 0
    grey[2, 2], opacity[2, 2] = 100, 51
    layers = np.dstack([*[grey] * (channels - 1), opacity]) * depth
    expected = np.full((6, 6), 200)
    expected[2, 2] = 180

    found = grey_of(layers.astype(np.uint8 if depth == 1 else np.uint16))

    np.testing.assert_array_equal(expected, found)


@pytest.mark.parametrize(("options", "level"), [({}, 255), ({"behind": BLACK}, 0)])
def test_images_with_a_transparent_border_are_composited_over_behind(options: dict[str, int], level: int) -> None:
    """If the whole border is transparent, the background is white or the given level."""
    pixels = np.zeros((5, 5, 4), np.uint8)
    pixels[..., :3] = 77
    pixels[1:4, 1:4, 3] = 255
    expected = np.full((5, 5), level)
    expected[1:4, 1:4] = 77

    np.testing.assert_array_equal(expected, levels(pixels, **options))


def test_a_single_pixel_is_decoded() -> None:
    """An image may have one pixel, opaque or transparent."""
    assert levels(np.array([[9]], np.uint8)).tolist() == [[9]]
    assert levels(np.array([[[9, 9, 9, 0]]], np.uint8)).tolist() == [[255]]


def test_jpeg_is_read_in_greyscale_by_opencv() -> None:
    """The stored luma is used directly, without conversion to blue, green and red."""
    content = cv2.imencode(".jpg", np.dstack([GREY, GREY // 2, 255 - GREY]))[1].tobytes()
    expected = decoded(content, cv2.IMREAD_GRAYSCALE)
    assert expected is not None

    np.testing.assert_array_equal(expected, grey_levels(content))


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_types_without_a_known_white_level_are_unreadable(kind: type) -> None:
    """The range of a TIFF of 32-bit floats or integers is unknown."""
    content = cv2.imencode(".tif", GREY.astype(kind))[1].tobytes()

    assert decoded(content, cv2.IMREAD_UNCHANGED) is not None
    assert grey_levels(content) is None
    assert grey_of(np.zeros((2, 2, 5), np.uint8)) is None


@pytest.mark.parametrize("content", [b"", b"no image", png(GREY)[:20]])
def test_undecodable_content_gives_none(content: bytes) -> None:
    """Both images and masks return None."""
    with quiet_decoder():
        assert grey_levels(content) is None
        assert mask_levels(content) is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_mask_is_1_where_any_colour_is_nonzero(kind: type) -> None:
    """Labels and colours of any bit depth are supported; opacity is ignored."""
    labels = np.array([[0, 1, 2], [3, 0, np.iinfo(kind).max]], kind)
    expected = [[0, 1, 1], [1, 0, 1]]
    blue, opaque = np.zeros((2, 3, 3), kind), np.full((2, 3, 4), np.iinfo(kind).max, kind)
    blue[..., 0], opaque[..., :3] = labels, labels[..., None]

    assert [np.asarray(mask_levels(png(one))).tolist() for one in (labels, blue, opaque)] == [expected] * 3


def test_opencv_is_limited_to_one_thread() -> None:
    """The previous number of threads is restored."""
    before = cv2.getNumThreads()

    with opencv_on_one_thread():
        assert cv2.getNumThreads() == 1

    assert cv2.getNumThreads() == before
