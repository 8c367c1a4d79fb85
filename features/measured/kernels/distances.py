"""Squared distances to the nearest background pixel, as integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pixels import Pixels


@compiled
def square_distances(filled: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.int64]:
    """Return the squared distance of each pixel to the nearest pixel outside all objects.

    Exact, in two phases: down and up each column, then along each row the lower envelope of the parabolas centred on
    its pixels (Meijster, Roerdink & Hesselink 2000, doi 10.1007/0-306-47025-X_36).

    Args:
        filled: 1 on objects, 0 in the margins, uint8 of shape (rows, columns).
        pixels: pixels of the objects.

    Returns:
        int64 of shape (n_pixels,).

    """
    columns = filled.shape[1]
    heights = _heights(filled)
    found = np.empty(len(pixels.x), np.int64)
    begin = 0
    place, start = np.empty(columns, np.int64), np.empty(columns, np.int64)
    while begin < len(found):
        y, end = pixels.y[begin], begin
        while end < len(found) and pixels.y[end] == y:
            end += 1
        left = pixels.x[begin] - 1
        row = heights[y, left : pixels.x[end - 1] + 2]
        _lowest(row, place, start, pixels.x[begin:end] - left, found[begin:end])
        begin = end
    return found


@compiled
def _heights(filled: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the distance to the nearest background within each column, int32 of the mask's shape."""
    rows, columns = filled.shape
    heights = np.zeros((rows, columns), np.int32)
    for y in range(1, rows):
        for x in range(columns):
            heights[y, x] = (heights[y - 1, x] + 1) * filled[y, x]
    for y in range(rows - 2, -1, -1):
        for x in range(columns):
            heights[y, x] = min(heights[y, x], heights[y + 1, x] + 1)
    return heights


@compiled
def _lowest(
    row: NDArray[np.int32],
    place: NDArray[np.int64],
    start: NDArray[np.int64],
    at: NDArray[np.int32],
    found: NDArray[np.int64],
) -> None:
    """Compute the minimum of row[i]² + (x − i)² over all i, for each x of an ascending list.

    Args:
        row: heights of the parabolas' vertices.
        place: buffer for the parabolas of the lower envelope.
        start: buffer for the position from which each of them is the lowest.
        at: the positions x.
        found: output, the minimum at each position.

    """
    last = 0
    place[0] = start[0] = 0
    for i in range(1, len(row)):
        while last >= 0 and _parabola(row, place[last], start[last]) > _parabola(row, i, start[last]):
            last -= 1
        if last < 0:
            last = 0
            place[0] = i
            continue
        other = place[last]
        meet = (i * i - other * other + row[i] * row[i] - row[other] * row[other]) // (2 * (i - other)) + 1
        if meet < len(row):
            last += 1
            place[last], start[last] = i, meet
    k = 0
    for j in range(len(at)):
        while k < last and start[k + 1] <= at[j]:
            k += 1
        found[j] = _parabola(row, place[k], at[j])


@compiled
def _parabola(row: NDArray[np.int32], foot: int, x: int) -> int:
    height = int(row[foot])
    return (x - foot) * (x - foot) + height * height
