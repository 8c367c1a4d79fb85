"""Size and diameters of the convex hull.

The hull is that of the edge midpoints of the pixels of all pieces together, as in scikit-image. Corners are in half
pixels, so that they are integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from ..kernels.compiled import compiled
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

NOWHERE = 1 << 40  # beyond any column

FEATURES = (
    Feature("feret", "hull", "px", "largest distance between two points of the hull", ZOOPROCESS),
    Feature("minferet", "hull", "px", "smallest width of the hull between parallel lines, one of them along an edge",
            "scikit-image; Shamos 1978"),
    Feature("convarea", "hull", "px²", "area of the hull of the midpoints of pixel edges", ZOOPROCESS),
    Feature("convperim", "hull", "px", "perimeter of the hull of the midpoints of pixel edges", ZOOPROCESS),
    Feature("solidity", "hull", "", "area / convarea", "scikit-image"),
    Feature("feretareaexc", "hull", "", "feret / √area_exc", ZOOPROCESS),
    Feature("convarea_area", "hull", "", "convarea / area", "FlowCam challenge"),
)  # fmt: skip


def measure_hull(mosaic: Mosaic, known: Columns) -> Columns:
    """Measure convex hulls.

    Args:
        mosaic: the objects.
        known: features of the objects: `area` and `area_exc`.

    """
    convarea, convperim, longest, least = _hulls(mosaic.pixels).T
    return {
        "feret": longest,
        "minferet": least,
        "convarea": convarea,
        "convperim": convperim,
        "solidity": known["area"] / convarea,
        "feretareaexc": ratio(longest, np.sqrt(known["area_exc"])),
        "convarea_area": convarea / known["area"],
    }


@compiled
def _hulls(pixels: Pixels) -> NDArray[np.float64]:
    """Return area, perimeter, largest and smallest diameter of each object's hull, float64 of shape (n_objects, 4)."""
    found = np.empty((len(pixels.bounds) - 1, 4))
    for k in range(len(found)):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        corners = hull_of(pixels.x[begin:end], pixels.y[begin:end])
        area, perimeter = 0, 0.0
        for j in range(len(corners)):
            x, y = corners[j - 1]
            right, down = corners[j, 0] - x, corners[j, 1] - y
            area += x * down - y * right
            perimeter += np.hypot(right, down)
        found[k, 0], found[k, 1] = abs(area) / 8, perimeter / 2
        found[k, 2], found[k, 3] = calipers(corners)
    return found


@compiled
def hull_of(x: NDArray[np.int32], y: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the convex hull of the edge midpoints of an object's pixels.

    Only the first and the last pixel of a row can touch it; both sides are traversed from top to bottom (monotone
    chain, Andrew 1979, doi 10.1016/0020-0190(79)90072-3).

    Args:
        x: column of each pixel, in reading order, int32 of shape (n_pixels,).
        y: row of each pixel, int32 of the same shape.

    Returns:
        x and y of the corners in half pixels, in order around the hull, int64 of shape (n_corners, 2).

    """
    height = 2 * (y[-1] - y[0]) + 3
    left, right = np.full(height, NOWHERE), np.full(height, -NOWHERE)
    for p in range(len(x)):
        line, middle = 2 * (y[p] - y[0]) + 1, 2 * np.int64(x[p])
        left[line], right[line] = min(left[line], middle - 1), max(right[line], middle + 1)
        for edge in (line - 1, line + 1):
            left[edge], right[edge] = min(left[edge], middle), max(right[edge], middle)
    top = 2 * np.int64(y[0]) - 1
    one, other = _side(left, 1), _side(right, -1)
    corners = np.empty((len(one) + len(other), 2), np.int64)
    for k in range(len(one)):
        corners[k, 0], corners[k, 1] = left[one[k]], one[k] + top
    for k in range(len(other)):
        line = other[len(other) - 1 - k]
        corners[len(one) + k, 0], corners[len(one) + k, 1] = right[line], line + top
    return corners


@compiled
def _side(ends: NDArray[np.int64], way: int) -> NDArray[np.int64]:
    """Return the lines in which one side of a hull has corners.

    Args:
        ends: end of each line on this side, int64 of shape (n_lines,); ±`NOWHERE` marks an empty line.
        way: 1 for the left side, −1 for the right side.

    """
    corner = np.empty(len(ends), np.int64)
    count = 0
    for line in range(len(ends)):
        if abs(ends[line]) == NOWHERE:
            continue
        while count > 1:
            one, other = corner[count - 2], corner[count - 1]
            bend = (ends[other] - ends[one]) * (line - other) - (ends[line] - ends[other]) * (other - one)
            if way * bend < 0:
                break
            count -= 1
        corner[count] = line
        count += 1
    return corner[:count]


@compiled
def calipers(corners: NDArray[np.int64]) -> tuple[float, float]:
    """Return the largest and the smallest caliper diameter of a hull.

    These are the extremes that rotating calipers find (Shamos 1978): the largest is the distance between two corners,
    the smallest is a width across an edge. Checking all pairs is exact and, for a few dozen corners, faster.

    Args:
        corners: x and y in half pixels, in order around the hull, int64 of shape (n_corners, 2).

    Returns:
        Both diameters in pixels.

    """
    square, least = 0, np.inf
    for j in range(len(corners)):
        x, y = corners[j]
        right, down = corners[j - 1, 0] - x, corners[j - 1, 1] - y
        low = high = 0
        for k in range(len(corners)):
            off_x, off_y = corners[k, 0] - x, corners[k, 1] - y
            square = max(square, off_x * off_x + off_y * off_y)
            across = right * off_y - down * off_x
            low, high = min(low, across), max(high, across)
        if right or down:
            least = min(least, (high - low) / np.hypot(right, down))
    return np.sqrt(square) / 2, least / 2
