"""Tests of the segmentation: the object is found, and nothing in an image without one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.features.measured.objects.segmentation import Ground, Segmentation, segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIGHT = Segmentation(background="light")
SHAPE = (60, 80)


def disc(radius: float, x: float = 40, y: float = 30) -> NDArray[np.bool_]:
    """Return a disc, bool of SHAPE."""
    rows, columns = np.indices(SHAPE)
    return np.hypot(columns - x, rows - y) <= radius


def picture(*regions: tuple[NDArray[np.bool_], int], ground: int = 230, noise: float = 0) -> NDArray[np.uint8]:
    """Draw regions with their grey levels on a background, with seeded noise."""
    image = np.full(SHAPE, float(ground))
    for region, level in regions:
        image[region] = level
    image += np.random.default_rng(0).normal(0, noise, SHAPE)
    return np.clip(image.round(), 0, 255).astype(np.uint8)


def overlap(mask: NDArray[np.uint8], form: NDArray[np.bool_]) -> float:
    """Return the intersection over union of a mask and a shape."""
    return float(((mask > 0) & form).sum() / ((mask > 0) | form).sum())


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_a_disc_is_found_on_either_background(noise: float, *, dark: bool, known: bool) -> None:
    """Dark or light disc, background set or detected, with noise or not; smoothing adds a pixel to the rim."""
    image = picture((disc(15), 90), noise=noise)
    background = ("dark" if dark else "light") if known else None
    mask = segment(255 - image if dark else image, Segmentation(background=background))

    assert mask[disc(15)].all()
    assert not mask[~disc(17)].any()


@pytest.mark.parametrize("noise", [0, 1, 3])
def test_a_flat_image_has_no_object(noise: float) -> None:
    """Noise alone is not an object."""
    assert not segment(picture(noise=noise), LIGHT).any()


def test_a_dark_body_does_not_hide_its_antenna() -> None:
    """A pale line attached to a black disc belongs to the object."""
    antenna = np.zeros(SHAPE, bool)
    antenna[29:31, 45:75] = True
    mask = segment(picture((antenna, 195), (disc(10), 10)), LIGHT)

    assert mask[29:31, 45:72].all()


def test_the_bright_centre_of_a_bubble_is_a_hole() -> None:
    """The ring is the object; the area inside it that is lighter than the background is not."""
    mask = segment(picture((disc(20), 80), (disc(12), 250)), LIGHT)

    assert overlap(mask, disc(20) & ~disc(12)) > 0.75
    assert not mask[30, 40]


def test_specks_are_removed_and_pieces_kept() -> None:
    """Of a large disc, a small disc and a pixel, the pixel is removed; with `largest`, the small disc as well."""
    image = picture((disc(14, 22), 90), (disc(5, 60), 90), (disc(0, 74, 8), 90))
    everything, largest = segment(image, LIGHT), segment(image, replace(LIGHT, pieces="largest"))

    assert cv2.connectedComponents(everything)[0] - 1 == 2
    assert cv2.connectedComponents(largest)[0] - 1 == 1
    assert largest[30, 22]
    assert not everything[8, 74]


def test_the_scale_bar_is_cropped() -> None:
    """Rows of the scale bar are neither object nor background."""
    image = np.vstack([picture((disc(15), 90)), np.zeros((31, SHAPE[1]), np.uint8)])
    mask = segment(image, replace(LIGHT, scale_bar=31))

    np.testing.assert_array_equal(mask, segment(image[:-31], LIGHT))
    assert segment(image[:20], replace(LIGHT, scale_bar=31)).shape == (1, SHAPE[1])


def test_an_object_that_crosses_the_border_is_found() -> None:
    """Three quarters of the border belong to the object; the rest is background."""
    form = np.ones(SHAPE, bool)
    form[:, 60:] = False
    striped = np.where(np.indices(SHAPE)[1] % 6 < 3, 90, 140)
    image = np.where(form, striped, 240).astype(np.uint8)

    assert Ground.of(image, "light").level == 240
    assert overlap(segment(image, LIGHT), form) > 0.9


def test_images_without_contrast_have_no_object() -> None:
    """In an image with one pixel, one row, one column or one level, no object is found and no error occurs."""
    for shape in ((1, 1), (1, 50), (50, 1), (40, 40)):
        for level in (0, 128, 255):
            assert not segment(np.full(shape, level, np.uint8), Segmentation()).any()
