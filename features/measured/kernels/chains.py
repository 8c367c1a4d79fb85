"""Chains: closed paths along the border pixels of pieces, from pixel to neighbouring pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pixels import Pixels

STEPS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))  # x and y, clockwise from the right
WAYS = len(STEPS)
SEEN = 2


class Contours(NamedTuple):
    """The outlines of objects.

    Attributes:
        perimeter: sum over the pieces of each object of (length of the chain, 1 or √2 per step, + π); float64 of shape
            (n_objects,).
        start: index, in the list of pixels, of the first pixel of each object's longest chain, int64 of the same shape.
        length: length of that chain, float64 of the same shape.

    """

    perimeter: NDArray[np.float64]
    start: NDArray[np.int64]
    length: NDArray[np.float64]


@compiled
def outlines_of(filled: NDArray[np.uint8], pixels: Pixels) -> Contours:
    """Trace the border of every piece of objects without holes.

    A pixel whose left neighbour is background is on the border of its piece; the first such pixel not yet on a chain
    starts a new one. Of chains with equally many steps, the first counts as the longest.
    """
    count = len(pixels.bounds) - 1
    found = Contours(np.zeros(count), np.zeros(count, np.int64), np.zeros(count))
    image = filled.copy()
    for k in range(count):
        most = -1
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            x, y = pixels.x[p], pixels.y[p]
            if image[y, x] == SEEN or image[y, x - 1]:
                continue
            straight, slanting = _walk(image, x, y)
            length = straight + np.sqrt(2) * slanting
            found.perimeter[k] += length + np.pi
            if straight + slanting > most:
                most = straight + slanting
                found.start[k], found.length[k] = p, length
    return found


@compiled
def _walk(image: NDArray[np.uint8], x: int, y: int) -> tuple[int, int]:
    """Trace and mark the border of a piece from its first pixel; return the numbers of straight and diagonal steps."""
    straight = slanting = 0
    begin_x, begin_y, first = x, y, next_step(image, x, y, 0)
    way = first
    while way >= 0:
        image[y, x] = SEEN
        x, y = x + STEPS[way][0], y + STEPS[way][1]
        straight, slanting = straight + (way + 1) % 2, slanting + way % 2
        way = next_step(image, x, y, way)
        if x == begin_x and y == begin_y and way == first:
            break
    image[y, x] = SEEN
    return straight, slanting


@compiled
def next_step(image: NDArray[np.uint8], x: int, y: int, way: int) -> int:
    """Return the next direction of a border trace that keeps the background on its left.

    Args:
        image: non-zero on the piece, uint8 of shape (rows, columns).
        x: column of the current border pixel.
        y: row of the current border pixel.
        way: direction in which this pixel was reached, an index of `STEPS`.

    Returns:
        Index of `STEPS`; −1 if there is no neighbouring pixel.

    """
    for turn in range(WAYS):
        step = (way + 6 + turn) % WAYS
        if image[y + STEPS[step][1], x + STEPS[step][0]]:
            return step
    return -1


@compiled
def amplitudes_of(filled: NDArray[np.uint8], pixels: Pixels, outlines: Contours, harmonics: int) -> NDArray[np.float64]:
    """Return √(a² + b² + c² + d²) of elliptic Fourier descriptors (Kuhl & Giardina 1982), up to a constant factor.

    Args:
        filled: objects without holes, uint8 of shape (rows, columns).
        pixels: pixels of the objects.
        outlines: outlines of the objects; the longest chain of each is described.
        harmonics: number of harmonics.

    Returns:
        float64 of shape (n_objects, harmonics), NaN for a chain without steps.

    """
    found = np.full((len(outlines.start), harmonics), np.nan)
    for k in range(len(found)):
        if outlines.length[k] > 0:
            start = outlines.start[k]
            sums = _coefficients(filled, (pixels.x[start], pixels.y[start]), outlines.length[k], harmonics)
            for n in range(harmonics):
                found[k, n] = np.hypot(abs(sums[0, n]), abs(sums[1, n])) / (n + 1) ** 2
    return found


@compiled
def _coefficients(
    filled: NDArray[np.uint8], start: tuple[int, int], length: float, harmonics: int
) -> NDArray[np.complex128]:
    """Return the coefficients of x and y, up to a factor per harmonic, complex128 of shape (2, harmonics)."""
    sums = np.zeros((2, harmonics), np.complex128)
    before = np.ones(harmonics, np.complex128)
    x, y = start
    first = next_step(filled, x, y, 0)
    way, upto = first, 0.0
    while True:
        right, down = STEPS[way]
        step = np.hypot(right, down)
        upto += step
        unit = np.exp(2j * np.pi * (upto / length))
        power = unit
        for n in range(harmonics):
            change = power - before[n]
            sums[0, n] += right / step * change
            sums[1, n] += down / step * change
            before[n] = power
            power *= unit
        x, y = x + right, y + down
        way = next_step(filled, x, y, way)
        if x == start[0] and y == start[1] and way == first:
            return sums
