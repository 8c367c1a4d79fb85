"""Cropping an object out of its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .segmentation import Ground, Segmentation, mask_of, without_scale_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MARGIN = 4  # pixels around each object, the largest reach of any kernel
WIDE = MARGIN + 6  # the largest reach of a kernel that runs on a smoothed image


@dataclass(frozen=True)
class Crop:
    """An object cropped out of its image.

    Attributes:
        wide: grey levels with a margin of `WIDE`, uint8; background level beyond the image's edge.
        mask: 1 on the object, 0 elsewhere, with a margin of `MARGIN`, uint8 of shape (height, width).
        ground: background of the image.
        frame: mean grey level of the whole image.

    """

    wide: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    ground: Ground
    frame: float

    @property
    def grey(self) -> NDArray[np.uint8]:
        """Grey levels with a margin of `MARGIN`, uint8 of the mask's shape."""
        spare = WIDE - MARGIN
        return self.wide[spare:-spare, spare:-spare]


def crop_objects(image: NDArray[np.uint8], mask: NDArray[np.uint8] | None, options: Segmentation) -> Crop:
    """Crop the object out of an image; without an object, the crop has no pixels.

    Args:
        image: grey levels, uint8 of shape (height, width).
        mask: mask of the same shape, non-zero on the object; None segments the image.
        options: how the object is segmented.

    """
    image = without_scale_bar(image, options.scale_bar)
    ground = Ground.of(image, options.background)
    if mask is None:
        mask = mask_of(image, ground, options.pieces)
    else:
        mask = np.asarray(without_scale_bar(mask, options.scale_bar) > 0, np.uint8)
    box = cv2.boundingRect(mask)
    wide = piece = np.empty((0, 0), np.uint8)
    if box[2]:
        wide, piece = _window(image, box, WIDE, round(ground.level)), _window(mask, box, MARGIN, 0)
    return Crop(wide, piece, ground, float(image.mean()))


def _window(image: NDArray[np.uint8], box: Sequence[int], margin: int, outside: int) -> NDArray[np.uint8]:
    """Return a box of an image with a margin, padded with a constant level beyond the image's edge.

    Args:
        image: uint8 of shape (height, width).
        box: left, top, width and height of the box.
        margin: in pixels.
        outside: the constant level.

    """
    left, top, width, height = box
    window = np.full((height + 2 * margin, width + 2 * margin), outside, np.uint8)
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    seen = image[rows, columns]
    down, right = max(0, margin - top), max(0, margin - left)
    window[down : down + seen.shape[0], right : right + seen.shape[1]] = seen
    return window
