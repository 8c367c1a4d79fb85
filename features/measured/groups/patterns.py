"""Local binary patterns: which neighbours on a circle are not darker than the centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

NEIGHBOURS = 8
CODES = NEIGHBOURS + 2
CIRCLES = (1, 2, 3)  # pixels
FINE = 1 << 10  # interpolation between pixels is in units of 1 / FINE pixel
OJALA = "Ojala et al. 2002, doi 10.1109/TPAMI.2002.1017623"


def pattern_text(radius: int, code: int) -> str:
    """Return the description of the feature for a code of the neighbours on a circle."""
    if code <= NEIGHBOURS:
        return f"fraction of pixels with a uniform pattern, {code} of 8 neighbours at {radius} px being not darker"
    return f"fraction of pixels with a non-uniform pattern of 8 neighbours at {radius} px"


FEATURES = tuple(
    Feature(f"lbp_r{radius}_{code}", "patterns", "", pattern_text(radius, code), OJALA)
    for radius in CIRCLES
    for code in range(CODES)
)


def _code(pattern: int) -> int:
    """Return the rotation-invariant uniform code of a pattern, whose bits are the neighbours around the circle."""
    bits = [pattern >> k & 1 for k in range(NEIGHBOURS)]
    changes = sum(bits[k] != bits[k - 1] for k in range(NEIGHBOURS))
    return sum(bits) if changes <= 2 else CODES - 1  # noqa: PLR2004 - definition of uniform


CODE_OF = np.array([_code(pattern) for pattern in range(1 << NEIGHBOURS)])


def measure_patterns(mosaic: Mosaic) -> Columns:
    """Measure histograms of rotation-invariant uniform local binary patterns of 8 neighbours on circles.

    Diagonal neighbours lie between pixels and are interpolated (Ojala et al. 2002, section 2.1), here in integer
    arithmetic, so that a flat neighbourhood stays flat. Neighbours may lie outside the object.
    """
    found: Columns = {}
    for radius in CIRCLES:
        shares = pattern_shares(mosaic.grey, mosaic.pixels, radius)
        found |= {f"lbp_r{radius}_{code}": shares[:, code] for code in range(CODES)}
    return found


@compiled
def pattern_shares(grey: NDArray[np.uint8], pixels: Pixels, radius: int) -> NDArray[np.float64]:
    """Return the fraction of each object's pixels with each code, float64 of shape (n_objects, CODES)."""
    found = np.zeros((len(pixels.bounds) - 1, CODES))
    pattern = np.empty(grey.shape[1], np.uint8)
    for k in range(len(found)):
        begin, last = pixels.bounds[k], pixels.bounds[k + 1]
        counts = np.zeros(CODES, np.int64)
        p = begin
        while p < last:
            y, x, q = pixels.y[p], pixels.x[p], p
            while p < last and pixels.y[p] == y:
                p += 1
            _patterns(grey, y, x, pattern[: pixels.x[p - 1] + 1 - x], radius)
            for one in range(q, p):
                counts[CODE_OF[pattern[pixels.x[one] - x]]] += 1
        found[k] = counts / (last - begin)
    return found


@compiled
def _patterns(grey: NDArray[np.uint8], y: int, x: int, pattern: NDArray[np.uint8], radius: int) -> None:
    """Compute the patterns of adjacent pixels of row y, from column x on.

    The first bit is the neighbour on the right, the others follow anticlockwise; each step is done for many pixels at
    once.
    """
    count = len(pattern)
    centre, right, left = grey[y, x:], grey[y, x + radius :], grey[y, x - radius :]
    above, below = grey[y - radius, x:], grey[y + radius, x:]
    for k in range(count):
        here = centre[k]
        pattern[k] = (right[k] >= here) | (above[k] >= here) << 2 | (left[k] >= here) << 4 | (below[k] >= here) << 6
    whole, rest = divmod(int(np.rint(FINE * radius * np.sqrt(0.5))), FINE)
    for way, down, side in ((1, -1, 1), (3, -1, -1), (5, 1, -1), (7, 1, 1)):
        near, far = grey[y + whole * down, x + whole * side :], grey[y + (whole + 1) * down, x + whole * side :]
        near_out, far_out = (
            grey[y + whole * down, x + (whole + 1) * side :],
            grey[y + (whole + 1) * down, x + (whole + 1) * side :],
        )
        for k in range(count):
            inner = (FINE - rest) * np.int32(near[k]) + rest * np.int32(near_out[k])
            outer = (FINE - rest) * np.int32(far[k]) + rest * np.int32(far_out[k])
            value = (FINE - rest) * inner + rest * outer
            pattern[k] |= (value >= FINE * FINE * np.int32(centre[k])) << way
