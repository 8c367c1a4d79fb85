"""Input of the reference implementations: an object with its image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ...features.measured.objects.segmentation import Ground

if TYPE_CHECKING:
    from numpy.typing import NDArray


Values = dict[str, float]
"""Values by feature name."""


PAD = 8  # pixels of background around an image, wider than any neighbourhood


@dataclass(frozen=True)
class Subject:
    """An object with its image.

    Attributes:
        grey: grey levels, uint8 of shape (height, width), with `PAD` pixels of background around the image.
        mask: True inside the object, without its holes; bool of the same shape, with at least one pixel.
        ground: background of the image.
        frame: mean grey level of the image.

    """

    grey: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    ground: Ground
    frame: float

    @classmethod
    def of(cls, image: NDArray[np.uint8], mask: NDArray[np.uint8], ground: Ground | None = None) -> Subject:
        """Pad an image, uint8 of shape (height, width), and its mask, non-zero inside the object, of the same shape."""
        ground = ground or Ground.of(image, None)
        grey = np.pad(image, PAD, constant_values=round(ground.level))
        return cls(grey, np.pad(mask > 0, PAD), ground, float(image.mean()))

    @cached_property
    def filled(self) -> NDArray[np.bool_]:
        """The mask with its holes filled: background that is not 4-connected to the corner of the image."""
        return np.asarray(ndimage.binary_fill_holes(self.mask), bool)

    @cached_property
    def pixels(self) -> NDArray[np.float64]:
        """Grey levels of the object with holes filled, float64 of shape (area,)."""
        return self.grey[self.filled].astype(np.float64)

    @cached_property
    def contrast(self) -> NDArray[np.float64]:
        """Contrast with the background, clipped at 0, and 0 outside the object; float64 of shape (height, width)."""
        off = self.grey - float(round(self.ground.level))
        return np.where(self.filled, np.maximum(-off if self.ground.light else off, 0), 0)

    @property
    def max_contrast(self) -> float:
        """Largest possible contrast with the background, in grey levels."""
        return self.ground.level if self.ground.light else 255 - self.ground.level
