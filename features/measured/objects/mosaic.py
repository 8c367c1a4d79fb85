"""A sheet: many objects laid one below another, so that each kernel runs once for all of them.

A call of OpenCV or NumPy on a crop of 60 × 60 pixels costs more for the call than for the pixels. On a sheet the calls
are shared. Each object has a band of rows of its own, with a margin of background around it that is wider than any
kernel reaches; so what is measured of an object does not depend on its neighbours.
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

MOST_PIXELS = 1_000_000  # of a sheet, so that its arrays stay in the cache; a larger object has a sheet to itself
WIDER = 1.1  # the widest object of a sheet is at most so much wider than its narrowest


@dataclass(frozen=True)
class Mosaic:
    """Objects one below another; each has at least one pixel.

    Attributes:
        grey: grey levels, uint8 of shape (rows, columns).
        mask: 1 on objects, holes left out, uint8 of the same shape.
        tops: first row of each object's band and, at the end, the number of rows; int64 of shape (n_objects + 1,).
        level: background of each object's image, float64 of shape (n_objects,).
        light: whether that background is light, bool of shape (n_objects,).
        frame: mean grey level of each whole image, float64 of shape (n_objects,).
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
        """Lay cuts one below another."""
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
        """Count the objects."""
        return len(self.level)

    @cached_property
    def bands(self) -> list[slice]:
        """Rows of each object."""
        return [slice(top, bottom) for top, bottom in pairwise(self.tops.tolist())]

    @cached_property
    def owner_of_row(self) -> NDArray[np.int64]:
        """Number of the object that each row belongs to, int64 of shape (rows,)."""
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
        """Distance of objects' pixels from the background towards the object, holes filled, 0 elsewhere; uint8."""
        return own_contrast(self.grey, self.pixels, np.rint(self.level).astype(np.int64), self.light)

    @cached_property
    def pixels(self) -> Pixels:
        """The pixels of all objects, holes filled."""
        return pixels_of(self.filled, self.tops)

    def values_of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what `pixels` are in an image of the sheet's shape, uint8 of shape (n_pixels,)."""
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
        """Squared distance of each of `pixels` to the nearest one outside, int64 of shape (n_pixels,)."""
        return square_distances(self.filled, self.pixels)


@compiled
def own_contrast(
    grey: NDArray[np.uint8], pixels: Pixels, level: NDArray[np.int64], light: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return how far objects' pixels lie from their background, 0 on the other side of it, and elsewhere.

    Args:
        grey: grey levels, uint8 of shape (rows, columns).
        pixels: those of objects.
        level: of each object's background, int64 of shape (n_objects,).
        light: whether it is light, so that the object is darker; bool of shape (n_objects,).

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
    """Share out cuts over sheets: those of like width together, and no sheet larger than it need be.

    Yields:
        Positions in `crops`; those without pixels are left out.

    """
    widths = np.array([crop.grey.shape[1] for crop in crops])
    sizes = np.array([crop.grey.size for crop in crops])
    page: list[int] = []
    pixels = 0
    for position in np.argsort(widths, kind="stable"):
        if not sizes[position]:
            continue
        if page and (widths[position] > WIDER * widths[page[0]] + MARGIN or pixels + sizes[position] > MOST_PIXELS):
            yield np.array(page)
            page, pixels = [], 0
        page.append(int(position))
        pixels += int(sizes[position])
    if page:
        yield np.array(page)
