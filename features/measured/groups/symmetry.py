"""Mirror symmetry of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

TIE = 1e-6  # pixels, an upper bound of the rounding error of a reflection's position

MIRROR = (
    "fraction of pixels whose reflection in the {axis} through the centroid also belongs to the object; a reflection "
    "halfway between two pixels counts half for each"
)
FEATURES = (
    Feature("symetrieh", "symmetry", "", MIRROR.format(axis="horizontal line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriev", "symmetry", "", MIRROR.format(axis="vertical line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriehc", "symmetry", "", MIRROR.format(axis="major axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrievc", "symmetry", "", MIRROR.format(axis="minor axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrieh_area", "symmetry", "", "symetrieh / area", "FlowCam challenge"),
    Feature("symetriev_area", "symmetry", "", "symetriev / area", "FlowCam challenge"),
)


def measure_symmetry(mosaic: Mosaic) -> Columns:
    """Measure symmetry about four lines through the centroid."""
    ellipse, area = mosaic.ellipse, mosaic.form.mass
    axis = np.where(ellipse.round, np.nan, ellipse.turn)
    middle, upright = np.stack([ellipse.x, ellipse.y], axis=1), np.zeros(len(mosaic))
    across, along, major, minor = (
        mirrored(mosaic.filled, mosaic.pixels, middle, turn)
        for turn in (upright, upright + np.pi / 2, axis, axis + np.pi / 2)
    )
    return {
        "symetrieh": across,
        "symetriev": along,
        "symetriehc": major,
        "symetrievc": minor,
        "symetrieh_area": across / area,
        "symetriev_area": along / area,
    }


@compiled
def mirrored(
    filled: NDArray[np.uint8], pixels: Pixels, middle: NDArray[np.float64], turn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the fraction of each object's pixels whose reflection also belongs to the object.

    A reflection halfway between two pixels, as in a horizontal or vertical line through half of all centroids, counts
    half for each; any other reflection counts for the nearest pixel.

    Args:
        filled: objects, holes filled, uint8 of shape (rows, columns).
        pixels: pixels of the objects.
        middle: x and y of the centroids, y from the object's first row, float64 of shape (n_objects, 2).
        turn: angle of each object's mirror line in radians, from the x axis towards the y axis, which points down,
            float64 of shape (n_objects,); NaN gives NaN.

    """
    found = np.full(len(turn), np.nan)
    for k in range(len(turn)):
        if np.isnan(turn[k]):
            continue
        cosine, sine = np.cos(2 * turn[k]), np.sin(2 * turn[k])
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        body = filled[pixels.y[begin] : pixels.y[end - 1] + 1]
        there = 0
        for p in range(begin, end):
            off_x, off_y = pixels.x[p] - middle[k, 0], pixels.y[p] - pixels.y[begin] - middle[k, 1]
            x, y = middle[k, 0] + cosine * off_x + sine * off_y, middle[k, 1] + sine * off_x - cosine * off_y
            there += _at(body, x + TIE, y + TIE) + _at(body, x - TIE, y - TIE)
        found[k] = there / (2 * (end - begin))
    return found


@compiled
def _at(body: NDArray[np.uint8], x: float, y: float) -> int:
    """Return the value of the pixel nearest to a position, 0 beyond the edges."""
    row, column = int(np.rint(y)), int(np.rint(x))
    within = 0 <= row < body.shape[0] and 0 <= column < body.shape[1]
    return int(body[row, column]) if within else 0
