"""Lists of the pixels of objects, so that loops do not visit the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pixels(NamedTuple):
    """Pixels of objects, object after object, each in reading order.

    Attributes:
        x, y: column and row in the mosaic, int32 of shape (n_pixels,).
        bounds: index of each object's first pixel, then the number of pixels; int64 of shape (n_objects + 1,).

    """

    x: NDArray[np.int32]
    y: NDArray[np.int32]
    bounds: NDArray[np.int64]


@compiled
def pixels_of(mask: NDArray[np.uint8], tops: NDArray[np.int64]) -> Pixels:
    """List the pixels of a mask.

    Args:
        mask: non-zero on objects, uint8 of shape (rows, columns).
        tops: first row of each object's band and, at the end, the number of rows; int64 of shape (n_objects + 1,).

    """
    rows, columns = mask.shape
    count = np.count_nonzero(mask)
    x, y, bounds = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(len(tops), np.int64)
    found = band = 0
    for row in range(rows):
        while tops[band] == row:
            bounds[band] = found
            band += 1
        for column in range(columns):
            if mask[row, column]:
                x[found], y[found] = column, row
                found += 1
    bounds[band:] = found
    return Pixels(x, y, bounds)
