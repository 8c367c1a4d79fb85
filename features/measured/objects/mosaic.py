"""Mosaic of many objects stacked vertically, so that each kernel runs once for all of them.

For a crop of 60 × 60 pixels, the overhead of an OpenCV or NumPy call exceeds the time spent on the pixels; a mosaic
shares the calls. Each object has its own band of rows, with a margin of background as wide as any kernel reaches, so
that the values of an object do not depend on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..kernels.chains import Contours, outlines_of
from ..kernels.compiled import compiled
from ..kernels.distances import square_distances
from ..kernels.moments import Ellipse, Moments, ellipse_of, moments
from ..kernels.pixels import Pixels, pixels_of
from ..kernels.runs import fill_holes
from .crop import MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .crop import Crop

MOST_PIXELS = 1_000_000  # of a mosaic, so that its arrays stay in the CPU cache; a larger object gets its own mosaic
WIDER = 1.1  # ratio of the widest to the narrowest object of a mosaic, at most


@dataclass(frozen=True)
class Mosaic:
    """Objects stacked vertically; each has at least one pixel.

    Attributes:
        grey: grey levels, uint8 of shape (rows, columns).
        mask: 1 on objects, holes excluded, uint8 of the same shape.
        tops: first row of each object's band and, at the end, the number of rows; int64 of shape (n_objects + 1,).
        level: background of each object's image, float64 of shape (n_objects,).
        light: whether that background is light, bool of shape (n_objects,).
        frame: mean grey level of each object's whole image, float64 of shape (n_objects,).
        wide: grey levels of each object with a wider margin, as in `Crop`.

    """

    grey: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    tops: NDArray[np.int64]
    level: NDArray[np.float64]
    light: NDArray[np.bool_]
    frame: NDArray[np.float64]
    wide: Sequence[NDArray[np.uint8]]

    @classmethod
    def of(cls, crops: Sequence[Crop]) -> Mosaic:
        """Stack crops vertically."""
        heights = [crop.grey.shape[0] for crop in crops]
        tops = np.concatenate([[0], np.cumsum(heights)]).astype(np.int64)
        level = np.array([crop.ground.level for crop in crops])
        shape = (int(tops[-1]), max(crop.grey.shape[1] for crop in crops))
        grey = np.repeat(np.round(level).astype(np.uint8), heights)[:, None].repeat(shape[1], axis=1)
        mask = np.zeros(shape, np.uint8)
        for top, crop in zip(tops.tolist(), crops, strict=False):
            height, width = crop.grey.shape
            grey[top : top + height, :width] = crop.grey
            mask[top : top + height, :width] = crop.mask
        light = np.array([crop.ground.light for crop in crops])
        frame = np.array([crop.frame for crop in crops])
        return cls(grey, mask, tops, level, light, frame, [crop.wide for crop in crops])

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.level)

    @cached_property
    def bands(self) -> list[slice]:
        """Rows of each object."""
        return [slice(top, bottom) for top, bottom in pairwise(self.tops.tolist())]

    @cached_property
    def owner_of_row(self) -> NDArray[np.int64]:
        """Index of the object that each row belongs to, int64 of shape (rows,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.tops))

    @cached_property
    def _holes(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        return fill_holes(self.mask, self.owner_of_row)

    @property
    def filled(self) -> NDArray[np.uint8]:
        """Masks with their holes filled, uint8 of shape (rows, columns)."""
        return self._holes[0]

    @property
    def holes(self) -> NDArray[np.int64]:
        """Number of holes of each object, int64 of shape (n_objects,)."""
        return self._holes[1]

    @cached_property
    def contrast(self) -> NDArray[np.uint8]:
        """Contrast of the objects' pixels with their background, holes filled, 0 elsewhere; see `own_contrast`."""
        return own_contrast(self.grey, self.pixels, np.rint(self.level).astype(np.int64), self.light)

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels of all objects, holes filled."""
        return pixels_of(self.filled, self.tops)

    def values_of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the values at `pixels` in an image of the mosaic's shape, uint8 of shape (n_pixels,)."""
        return np.asarray(image[self.pixels.y, self.pixels.x], np.uint8)

    @cached_property
    def form(self) -> Moments:
        """Moments of the filled masks."""
        return moments(self.filled, self.pixels)

    @cached_property
    def ellipse(self) -> Ellipse:
        """Ellipses of the filled masks."""
        return ellipse_of(self.form)

    @cached_property
    def weight(self) -> Moments:
        """Moments of the contrast."""
        return moments(self.contrast, self.pixels)

    @cached_property
    def outlines(self) -> Contours:
        """The outlines of all objects, holes filled."""
        return outlines_of(self.filled, self.pixels)

    @cached_property
    def square_depth(self) -> NDArray[np.int64]:
        """Squared distance of each of `pixels` to the nearest pixel outside all objects, int64 of shape (n_pixels,)."""
        return square_distances(self.filled, self.pixels)


@compiled
def own_contrast(
    grey: NDArray[np.uint8], pixels: Pixels, level: NDArray[np.int64], light: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the contrast of the objects' pixels: how much darker than a light background, or lighter than a dark one.

    Pixels on the other side of the background level, and pixels outside the objects, are 0.

    Args:
        grey: grey levels, uint8 of shape (rows, columns).
        pixels: pixels of the objects.
        level: background level of each object, int64 of shape (n_objects,).
        light: whether that background is light, bool of shape (n_objects,).

    Returns:
        uint8 of shape (rows, columns).

    """
    found = np.zeros_like(grey)
    for k in range(len(level)):
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            x, y = pixels.x[p], pixels.y[p]
            off = level[k] - grey[y, x] if light[k] else grey[y, x] - level[k]
            found[y, x] = max(off, 0)
    return found


def mosaics(crops: Sequence[Crop]) -> Iterator[NDArray[np.int64]]:
    """Distribute crops over mosaics, so that those of similar width are together and little space is wasted.

    Yields:
        Positions in `crops` of the crops of each mosaic; crops without pixels are omitted.

    """
    widths = np.array([crop.grey.shape[1] for crop in crops])
    sizes = np.array([crop.grey.size for crop in crops])
    batch: list[int] = []
    pixels = 0
    for position in np.argsort(widths, kind="stable"):
        if not sizes[position]:
            continue
        if batch and (widths[position] > WIDER * widths[batch[0]] + MARGIN or pixels + sizes[position] > MOST_PIXELS):
            yield np.array(batch)
            batch, pixels = [], 0
        batch.append(int(position))
        pixels += int(sizes[position])
    if batch:
        yield np.array(batch)
