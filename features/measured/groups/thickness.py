"""Thickness of an object, from the distances of its pixels to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

FEATURES = (
    Feature(
        "thickr",
        "thickness",
        "",
        "largest / mean distance of a pixel to the nearest pixel outside the object, holes filled",
        ZOOPROCESS,
    ),
    Feature("thickmax", "thickness", "px", "2 · largest distance − 1: pixels across the thickest part", "here"),
)


def measure_thickness(mosaic: Mosaic) -> Columns:
    """Measure the depth of the objects' pixels, holes filled."""
    depth, bounds = np.sqrt(mosaic.square_depth), mosaic.pixels.bounds
    deepest = np.maximum.reduceat(depth, bounds[:-1])
    return {
        "thickr": deepest / (np.add.reduceat(depth, bounds[:-1]) / np.diff(bounds)),
        "thickmax": 2 * deepest - 1,
    }
