"""Images as a browser shows them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.mining.thumbnails import LARGEST_SIDE, thumbnail


def shown(image: np.ndarray, suffix: str = ".png") -> np.ndarray | None:  # type: ignore[type-arg]  # of several types
    """Encode an image, and decode its thumbnail."""
    content = thumbnail(cv2.imencode(suffix, image)[1].tobytes())
    return None if content is None else cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_grey_and_colours_are_kept(suffix: str) -> None:
    """Whatever the format, small images keep every pixel."""
    rng = np.random.default_rng(0)
    grey, colour = (rng.integers(0, 256, shape, np.uint8) for shape in ((9, 12), (9, 12, 3)))

    np.testing.assert_array_equal(np.squeeze(shown(grey, suffix)), grey)
    np.testing.assert_array_equal(shown(colour, suffix), colour)


def test_sixteen_bits_are_visible() -> None:
    """12 bits in 16 are scaled, as for networks; a browser would show black."""
    image = np.full((5, 6), 2048, np.uint16)
    image[0] = 4095
    found = shown(image)

    assert found is not None
    assert found[1, 0] in {127, 128}


def test_large_images_are_shrunk() -> None:
    """The proportions are kept."""
    found = shown(np.zeros((2 * LARGEST_SIDE, LARGEST_SIDE), np.uint8))

    assert found is not None
    assert found.shape == (LARGEST_SIDE, LARGEST_SIDE // 2)


def test_other_files_have_no_thumbnail() -> None:
    """A damaged image, for example."""
    assert thumbnail(b"<svg onload='alert(1)'/>") is None
    assert thumbnail(b"") is None
