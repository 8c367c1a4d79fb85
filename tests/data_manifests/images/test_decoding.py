"""From files to grey levels: one rule for depth, colour and transparency, checked against what was drawn."""

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
    """Return what is read of pixels that were written as PNG; it must be readable."""
    found = grey_levels(png(pixels), **options)
    assert found is not None
    assert found.dtype == np.uint8
    return found


def test_grey_of_8_bits_stays_as_it_is() -> None:
    """Pixel for pixel, with and without a third dimension."""
    np.testing.assert_array_equal(GREY, levels(GREY))
    np.testing.assert_array_equal(GREY, grey_of(GREY[..., None]))


@pytest.mark.parametrize(("white", "bits"), [(65535, 16), (4095, 12), (255, 8)])
def test_16_bits_are_scaled_by_the_cameras_white(white: int, bits: int) -> None:
    """A camera of 8, 12 or 16 bits spans black to white, and each level comes back as the nearest of 256."""
    ramp = np.linspace(0, white, 63).reshape(9, 7).round().astype(np.uint16)
    found = levels(ramp)

    assert 2**bits - 1 == white
    assert (found.min(), found.max()) == (0, 255)
    np.testing.assert_allclose(ramp * (255 / white), found, atol=0.5)


def test_16_bits_of_a_dark_image_are_brightened_no_further_than_12_bits() -> None:
    """The stated other side of the rule: values up to 4,095 are taken for those of a camera of 12 bits."""
    found = levels(np.array([[0, 1000], [2000, 256]], np.uint16))

    assert found.tolist() == [[0, 62], [125, 16]]


def test_colours_become_grey_by_their_weights() -> None:
    """ITU-R BT.601, for blue, green and red; of 16 bits too."""
    colours = np.random.default_rng(1).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    expected = colours @ np.array([0.114, 0.587, 0.299])

    np.testing.assert_allclose(expected, levels(colours), atol=1)
    np.testing.assert_allclose(expected, levels(colours.astype(np.uint16) * 257), atol=1)


@pytest.mark.parametrize("depth", [1, 257])
@pytest.mark.parametrize("channels", [2, 4])
def test_a_transparent_image_lies_on_the_grey_of_its_border(channels: int, depth: int) -> None:
    """What hides beneath transparent pixels is not seen; half opacity is half of both."""
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
def test_an_object_cut_out_lies_on_white_or_on_what_is_asked_for(options: dict[str, int], level: int) -> None:
    """A border that is all transparent tells nothing of the background."""
    pixels = np.zeros((5, 5, 4), np.uint8)
    pixels[..., :3] = 77
    pixels[1:4, 1:4, 3] = 255
    expected = np.full((5, 5), level)
    expected[1:4, 1:4] = 77

    np.testing.assert_array_equal(expected, levels(pixels, **options))


def test_a_single_pixel_is_an_image() -> None:
    """Opaque or not."""
    assert levels(np.array([[9]], np.uint8)).tolist() == [[9]]
    assert levels(np.array([[[9, 9, 9, 0]]], np.uint8)).tolist() == [[255]]


def test_a_jpeg_is_read_as_opencv_reads_it_in_grey() -> None:
    """Of colours it takes the luma that is stored, without a way over blue, green and red."""
    content = cv2.imencode(".jpg", np.dstack([GREY, GREY // 2, 255 - GREY]))[1].tobytes()
    expected = decoded(content, cv2.IMREAD_GRAYSCALE)
    assert expected is not None

    np.testing.assert_array_equal(expected, grey_levels(content))


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_numbers_without_a_known_white_are_unreadable(kind: type) -> None:
    """A TIFF of floats could mean anything."""
    content = cv2.imencode(".tif", GREY.astype(kind))[1].tobytes()

    assert decoded(content, cv2.IMREAD_UNCHANGED) is not None
    assert grey_levels(content) is None
    assert grey_of(np.zeros((2, 2, 5), np.uint8)) is None


@pytest.mark.parametrize("content", [b"", b"no image", png(GREY)[:20]])
def test_what_is_no_image_is_none(content: bytes) -> None:
    """For images and for masks."""
    with quiet_decoder():
        assert grey_levels(content) is None
        assert mask_levels(content) is None


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_mask_is_all_that_is_not_0(kind: type) -> None:
    """Labels 1, 2, 3 as well as 255, whatever the depth; colours too; opacity says nothing."""
    labels = np.array([[0, 1, 2], [3, 0, np.iinfo(kind).max]], kind)
    expected = [[0, 1, 1], [1, 0, 1]]
    blue, opaque = np.zeros((2, 3, 3), kind), np.full((2, 3, 4), np.iinfo(kind).max, kind)
    blue[..., 0], opaque[..., :3] = labels, labels[..., None]

    assert [np.asarray(mask_levels(png(one))).tolist() for one in (labels, blue, opaque)] == [expected] * 3


def test_opencv_has_one_thread_for_a_while() -> None:
    """Then as many as before."""
    before = cv2.getNumThreads()

    with opencv_on_one_thread():
        assert cv2.getNumThreads() == 1

    assert cv2.getNumThreads() == before
