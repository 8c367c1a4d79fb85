"""Connected pieces of a mask from its runs: contiguous lines of pixels within a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pixels import Pixels

SIDEWAYS, ALSO_ACROSS = 0, 1  # 4-connected and 8-connected: gap at which runs of adjacent rows still touch


class Runs(NamedTuple):
    """Runs of a mask in reading order.

    Attributes:
        row: row of each run, int32 of shape (n_runs,).
        begin, end: first column, and one past the last column, int32 of shape (n_runs,).
        piece: index of the first run of the piece that the run belongs to, int64 of shape (n_runs,).

    """

    row: NDArray[np.int32]
    begin: NDArray[np.int32]
    end: NDArray[np.int32]
    piece: NDArray[np.int64]


@compiled
def runs_of(mask: NDArray[np.uint8], value: int, reach: int) -> Runs:
    """Find the runs of a value in a mask, and the pieces that they form.

    Args:
        mask: uint8 of shape (rows, columns).
        value: value of the pixels to find.
        reach: `SIDEWAYS` or `ALSO_ACROSS`.

    """
    rows, columns = mask.shape
    most = rows * (columns // 2 + 1)
    row, begin, end = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int32)
    count = 0
    for y in range(rows):
        inside = False
        for x in range(columns):
            if (mask[y, x] == value) == inside:
                continue
            if inside:
                end[count - 1] = x
            else:
                row[count], begin[count] = y, x
                count += 1
            inside = not inside
        if inside:
            end[count - 1] = columns
    row, begin, end = row[:count], begin[:count], end[:count]
    return Runs(row, begin, end, _joined(row, begin, end, reach))


@compiled
def _joined(row: NDArray[np.int32], begin: NDArray[np.int32], end: NDArray[np.int32], reach: int) -> NDArray[np.int64]:
    """Return the index of the first run of each run's piece."""
    first = np.arange(len(row))
    above = 0
    for k in range(len(row)):
        while row[above] < row[k] - 1 or (row[above] == row[k] - 1 and end[above] + reach <= begin[k]):
            above += 1
        other = above
        while row[other] < row[k] and begin[other] < end[k] + reach:
            _join(first, other, k)
            other += 1
    for k in range(len(first)):
        first[k] = first[first[k]]
    return first


@compiled
def _join(first: NDArray[np.int64], one: int, other: int) -> None:
    """Merge two pieces into one with the lower index."""
    one, other = _found(first, one), _found(first, other)
    first[max(one, other)] = min(one, other)


@compiled
def _found(first: NDArray[np.int64], run: int) -> int:
    """Return the first run of a run's piece, halving the path for later look-ups."""
    while first[run] != run:
        first[run] = first[first[run]]
        run = first[run]
    return run


@compiled
def count_pieces(pixels: Pixels, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the 8-connected pieces formed by a selection of each object's pixels.

    Args:
        pixels: pixels of the objects.
        chosen: the selection, bool of shape (n_pixels,).

    Returns:
        int64 of shape (n_objects,).

    """
    counts = np.zeros(len(pixels.bounds) - 1, np.int64)
    for k in range(len(counts)):
        first, last = pixels.bounds[k], pixels.bounds[k + 1]
        room = last - first
        row, begin, end = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
        count = 0
        for p in range(first, last):
            if not chosen[p]:
                continue
            x, y = pixels.x[p], pixels.y[p]
            if not count or row[count - 1] != y or end[count - 1] != x:
                row[count], begin[count] = y, x
                count += 1
            end[count - 1] = x + 1
        piece = _joined(row[:count], begin[:count], end[:count], ALSO_ACROSS)
        for run in range(count):
            counts[k] += piece[run] == run
    return counts


@compiled
def without_small(mask: NDArray[np.uint8], least: float, share: float) -> NDArray[np.uint8]:
    """Remove small 8-connected pieces of a mask; the largest is kept, the first in reading order if tied.

    Args:
        mask: 0 or 1, uint8 of shape (rows, columns).
        least: minimum number of pixels of a piece.
        share: minimum size relative to the largest piece; above 1, only the largest is kept.

    Returns:
        uint8 of the same shape.

    """
    runs = runs_of(mask, 1, ALSO_ACROSS)
    sizes = np.zeros(len(runs.row), np.int64)
    for k in range(len(sizes)):
        sizes[runs.piece[k]] += runs.end[k] - runs.begin[k]
    kept = np.zeros_like(mask)
    if len(sizes):
        largest = sizes.argmax()
        limit = max(least, share * sizes[largest])
        for k in range(len(sizes)):
            if runs.piece[k] == largest or sizes[runs.piece[k]] >= limit:
                kept[runs.row[k], runs.begin[k] : runs.end[k]] = 1
    return kept


@compiled
def fill_holes(mask: NDArray[np.uint8], owner_of_row: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Fill and count the holes of objects.

    A hole is a piece of background, 4-connected as the counterpart of 8-connected objects, that does not reach the
    margin; all margins form one piece, that of the first pixel.

    Args:
        mask: 1 on objects, 0 in the margins, uint8 of shape (rows, columns).
        owner_of_row: index of the object that each row belongs to, int64 of shape (rows,).

    Returns:
        The filled mask, and the number of holes of each object, int64 of shape (n_objects,).

    """
    runs = runs_of(mask, 0, SIDEWAYS)
    filled, counts = mask.copy(), np.zeros(owner_of_row[-1] + 1, np.int64)
    for k in range(len(runs.row)):
        if runs.piece[k] > 0:
            filled[runs.row[k], runs.begin[k] : runs.end[k]] = 1
            counts[owner_of_row[runs.row[k]]] += runs.piece[k] == k
    return filled, counts
