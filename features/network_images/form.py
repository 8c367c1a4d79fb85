"""The stack of an object: what a convolutional network sees of it, three channels of one size.

1. Rows of a scale bar are cut off at the bottom, and an image with a light background is inverted: objects are bright.
   Where it is not said whether the background is light, each image tells by its border, as in `measured.segmentation`.
2. The image is padded to a square with the level of its background, so that the object keeps its proportions, and
   shrunk (`INTER_AREA`) or enlarged (`INTER_CUBIC`). With `resize="stretch"` it is resized to the square without
   padding, bicubically and whatever its proportions, as source 001 did.
3. Channels (source 001): grey; threshold, 255 above a grey level and 0 elsewhere; grey opening, the greatest of the
   least of 3 × 3 pixels, which takes away specks smaller than that because objects are bright.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from ...data_manifests.errors import TrackError
from ..measured.objects.segmentation import Ground, without_scale_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...data_manifests.manifest import Background

SIDES = range(32, 225)
THRESHOLDS = range(255)
OTSU = -1  # in the place of a threshold
BLACK, WHITE = 0, 255
CHANNELS = 3


@dataclass(frozen=True)
class ImageForm:
    """What a track asks for.

    Attributes:
        side: pixels, 32 to 224.
        resize: `pad` keeps the proportions of the object; `stretch` does not, as source 001.
        threshold: grey level, bright on dark, above which the second channel is 255: 0 to 254. None takes the level of
            Otsu (1979, doi 10.1109/TSMC.1979.4310076) of each object.

    Raises:
        TrackError: a value is none of these.

    """

    side: int = 64
    resize: Literal["pad", "stretch"] = "pad"
    threshold: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be prepared, before anything is."""
        if self.side not in SIDES:
            message = f"side is {self.side!r}; expected the side of a stack, {SIDES[0]} to {SIDES[-1]} pixels."
            raise TrackError(message)
        if self.resize not in ("pad", "stretch"):
            message = f"resize is {self.resize!r}; expected 'pad' or 'stretch'."
            raise TrackError(message)
        if self.threshold is not None and self.threshold not in THRESHOLDS:
            message = (
                f"threshold is {self.threshold!r}; expected a grey level, {THRESHOLDS[0]} to {THRESHOLDS[-1]}, or none "
                "for Otsu's level of each object."
            )
            raise TrackError(message)

    @property
    def words(self) -> str:
        """The form as a person reads it."""
        threshold = "Otsu's threshold" if self.threshold is None else f"threshold {self.threshold}"
        return f"{self.side} px, {'padded' if self.resize == 'pad' else 'stretched'}, {threshold}"

    @property
    def level(self) -> int:
        """The threshold as the kernels take it."""
        return OTSU if self.threshold is None else self.threshold


@dataclass(frozen=True)
class Source:
    """How the images of a data set were taken, by its manifest.

    Attributes:
        background: `light` or `dark`; None decides for each image.
        scale_bar: rows that are cut off at the bottom of each image.
        pixel_size_um: width of a pixel in µm; None where it is not known.

    """

    background: Background | None = None
    scale_bar: int = 0
    pixel_size_um: float | None = None


def prepare(image: NDArray[np.uint8], form: ImageForm, source: Source) -> NDArray[np.uint8]:
    """Make the first channel of an image, from which the others are made.

    Args:
        image: grey levels as they are read, uint8 of shape (height, width).
        form: what is asked for.
        source: how the image was taken.

    Returns:
        uint8 of shape (side, side), the object bright.

    """
    bright, level = bright_on_dark(image, source)
    return fitted(bright, level, form)


def bright_on_dark(image: NDArray[np.uint8], source: Source) -> tuple[NDArray[np.uint8], int]:
    """Crop off the scale bar, and invert an image whose background is light.

    Returns:
        The image, uint8 of shape (height - scale bar, width), and the grey level of its background.

    """
    image = without_scale_bar(image, source.scale_bar)
    ground = Ground.of(image, source.background)
    if not ground.light:
        return image, round(ground.level)
    return np.asarray(cv2.bitwise_not(image), np.uint8), round(WHITE - ground.level)


def fitted(bright: NDArray[np.uint8], level: int, form: ImageForm) -> NDArray[np.uint8]:
    """Bring an image to the size of a stack.

    Args:
        bright: uint8 of shape (height, width), the object bright.
        level: of the background, to pad with.
        form: what is asked for.

    Returns:
        uint8 of shape (side, side); a single row or column of padding more is below or to the right.

    """
    size = form.side, form.side
    if form.resize == "stretch":
        return np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    height, width = bright.shape
    longer = max(height, width)
    above, left = (longer - height) // 2, (longer - width) // 2
    below, right = longer - height - above, longer - width - left
    square = cv2.copyMakeBorder(bright, above, below, left, right, cv2.BORDER_CONSTANT, value=level)
    way = cv2.INTER_AREA if longer > form.side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, size, interpolation=way), np.uint8)


def bright_area(bright: NDArray[np.uint8], form: ImageForm) -> int:
    """Count the pixels of an image, uint8 of shape (height, width), above the threshold; none of a flat one by Otsu."""
    if form.threshold is not None:
        return int(np.count_nonzero(bright > form.threshold))
    _, above = cv2.threshold(bright, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    area = cv2.countNonZero(above)
    return 0 if area == bright.size else area


def stack(grey: NDArray[np.uint8], form: ImageForm) -> NDArray[np.uint8]:
    """Add threshold and opening to first channels, which may have been turned, shifted or otherwise augmented.

    A batch of 512 at 64 px takes three milliseconds of one core, and holds no lock of the interpreter.

    Args:
        grey: uint8 of shape (n_objects, side, side), objects bright.
        form: tells the threshold; the side may be another.

    Returns:
        uint8 of shape (n_objects, side, side, 3): grey, threshold (0 or 255; by Otsu all 0 in a flat image), opening.

    """
    from .kernels import stacked

    return stacked(np.ascontiguousarray(grey), form.level)


def channels_of(image: NDArray[np.uint8], form: ImageForm, source: Source) -> NDArray[np.uint8]:
    """Return the stack of one image as it is read, uint8 of shape (side, side, 3); see `prepare` and `stack`."""
    return np.asarray(stack(prepare(image, form, source)[None], form)[0])
