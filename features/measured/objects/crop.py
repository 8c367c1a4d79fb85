"""Cutting an object out of its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .segmentation import Ground, Segmentation, mask_of, without_scale_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MARGIN = 4  # pixels around each object, as far as any kernel reaches
WIDE = MARGIN + 6  # as far as one reaches that goes over a smoothed image


@dataclass(frozen=True)
class Crop:
    """An object cut out of its image.

    Attributes:
        wide: grey levels with a margin of `WIDE`, uint8; background where it reaches over the image's edge.
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
        """Grey levels with a margin of `MARGIN`, uint8 of the shape of the mask."""
        spare = WIDE - MARGIN
        return self.wide[spare:-spare, spare:-spare]


def crop_objects(image: NDArray[np.uint8], mask: NDArray[np.uint8] | None, options: Segmentation) -> Crop:
    """Crop the object out of an image; where there is none, the cut has no pixels.

    Args:
        image: grey levels, uint8 of shape (height, width).
        mask: given mask of the same shape, 0 or not; None segments the image.
        options: how.

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
    """Return a part of an image with a margin, of one level where it reaches over the edge.

    Args:
        image: uint8 of shape (height, width).
        box: left and top of the part, its width and height.
        margin: in pixels.
        outside: that level.

    """
    left, top, width, height = box
    window = np.full((height + 2 * margin, width + 2 * margin), outside, np.uint8)
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    seen = image[rows, columns]
    down, right = max(0, margin - top), max(0, margin - left)
    window[down : down + seen.shape[0], right : right + seen.shape[1]] = seen
    return window
