"""How rough the boundary of an object is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..feature import Feature
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

RADII = (1, 2, 3, 4)  # pixels on both sides of the boundary; the margin of a sheet holds the largest
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

FEATURES = (
    Feature(
        "fractal",
        "boundary",
        "",
        "2 − slope of log A(r) over log(r + ½), A(r) the number of pixels within r = "
        "1, 2, 3, 4 px of the boundary, holes' boundaries too",
        f"{ZOOPROCESS}; Bérubé & Jébrak 1999, Computers & Geosciences 25:1059",
    ),
)


def measure_boundary(mosaic: Mosaic) -> Columns:
    """Measure the roughness of boundaries."""
    return {"fractal": boundary_dimension(mosaic)}


def boundary_dimension(mosaic: Mosaic) -> NDArray[np.float64]:
    """Return the Minkowski dimension of each object's boundary, from its "sausages" of growing radius.

    The boundary is the set of pixels of the object that touch the background sideways. D = 2 − slope of log A(r) over
    log (r + ½), half the width of a drawn sausage (after Bérubé & Jébrak 1999), by least squares: 1 for a drawn line.
    """
    boundary = mosaic.mask - cv2.erode(mosaic.mask, CROSS)
    tops = mosaic.tops[:-1]
    near = (cv2.dilate(boundary, disc(r)).sum(axis=1) for r in RADII)
    areas = np.stack([np.add.reduceat(rows, tops) for rows in near], axis=1)
    widths = np.log(np.array(RADII) + 0.5)
    at = widths - widths.mean()
    return np.asarray(2 - np.log(areas) @ at / (at @ at), np.float64)


def disc(radius: int) -> NDArray[np.uint8]:
    """Return the pixels within a radius of the middle one, uint8 of shape (2 radius + 1, 2 radius + 1)."""
    along = np.arange(-radius, radius + 1)
    return np.asarray(along**2 + along[:, None] ** 2 <= radius**2, np.uint8)
