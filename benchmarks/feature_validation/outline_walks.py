"""Walks of the referee: along the outline, from link to link of a skeleton; plain Python, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

AROUND = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))  # clockwise from the right, y down


def boundary_chains(filled: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Walk around each 8-connected piece along its border pixels, by Moore's neighbour tracing.

    Args:
        filled: object without holes, bool of shape (height, width), False at the image's edge.

    Returns:
        Rows and columns of each closed walk, int64 of shape (n_steps, 2); a pixel that is passed twice is there twice.

    """
    labels, count = ndimage.label(filled, structure=np.ones((3, 3)))
    return [_walk(labels == piece) for piece in range(1, count + 1)]


def _walk(piece: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Walk around one piece, from its first pixel in reading order until the first step would be taken again."""
    start = divmod(int(piece.argmax()), piece.shape[1])
    chain, here, heading = [start], start, 7  # coming from the left, nothing lies above or to the left
    first: tuple[tuple[int, int], int] | None = None
    while (step := _next(piece, here, heading)) is not None:
        if first == (here, step):
            return np.array(chain[:-1])
        first = first or (here, step)
        here = (here[0] + AROUND[step][0], here[1] + AROUND[step][1])
        chain.append(here)
        heading = (step + 6) % 8  # two to the left of the way it came
    return np.array(chain)


def _next(piece: NDArray[np.bool_], here: tuple[int, int], heading: int) -> int | None:
    """Return the first direction, clockwise from a heading, in which there is a pixel of the piece."""
    for turn in range(8):
        way = (heading + turn) % 8
        if piece[here[0] + AROUND[way][0], here[1] + AROUND[way][1]]:
            return way
    return None


def chain_length(chain: NDArray[np.int64]) -> float:
    """Return the length of a closed walk, 1 or √2 a step."""
    return float(np.hypot(*(np.roll(chain, -1, axis=0) - chain).T).sum())


def elliptic_fourier(chain: NDArray[np.int64], harmonics: int) -> NDArray[np.float64]:
    """Return √(a² + b² + c² + d²) of each harmonic of a closed walk (Kuhl & Giardina 1982, equations 3 to 6).

    Args:
        chain: rows and columns, int64 of shape (n_steps, 2), at least two steps.
        harmonics: how many.

    Returns:
        float64 of shape (harmonics,).

    """
    step = (np.roll(chain, -1, axis=0) - chain).astype(np.float64)
    length = np.hypot(*step.T)
    after = np.cumsum(length)
    before, whole = after - length, after[-1]
    found = []
    for n in range(1, harmonics + 1):
        turn = 2 * np.pi * n / whole
        cosine, sine = np.cos(turn * after) - np.cos(turn * before), np.sin(turn * after) - np.sin(turn * before)
        four = [(axis / length * wave).sum() for axis in step.T for wave in (cosine, sine)]
        found.append(whole / (2 * n**2 * np.pi**2) * np.hypot(np.hypot(*four[:2]), np.hypot(*four[2:])))
    return np.array(found)


def skeleton_length(skeleton: NDArray[np.bool_]) -> float:
    """Add up the links of a skeleton: 1 sideways, √2 across a corner that no sideways links join.

    Args:
        skeleton: bool of shape (height, width), False at the image's edge.

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
