"""Roughness of the boundary of an object."""

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

RADII = (1, 2, 3, 4)  # pixels on both sides of the boundary; the largest fits into the mosaic's margin
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

FEATURES = (
    Feature(
        "fractal",
        "boundary",
        "",
        "2 − slope of log A(r) against log(r + ½), where A(r) is the number of pixels within r = "
        "1, 2, 3, 4 px of the boundary, including boundaries of holes",
        f"{ZOOPROCESS}; Bérubé & Jébrak 1999, Computers & Geosciences 25:1059",
    ),
)


def measure_boundary(mosaic: Mosaic) -> Columns:
    """Measure boundary roughness."""
    return {"fractal": boundary_dimension(mosaic)}


def boundary_dimension(mosaic: Mosaic) -> NDArray[np.float64]:
    """Return the Minkowski dimension of each object's boundary, from its "sausages" of growing radius.

    The boundary is the set of the object's pixels that are 4-adjacent to the background. D = 2 − least-squares slope of
    log A(r) against log (r + ½), half the width of a drawn sausage (after Bérubé & Jébrak 1999): 1 for a drawn line.
    """
    boundary = mosaic.mask - cv2.erode(mosaic.mask, CROSS)
    tops = mosaic.tops[:-1]
    near = (cv2.dilate(boundary, disc(r)).sum(axis=1) for r in RADII)
    areas = np.stack([np.add.reduceat(rows, tops) for rows in near], axis=1)
    widths = np.log(np.array(RADII) + 0.5)
    at = widths - widths.mean()
    return np.asarray(2 - np.log(areas) @ at / (at @ at), np.float64)


def disc(radius: int) -> NDArray[np.uint8]:
    """Return a disc, the pixels within a radius of the centre, uint8 of shape (2 radius + 1, 2 radius + 1)."""
    along = np.arange(-radius, radius + 1)
    return np.asarray(along**2 + along[:, None] ** 2 <= radius**2, np.uint8)
