"""Simulated camera: images of objects of any density."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planktonbench.data_manifests.simulation.imaging import SEEN_FROM, Body, Conditions, photograph

CLEAR = Conditions(
    background=170, gradient=(0, 0), noise=0, blur=0.5, depth=0, magnification=1, debris=0
)  # a camera without noise, on an even background


def square(density: int) -> Body:
    """Return a square of 20 px on a canvas of 60 px."""
    canvas = np.zeros((60, 60), np.uint8)
    canvas[20:40, 20:40] = density
    return Body(canvas, blur=0, uneven=0)


@pytest.mark.parametrize("debris", [0.0, 1.0])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.999, 1.0, 1.001, 5.0])
def test_objects_of_any_density_are_imaged(share: float, debris: float) -> None:
    """Above and below the detection threshold, the crop shows the object, centred with a margin."""
    conditions = replace(CLEAR, debris=debris)
    image = photograph(square(round(share * SEEN_FROM)), conditions, np.random.default_rng(0))

    assert 20 < min(image.shape) <= 40
    assert image[0].mean() == pytest.approx(170, abs=1)
    assert image.min() < 170


def test_grey_levels_depend_on_density_and_background() -> None:
    """The centre of an object absorbs light in proportion to its density; the border shows the background."""
    image = photograph(square(128), CLEAR, np.random.default_rng(0))
    middle = image[len(image) // 2, image.shape[1] // 2]

    assert middle == pytest.approx(170 * (1 - 0.62 * 128 / 255), abs=1)
    assert np.median(image[0]) == 170


def test_a_gradient_runs_along_its_axes() -> None:
    """In grey levels per 100 px, to the right and downward."""
    image = photograph(square(128), replace(CLEAR, gradient=(50, -100)), np.random.default_rng(0)).astype(int)
    height, width = image.shape

    assert image[0, -1] - image[0, 0] == pytest.approx(0.5 * (width - 1), abs=1)
    assert image[-1, 0] - image[0, 0] == pytest.approx(-1.0 * (height - 1), abs=1)


def test_grey_levels_are_clipped() -> None:
    """Noise beyond black and white does not wrap around."""
    image = photograph(square(255), replace(CLEAR, background=250, noise=40), np.random.default_rng(0))
    border = np.concatenate([image[0], image[-1]])

    assert border.max() == 255
    assert border.min() > 60
