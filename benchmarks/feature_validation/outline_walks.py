"""Reference implementations of outline tracing and skeleton length, pixel by pixel in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NEIGHBOURS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))  # clockwise from the right, y down


def boundary_chains(filled: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Trace the border of each 8-connected piece by Moore neighbour tracing.

    Args:
        filled: object without holes, bool of shape (height, width), False at the edge of the image.

    Returns:
        Rows and columns along each closed border, int64 of shape (n_steps, 2); a pixel visited twice is listed twice.

    """
    labels, count = ndimage.label(filled, structure=np.ones((3, 3)))
    return [_walk(labels == piece) for piece in range(1, count + 1)]


def _walk(piece: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Trace the border of a piece, from its first pixel in reading order until the first step repeats."""
    start = divmod(int(piece.argmax()), piece.shape[1])
    chain, here, heading = [start], start, 7  # there are no pixels above or to the left
    first: tuple[tuple[int, int], int] | None = None
    while (step := _next(piece, here, heading)) is not None:
        if first == (here, step):
            return np.array(chain[:-1])
        first = first or (here, step)
        here = (here[0] + NEIGHBOURS[step][0], here[1] + NEIGHBOURS[step][1])
        chain.append(here)
        heading = (step + 6) % 8  # two to the left of the direction of arrival
    return np.array(chain)


def _next(piece: NDArray[np.bool_], here: tuple[int, int], heading: int) -> int | None:
    """Return the first direction, clockwise from a heading, with a pixel of the piece; None for a single pixel."""
    for turn in range(8):
        direction = (heading + turn) % 8
        if piece[here[0] + NEIGHBOURS[direction][0], here[1] + NEIGHBOURS[direction][1]]:
            return direction
    return None


def chain_length(chain: NDArray[np.int64]) -> float:
    """Return the length of a closed chain, with steps of 1 or √2."""
    return float(np.hypot(*(np.roll(chain, -1, axis=0) - chain).T).sum())


def elliptic_fourier(chain: NDArray[np.int64], harmonics: int) -> NDArray[np.float64]:
    """Return √(a² + b² + c² + d²) of each harmonic of a closed chain (Kuhl & Giardina 1982, equations 3 to 6).

    Args:
        chain: rows and columns, int64 of shape (n_steps, 2), at least two steps.
        harmonics: number of harmonics.

    Returns:
        float64 of shape (harmonics,).

    """
    step = (np.roll(chain, -1, axis=0) - chain).astype(np.float64)
    length = np.hypot(*step.T)
    after = np.cumsum(length)
    before, total = after - length, after[-1]
    amplitudes = []
    for n in range(1, harmonics + 1):
        frequency = 2 * np.pi * n / total
        cosine = np.cos(frequency * after) - np.cos(frequency * before)
        sine = np.sin(frequency * after) - np.sin(frequency * before)
        c = [(axis / length * wave).sum() for axis in step.T for wave in (cosine, sine)]
        amplitudes.append(total / (2 * n**2 * np.pi**2) * np.hypot(np.hypot(*c[:2]), np.hypot(*c[2:])))
    return np.array(amplitudes)


def skeleton_length(skeleton: NDArray[np.bool_]) -> float:
    """Sum the links of a skeleton: 1 for direct and √2 for diagonal neighbours without a direct connection.

    Args:
        skeleton: bool of shape (height, width), False at the edge of the image.

    """
    return float(sum(_links(skeleton)))


def _links(skeleton: NDArray[np.bool_]) -> Iterator[float]:
    for row, column in zip(*np.nonzero(skeleton), strict=True):
        yield float(skeleton[row, column + 1])
        yield float(skeleton[row + 1, column])
        for side in (-1, 1):
            joined = skeleton[row, column + side] or skeleton[row + 1, column]
            if skeleton[row + 1, column + side] and not joined:
                yield float(np.sqrt(2))
