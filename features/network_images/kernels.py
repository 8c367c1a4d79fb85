"""Threshold and opening of batches of images, compiled with Numba and releasing the GIL.

Only the first channel is stored. Computing the others takes 3.4 ms on one core for a batch of 512 at 64 px. Reading
three stored channels would take 0.4 ms but three times the disk space; training a small network on the batch takes
100 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..measured.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVELS, LANES = 256, 4
NOTHING_ABOVE, BRIGHT = 255, 255


@compiled
def otsu_levels(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return Otsu's threshold of each image; pixels above it are bright.

    It maximises the between-class variance (Otsu 1979, equation 18, doi 10.1109/TSMC.1979.4310076); if several levels
    do, the lowest is used.

    Args:
        images: uint8 of shape (n_images, height, width), contiguous.

    Returns:
        int64 of shape (n_images,); 255 for a flat image, so that no pixel is above it.

    """
    levels = np.empty(len(images), np.int64)
    counts = np.empty((LANES, LEVELS), np.int64)
    for number in range(len(images)):
        _count(images[number].ravel(), counts)
        levels[number] = _best_split(counts[0])
    return levels


@compiled
def _count(pixels: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Count grey levels into the first row; filling four rows in turn avoids waiting for the last addition."""
    counts[:] = 0
    whole = pixels.size // LANES * LANES
    for start in range(0, whole, LANES):
        for lane in range(LANES):
            counts[lane, pixels[start + lane]] += 1
    for position in range(whole, pixels.size):
        counts[0, pixels[position]] += 1
    for lane in range(1, LANES):
        counts[0] += counts[lane]


@compiled
def _best_split(counts: NDArray[np.int64]) -> int:
    """Return Otsu's threshold of a histogram; sums are exact unless they exceed 64-bit integers."""
    pixels, total = counts.sum(), (counts * np.arange(LEVELS)).sum()
    best, level = 0.0, NOTHING_ABOVE
    below, dark = 0, 0
    for candidate in range(LEVELS - 1):
        below += counts[candidate]
        dark += candidate * counts[candidate]
        if 0 < below < pixels:
            difference = float(dark * pixels - total * below)
            variance = difference * difference / (float(below) * float(pixels - below))
            if variance > best:
                best, level = variance, candidate
    return level


@compiled
def three_channels(grey: NDArray[np.uint8], level: int) -> NDArray[np.uint8]:
    """Add threshold and opening to first channels.

    Args:
        grey: uint8 of shape (n_images, height, width), contiguous.
        level: threshold above which the second channel is 255; if negative, Otsu's threshold of each image.

    Returns:
        uint8 of shape (n_images, height, width, 3).

    """
    count, height, width = grey.shape
    channels = np.empty((count, height, width, 3), np.uint8)
    levels = otsu_levels(grey) if level < 0 else np.full(count, level, np.int64)
    opened, rows = np.empty((height, width), np.uint8), np.empty((height, width), np.uint8)
    for number in range(count):
        _open(grey[number], opened, rows)
        for y in range(height):
            for x in range(width):
                value = grey[number, y, x]
                channels[number, y, x, 0] = value
                channels[number, y, x, 1] = BRIGHT if value > levels[number] else 0
                channels[number, y, x, 2] = opened[y, x]
    return channels


@compiled
def _open(image: NDArray[np.uint8], opened: NDArray[np.uint8], rows: NDArray[np.uint8]) -> None:
    """Grey opening of an image with 3 × 3 pixels; pixels outside of the image are ignored.

    Args:
        image: uint8 of shape (height, width).
        opened: output array of the same shape.
        rows: work array of the same shape.

    """
    last, end = image.shape[0] - 1, image.shape[1] - 1
    for y in range(last + 1):
        above, below = image[max(y - 1, 0)], image[min(y + 1, last)]
        for x in range(end + 1):
            rows[y, x] = min(above[x], image[y, x], below[x])
    for y in range(last + 1):
        opened[y, 0], opened[y, end] = min(rows[y, 0], rows[y, 1]), min(rows[y, end - 1], rows[y, end])
        for x in range(1, end):
            opened[y, x] = min(rows[y, x - 1], rows[y, x], rows[y, x + 1])
    for y in range(last + 1):
        above, below = opened[max(y - 1, 0)], opened[min(y + 1, last)]
        for x in range(end + 1):
            rows[y, x] = max(above[x], opened[y, x], below[x])
    for y in range(last + 1):
        opened[y, 0], opened[y, end] = max(rows[y, 0], rows[y, 1]), max(rows[y, end - 1], rows[y, end])
        for x in range(1, end):
            opened[y, x] = max(rows[y, x - 1], rows[y, x], rows[y, x + 1])
