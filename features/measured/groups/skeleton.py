"""Skeletons: objects thinned to lines, holes excluded."""

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

END, FORK = 1, 3  # number of neighbours on the skeleton
AROUND = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))  # rows, columns: x₁ to x₈ of the paper
THINNING = "Guo & Hall 1989, doi 10.1145/62065.62074; Lam, Lee & Suen 1992, doi 10.1109/34.161346"
MEASURED = ("skelarea", "skellength", "skelends", "skelforks")

FEATURES = (
    Feature("skelarea", "skeleton", "px", "number of skeleton pixels, holes excluded", f"{ZOOPROCESS}; {THINNING}"),
    Feature(
        "skellength",
        "skeleton",
        "px",
        "sum of the links between skeleton pixels: 1 if horizontal or vertical, √2 if diagonal; no diagonal link "
        "between pixels that horizontal and vertical links join",
        "here",
    ),
    Feature("skelends", "skeleton", "", "number of skeleton pixels with one neighbour", "here"),
    Feature("skelforks", "skeleton", "", "number of skeleton pixels with three or more neighbours", "here"),
    Feature("skeleton_area", "skeleton", "", "skelarea / area", "FlowCam challenge"),
)


def _goes(ring: int) -> int:
    """Return in which passes a pixel with these neighbours is removed: 0 none, 1 the first, 2 the second, 3 both.

    Conditions G1, G2, and G3 or its counterpart of Lam, Lee & Suen 1992, page 879; neighbours are bits in the order of
    `AROUND`.
    """
    x = [bool(ring >> k & 1) for k in range(8)]
    crossings = sum(not x[k] and (x[k + 1] or x[(k + 2) % 8]) for k in (0, 2, 4, 6))
    pairs = min(sum(x[k] or x[k + 1] for k in (0, 2, 4, 6)), sum(x[k + 1] or x[(k + 2) % 8] for k in (0, 2, 4, 6)))
    if crossings != 1 or pairs not in (2, 3):
        return 0
    first = not ((x[1] or x[2] or not x[7]) and x[0])
    second = not ((x[5] or x[6] or not x[3]) and x[4])
    return first + 2 * second


GOES = np.array([_goes(ring) for ring in range(256)])


def measure_skeleton(mosaic: Mosaic) -> Columns:
    """Measure skeletons."""
    found = dict(zip(MEASURED, _measure(thinned(mosaic.mask, mosaic.pixels), mosaic.pixels).T, strict=True))
    return {**found, "skeleton_area": found["skelarea"] / np.diff(mosaic.pixels.bounds)}


@compiled
def thinned(mask: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.uint8]:
    """Thin a mask in alternating passes of two kinds; each removes all removable pixels at once.

    Only edge pixels can be removed, so each pass checks only these; removals add new edge pixels.

    Args:
        mask: 1 on objects, 0 in the margins, uint8 of shape (rows, columns).
        pixels: pixels of the objects, including those of holes.

    Returns:
        Non-zero on skeletons, uint8 of the same shape.

    """
    thin = mask.copy()
    edge, count = _edge(thin, pixels)
    leave = np.empty(len(edge), np.int64)
    idle, turn = 0, 1
    while idle < 2:  # noqa: PLR2004 - one pass of each kind
        leaving = 0
        for k in range(count):
            y, x = edge[k]
            if GOES[_ring(thin, y, x)] & turn:
                leave[leaving] = k
                leaving += 1
        count = _leave(thin, edge, count, leave[:leaving])
        idle = 0 if leaving else idle + 1
        turn = 3 - turn
    return thin


@compiled
def _edge(thin: NDArray[np.uint8], pixels: Pixels) -> tuple[NDArray[np.int32], int]:
    """List the pixels 4-adjacent to the background in a buffer for all pixels, and mark them by 2; return both."""
    edge = np.empty((len(pixels.x), 2), np.int32)
    count = 0
    for p in range(len(pixels.x)):
        x, y = pixels.x[p], pixels.y[p]
        if thin[y, x] and not (thin[y - 1, x] and thin[y + 1, x] and thin[y, x - 1] and thin[y, x + 1]):
            thin[y, x] = 2
            edge[count, 0], edge[count, 1] = y, x
            count += 1
    return edge, count


@compiled
def _ring(thin: NDArray[np.uint8], y: int, x: int) -> int:
    """Return which neighbours of a pixel are non-zero, as bits in the order of `AROUND`."""
    ring = 0
    for bit, (down, right) in enumerate(AROUND):
        ring |= (thin[y + down, x + right] > 0) << bit
    return ring


@compiled
def _leave(thin: NDArray[np.uint8], edge: NDArray[np.int32], count: int, leave: NDArray[np.int64]) -> int:
    """Remove pixels from skeleton and edge, and add newly exposed pixels to the edge; return the edge's size."""
    for k in leave:
        thin[edge[k, 0], edge[k, 1]] = 0
    gone = edge[leave]
    for k in leave[::-1]:
        count -= 1
        edge[k] = edge[count]
    for y, x in gone:
        for down, right in AROUND[::2]:
            if thin[y + down, x + right] == 1:
                thin[y + down, x + right] = 2
                edge[count, 0], edge[count, 1] = y + down, x + right
                count += 1
    return count


@compiled
def _measure(thin: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.float64]:
    """Measure skeletons in the order of `MEASURED`, float64 of shape (n_objects, 4)."""
    found = np.zeros((len(pixels.bounds) - 1, 4))
    for k in range(len(found)):
        sideways = corners = 0
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            y, x = pixels.y[p], pixels.x[p]
            if not thin[y, x]:
                continue
            ring = _ring(thin, y, x)
            right, left, below = ring & 1, ring >> 4 & 1, ring >> 6 & 1
            sideways += right + below
            corners += (ring >> 7 & 1 and not right and not below) + (ring >> 5 & 1 and not left and not below)
            neighbours = 0
            for bit in range(8):
                neighbours += ring >> bit & 1
            found[k, 0] += 1
            found[k, 2] += neighbours == END
            found[k, 3] += neighbours >= FORK
        found[k, 1] = sideways + np.sqrt(2) * corners
    return found
