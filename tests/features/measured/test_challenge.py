"""Tests of the native table of simulated data sets: features of the whitened image, with the published table's gaps."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation.shapes import shapes
from planktonbench.data_manifests.simulation.native_table import FRAME, NEEDS_FRAME, NEEDS_HOLES
from planktonbench.features.measured.catalogue import NAMES
from planktonbench.features.measured.challenge import CHALLENGE_TABLE, COLUMNS
from planktonbench.features.measured.measure import measure_chunk
from planktonbench.features.measured.objects.segmentation import Segmentation

IMAGES = [shape.image for shape in shapes() if shape.name.startswith(("ring", "disc"))]
PLACE = {name: position for position, name in enumerate(COLUMNS)}


def test_white_backgrounds_give_the_measured_features() -> None:
    """An image with a white background is measured unchanged."""
    white = [np.where(image == 240, 255, image).astype(np.uint8) for image in IMAGES]
    expected = measure_chunk(white, Segmentation(background="light"))[:, [NAMES.index(name) for name in COLUMNS]]
    values = CHALLENGE_TABLE.measure(white)

    np.testing.assert_array_equal(values, expected)


def test_grey_levels_are_scaled_to_a_white_background_except_the_frame() -> None:
    """A background of 240 becomes 255, and all levels are scaled by the same factor."""
    values = CHALLENGE_TABLE.measure(IMAGES)

    assert values[0, PLACE["min"]] == round(90 * 255 / 240)
    assert values[0, PLACE[FRAME]] == pytest.approx(IMAGES[0].mean())


def test_missing_values_are_those_of_the_published_table() -> None:
    """Features of the holes are missing if the holes are unknown, features of the frame if the frame is unknown."""
    frame, holes = np.array([True, True, True, False]), np.array([True, False, True, True])
    values = CHALLENGE_TABLE.of(IMAGES, frame, holes)

    for name in NEEDS_HOLES:
        assert (np.isnan(values[:, PLACE[name]]) == ~holes).all()
    for name in NEEDS_FRAME:
        assert (np.isnan(values[:, PLACE[name]]) == ~frame).all()
    assert ((values[:, PLACE[FRAME]] == 0) == ~frame).all()
