"""Segmentation of the object in an image without a mask.

1. Rows of a scale bar are cropped at the bottom.
2. The background is the median grey level of the border, the outermost ring of pixels. Unless the user sets it, the
   background is light if it is at least the mean of the image, because a dark object lowers the mean. A border whose
   grey levels spread by more than `BUSY` crosses an object that extends beyond the image; the background is then the
   level exceeded by a tenth of the border, away from the object.
3. Contrast is how much darker than a light background, or lighter than a dark one, a pixel is, smoothed with a 3 × 3 px
   mean; pixels on the other side of the background level (a halo, the bright centre of a bubble) have none.
4. The threshold is Otsu's (1979, doi 10.1109/TSMC.1979.4310076) on the contrast, limited on both sides. It is at most
   `MOST_OF_PEAK` of the largest contrast, so that a dark body does not hide its antennae, nor an eye or gut the
   transparent animal; this limit applies in most images. It is at least `LEAST_CONTRAST` and at least `NOISE_FACTOR`
   times the spread of the border (median distance from the background; in a busy border, of the pixels away from the
   object), below which there is only noise, so that a flat image has no object.
5. Pieces (8-connected) smaller than `SPECK_SHARE` of the largest piece or than `SPECK_PIXELS` are specks and removed;
   the largest piece is always kept. With `pieces="largest"` only the largest is kept, the first if tied.

The ring formed by a bubble is an object with a hole: `area` includes the hole, `area_exc` does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from ..kernels.runs import without_small

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....data_manifests.manifest import Background

Pieces = Literal["largest", "all"]

BUSY = 12  # grey levels
LEAST_CONTRAST = 5  # grey levels
NOISE_FACTOR = 5
MOST_OF_PEAK = 0.05
SPECK_PIXELS = 5
SPECK_SHARE = 0.02
ONLY_LARGEST = 2.0  # above 1, a share that no other piece reaches


@dataclass(frozen=True)
class Segmentation:
    """Options of the segmentation.

    Attributes:
        background: `light` or `dark`; None detects it for each image.
        pieces: keep the `largest` piece, or `all` except specks. A user-supplied mask is never changed.
        scale_bar: rows cropped at the bottom of each image and mask before anything else.

    """

    background: Background | None = None
    pieces: Pieces = "all"
    scale_bar: int = 0


@dataclass(frozen=True)
class Ground:
    """The background of an image: grey level, whether it is light, and spread of its grey levels."""

    level: float
    light: bool
    spread: float

    @classmethod
    def of(cls, image: NDArray[np.uint8], background: Background | None) -> Ground:
        """Estimate the background of an image, uint8 of shape (height, width)."""
        around = border(image)
        around.sort()
        level = _middle(around)
        light = bool(level >= image.mean() if background is None else background == "light")
        distances = np.abs(around - level)
        distances.sort()
        spread = _middle(distances)
        if spread > BUSY:
            away = around[-(len(around) // 10) - 1 :] if light else around[: len(around) // 10 + 1][::-1]
            level = float(away[0])
            spread = _middle(np.sort(np.abs(away - level)))
        return cls(level, light, spread)


def contrast(grey: NDArray[np.uint8], level: float, *, light: bool) -> NDArray[np.uint8]:
    """Return how much darker than a light background, or lighter than a dark one, pixels are; uint8, at least 0.

    Args:
        grey: grey levels, uint8.
        level: background level; it is rounded.
        light: whether the background is light.

    """
    ground = np.full_like(grey, round(level))
    return np.asarray(cv2.subtract(ground, grey) if light else cv2.subtract(grey, ground), np.uint8)


def border(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the outermost ring of pixels, uint8; corners occur twice."""
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _middle(ordered: NDArray[np.generic]) -> float:
    """Return the median of sorted values; `np.median` takes ten times as long for a few hundred values."""
    middle = len(ordered) // 2
    return (float(ordered[middle]) + float(ordered[~middle])) / 2


def without_scale_bar(image: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Return an image without a number of rows at the bottom; the first row is always kept."""
    return image[: max(1, image.shape[0] - rows)] if rows else image


def segment(image: NDArray[np.uint8], options: Segmentation) -> NDArray[np.uint8]:
    """Segment the object in an image.

    Args:
        image: grey levels, uint8 of shape (height, width).
        options: how the object is segmented.

    Returns:
        Mask, uint8 of shape (height - scale bar, width): 1 on the object, 0 elsewhere; all 0 if there is no object.

    """
    image = without_scale_bar(image, options.scale_bar)
    return mask_of(image, Ground.of(image, options.background), options.pieces)


def mask_of(image: NDArray[np.uint8], ground: Ground, pieces: Pieces) -> NDArray[np.uint8]:
    """Segment the object in an image whose background is known; see `segment`."""
    smooth = np.asarray(cv2.blur(contrast(image, ground.level, light=ground.light), (3, 3)), np.uint8)
    _, mask = cv2.threshold(smooth, _threshold(smooth, ground), 1, cv2.THRESH_BINARY)
    share = SPECK_SHARE if pieces == "all" else ONLY_LARGEST
    return without_small(np.asarray(mask, np.uint8), SPECK_PIXELS, share)


def _threshold(smooth: NDArray[np.uint8], ground: Ground) -> float:
    """Return the contrast above which a pixel belongs to the object: Otsu's threshold within the limits."""
    otsu, _ = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return max(min(otsu, MOST_OF_PEAK * float(smooth.max())), LEAST_CONTRAST, NOISE_FACTOR * ground.spread)
