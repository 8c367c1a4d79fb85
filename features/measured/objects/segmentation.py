"""Segmentation: which pixels of an image are the object, when nobody has drawn a mask.

1. Rows of a scale bar are cut off at the bottom.
2. The background is the median grey level of the border, the outermost ring of pixels. Where it is not said whether it
   is light or dark, it is light when it is at least the mean of the image, since an object pulls the mean its way. A
   border whose levels spread by more than `BUSY` crosses an object, which reaches beyond the image; the background is
   then the level that a tenth of the border exceeds, away from the object.
3. Contrast is the distance of each pixel from the background towards the object, smoothed by 3 × 3 px; what lies beyond
   the background on the other side (a halo, the bright middle of a bubble) has none.
4. The threshold is Otsu's (1979, doi 10.1109/TSMC.1979.4310076) on the contrast, kept between two guards. It is at most
   `MOST_OF_PEAK` of the greatest contrast, so that a dark body does not hide its antennae, nor an eye or gut the
   transparent animal; this guard decides in most images. It is at least `LEAST_CONTRAST`, and `NOISE_FACTOR` times the
   spread of the border (median distance from the background, in a busy border of those away from the object), below
   which there is nothing but noise, so that a flat image has no object.
5. Pieces (8-connected) below `SPECK_SHARE` of the largest and those below `SPECK_PIXELS` are specks and dropped, the
   largest never. With `pieces="largest"` only that stays, of several the first.

The ring that a bubble makes is an object with a hole: `area` fills it, `area_exc` does not.
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
ONLY_LARGEST = 2.0  # above 1, so that no other piece has so large a share


@dataclass(frozen=True)
class Segmentation:
    """How objects are told from the background.

    Attributes:
        background: `light` or `dark`; None decides for each image.
        pieces: keep the `largest` piece of what was found, or `all` that are no specks. A given mask is never changed.
        scale_bar: rows that are cut off at the bottom of each image, and of each mask, before anything else.

    """

    background: Background | None = None
    pieces: Pieces = "all"
    scale_bar: int = 0


@dataclass(frozen=True)
class Ground:
    """The background of an image: its grey level, whether it is light, and how its grey levels spread."""

    level: float
    light: bool
    spread: float

    @classmethod
    def of(cls, image: NDArray[np.uint8], background: Background | None) -> Ground:
        """Find the background of an image, uint8 of shape (height, width)."""
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
    """Return how far pixels lie from the background towards the object, uint8; 0 on the other side of it.

    Args:
        grey: grey levels, uint8.
        level: of the background, rounded here.
        light: whether the background is light, so that objects are darker.

    """
    ground = np.full_like(grey, round(level))
    return np.asarray(cv2.subtract(ground, grey) if light else cv2.subtract(grey, ground), np.uint8)


def border(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the outermost ring of pixels, uint8; corners are there twice."""
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _middle(ordered: NDArray[np.generic]) -> float:
    """Return the median of sorted values; NumPy's own takes ten times as long for some hundred of them."""
    middle = len(ordered) // 2
    return (float(ordered[middle]) + float(ordered[~middle])) / 2


def without_scale_bar(image: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Return an image without so many rows at the bottom; the first row always stays."""
    return image[: max(1, image.shape[0] - rows)] if rows else image


def segment(image: NDArray[np.uint8], options: Segmentation) -> NDArray[np.uint8]:
    """Find the object in an image.

    Args:
        image: grey levels, uint8 of shape (height, width).
        options: how.

    Returns:
        Mask, uint8 of shape (height - scale bar, width): 1 on the object, 0 elsewhere; all 0 when there is none.

    """
    image = without_scale_bar(image, options.scale_bar)
    return mask_of(image, Ground.of(image, options.background), options.pieces)


def mask_of(image: NDArray[np.uint8], ground: Ground, pieces: Pieces) -> NDArray[np.uint8]:
    """Find the object in an image whose background is known; as `segment`."""
    smooth = np.asarray(cv2.blur(contrast(image, ground.level, light=ground.light), (3, 3)), np.uint8)
    _, mask = cv2.threshold(smooth, _threshold(smooth, ground), 1, cv2.THRESH_BINARY)
    share = SPECK_SHARE if pieces == "all" else ONLY_LARGEST
    return without_small(np.asarray(mask, np.uint8), SPECK_PIXELS, share)


def _threshold(smooth: NDArray[np.uint8], ground: Ground) -> float:
    """Return the contrast above which a pixel is of the object: Otsu's, between the guards."""
    otsu, _ = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return max(min(otsu, MOST_OF_PEAK * float(smooth.max())), LEAST_CONTRAST, NOISE_FACTOR * ground.spread)
