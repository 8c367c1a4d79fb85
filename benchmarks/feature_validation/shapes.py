"""Synthetic shapes with features that are known or can be computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIDE, CENTRE = 96, 47.5
LIGHT, DARK = 240, 90
BLOBS = 12


@dataclass(frozen=True)
class Shape:
    """A dark shape on a light background.

    Attributes:
        name: name of the shape.
        image: grey levels, uint8 of shape (height, width).
        mask: 1 inside the object and 0 outside, uint8 of shape (height, width).

    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def shapes() -> Iterator[Shape]:
    """Yield all shapes: plain masks with a single grey level and with a seeded texture, then textured blobs."""
    texture = _smooth(np.random.default_rng(0), sigma=1.5)
    for name, mask in plain_masks().items():
        yield Shape(name, np.where(mask, DARK, LIGHT).astype(np.uint8), mask.astype(np.uint8))
        yield _textured(f"{name}, textured", mask, texture)
    for seed in range(1, BLOBS + 1):
        rng = np.random.default_rng(seed)
        form = _smooth(rng, sigma=4 + seed / 2)
        ring = np.hypot(*_coordinates()) < CENTRE - seed
        yield _textured(f"blob {seed}", (form > 0.3) & ring, _smooth(rng, sigma=1 + seed / 8))  # noqa: PLR2004 - a third


def plain_masks() -> dict[str, NDArray[np.bool_]]:
    """Return disc, square, rectangle, ellipse, ring, lines, two discs and a pixel; bool of shape (SIDE, SIDE)."""
    x, y = _coordinates()
    u, v = x * np.cos(0.5) + y * np.sin(0.5), y * np.cos(0.5) - x * np.sin(0.5)
    centre = np.hypot(x, y)
    return {
        "disc": centre <= 30,  # noqa: PLR2004 - radii and sides in pixels, here and below
        "square": (abs(x) < 16) & (abs(y) < 16),  # noqa: PLR2004
        "rectangle": (abs(x) < 32) & (abs(y) < 8),  # noqa: PLR2004
        "ellipse": (u / 36) ** 2 + (v / 14) ** 2 <= 1,
        "ring": (centre <= 30) & (centre > 18),  # noqa: PLR2004
        "line": (abs(x) < 20) & (y == 0.5),  # noqa: PLR2004
        "slanting line": (x == y) & (abs(x) < 20),  # noqa: PLR2004
        "two discs": (np.hypot(x - 20, y) <= 12) | (np.hypot(x + 22, y - 4) <= 8),  # noqa: PLR2004
        "pixel": (x == 0.5) & (y == 0.5),  # noqa: PLR2004
    }


def _coordinates() -> NDArray[np.float64]:
    """Return x and y relative to the image centre, float64 of shape (2, SIDE, SIDE)."""
    y, x = np.indices((SIDE, SIDE)) - CENTRE
    return np.stack([x, y])


def _smooth(rng: np.random.Generator, sigma: float) -> NDArray[np.float64]:
    """Return smoothed noise with mean 0 and standard deviation 1, float64 of shape (SIDE, SIDE)."""
    noise = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), sigma)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float64)


def _textured(name: str, mask: NDArray[np.bool_], texture: NDArray[np.float64]) -> Shape:
    image = np.where(mask, np.clip(120 + 40 * texture, 0, LIGHT), LIGHT).round().astype(np.uint8)
    return Shape(name, image, mask.astype(np.uint8))
