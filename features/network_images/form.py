"""Network image of an object: three channels of one size, the input of convolutional networks.

1. The scale bar is cropped from the bottom, and images with a light background are inverted, so that objects are
   bright. If the manifest does not state the background, it is inferred from the border of each image, as in
   `measured.objects.segmentation`. With `crop`, the image is cropped to the bounding box of the object, segmented as
   there; an image without an object stays as it is.
2. The image is padded to a square with the grey level of its background, which preserves the proportions of the object,
   and is shrunk (`INTER_AREA`) or enlarged (`INTER_CUBIC`). With `resize="shrink"` images are never enlarged: smaller
   ones are padded to the side, as in source 000, so that the size of an object remains visible. With `resize="stretch"`
   an image is resized to the square without padding and with bicubic interpolation, as in source 001.
3. Channels, as in source 001: grey; threshold, 255 above a grey level and 0 elsewhere; grey opening with 3 × 3 pixels
   (the maximum of minima), which removes bright specks smaller than that. With `channels="grey"` the grey levels three
   times, as in source 000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np

from ...data_manifests.errors import TrackError
from ..measured.objects.segmentation import Ground, mask_of, without_scale_bar
from .options import Channels, Resize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...data_manifests.manifest import Background

SIDES = range(32, 257)
THRESHOLDS = range(255)
OTSU = -1  # instead of a threshold
BLACK, WHITE = 0, 255
CHANNELS = 3


@dataclass(frozen=True)
class ImageForm:
    """Form of network images, requested by a track.

    Attributes:
        side: side length in pixels, 32 to 256.
        resize: `pad` preserves the proportions of the object; `shrink` does, too, and never enlarges, as in source 000;
            `stretch` does not, as in source 001.
        threshold: grey level of the bright-on-dark image above which the second channel is 255: 0 to 254. None uses
            Otsu's threshold (1979, doi 10.1109/TSMC.1979.4310076) of each object.
        crop: crop to the bounding box of the object first.
        channels: `derived` for grey, threshold and opening; `grey` for three equal channels.

    Raises:
        TrackError: a value is invalid.

    """

    side: int = 64
    resize: Resize = "pad"
    threshold: int | None = None
    crop: bool = False
    channels: Channels = "derived"

    def __post_init__(self) -> None:
        """Validate the values."""
        if self.side not in SIDES:
            message = f"side is {self.side!r}; expected a side of {SIDES[0]} to {SIDES[-1]} pixels."
            raise TrackError(message)
        for name, kind in (("resize", Resize), ("channels", Channels)):
            if getattr(self, name) not in get_args(kind):
                message = f"{name} is {getattr(self, name)!r}; expected {' or '.join(map(repr, get_args(kind)))}."
                raise TrackError(message)
        if self.threshold is not None and self.threshold not in THRESHOLDS:
            message = (
                f"threshold is {self.threshold!r}; expected a grey level, {THRESHOLDS[0]} to {THRESHOLDS[-1]}, or none "
                "for Otsu's threshold of each object."
            )
            raise TrackError(message)

    @property
    def description(self) -> str:
        """Readable description."""
        threshold = "Otsu's threshold" if self.threshold is None else f"threshold {self.threshold}"
        resized = {"pad": "padded", "shrink": "padded, never enlarged", "stretch": "stretched"}[self.resize]
        channels = threshold if self.channels == "derived" else "three grey channels"
        return f"{self.side} px, {'cropped, ' if self.crop else ''}{resized}, {channels}"

    @property
    def level(self) -> int:
        """Threshold as expected by the kernels."""
        return OTSU if self.threshold is None else self.threshold


@dataclass(frozen=True)
class Source:
    """How the images of a data set were taken, according to its manifest.

    Attributes:
        background: `light` or `dark`; None infers it for each image.
        scale_bar: number of rows cropped from the bottom of each image.
        pixel_size_um: width of a pixel in µm; None if unknown.

    """

    background: Background | None = None
    scale_bar: int = 0
    pixel_size_um: float | None = None


def prepare(image: NDArray[np.uint8], form: ImageForm, source: Source) -> NDArray[np.uint8]:
    """Return the first channel of an image, from which the other channels are computed.

    Args:
        image: grey levels as read, uint8 of shape (height, width).
        form: form of the network image.
        source: how the image was taken.

    Returns:
        uint8 of shape (side, side), with a bright object.

    """
    bright, level = bright_object(image, form, source)
    return resized(bright, level, form)


def bright_object(image: NDArray[np.uint8], form: ImageForm, source: Source) -> tuple[NDArray[np.uint8], int]:
    """Return the bright-on-dark image, cropped if the form requests it, and the grey level of its background."""
    bright, level = bright_on_dark(image, source)
    return (cropped(bright) if form.crop else bright), level


def cropped(bright: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop an image with a bright object, uint8 of shape (height, width), to the bounding box of the object.

    The object is segmented as for measured features, with all pieces except specks; an image without an object is
    returned unchanged.
    """
    mask = mask_of(bright, Ground.of(bright, "dark"), "all")
    left, top, width, height = cv2.boundingRect(mask)
    return bright[top : top + height, left : left + width] if width else bright


def bright_on_dark(image: NDArray[np.uint8], source: Source) -> tuple[NDArray[np.uint8], int]:
    """Crop the scale bar and invert an image with a light background.

    Returns:
        The image, uint8 of shape (height - scale_bar, width), and the grey level of its background.

    """
    image = without_scale_bar(image, source.scale_bar)
    ground = Ground.of(image, source.background)
    if not ground.light:
        return image, round(ground.level)
    return np.asarray(cv2.bitwise_not(image), np.uint8), round(WHITE - ground.level)


def resized(bright: NDArray[np.uint8], level: int, form: ImageForm) -> NDArray[np.uint8]:
    """Resize an image to the size of a network image.

    Args:
        bright: uint8 of shape (height, width), with a bright object.
        level: grey level of the background, used for padding.
        form: form of the network image.

    Returns:
        uint8 of shape (side, side); if the padding is odd, the extra row or column is at the bottom or right.

    """
    size = form.side, form.side
    if form.resize == "stretch":
        return np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    height, width = bright.shape
    longer = max(height, width, form.side if form.resize == "shrink" else 0)
    above, left = (longer - height) // 2, (longer - width) // 2
    below, right = longer - height - above, longer - width - left
    square = cv2.copyMakeBorder(bright, above, below, left, right, cv2.BORDER_CONSTANT, value=level)
    interpolation = cv2.INTER_AREA if longer > form.side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, size, interpolation=interpolation), np.uint8)


def bright_area(bright: NDArray[np.uint8], form: ImageForm) -> int:
    """Count the pixels above the threshold in an image, uint8 of shape (height, width); 0 for a flat image by Otsu."""
    if form.threshold is not None:
        return int(np.count_nonzero(bright > form.threshold))
    _, above = cv2.threshold(bright, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    area = cv2.countNonZero(above)
    return 0 if area == bright.size else area


def add_channels(grey: NDArray[np.uint8], form: ImageForm) -> NDArray[np.uint8]:
    """Add the other channels to first channels, which may have been augmented.

    A batch of 512 at 64 px takes 3 ms on one core. The GIL is released.

    Args:
        grey: uint8 of shape (n_objects, side, side), with bright objects.
        form: form that defines the threshold; its side is not used.

    Returns:
        uint8 of shape (n_objects, side, side, 3): grey, threshold (0 or 255; by Otsu all 0 in a flat image), opening;
        or grey three times.

    """
    if form.channels == "grey":
        return np.repeat(grey[..., None], CHANNELS, axis=-1)
    from .kernels import three_channels

    return three_channels(np.ascontiguousarray(grey), form.level)


def channels_of(image: NDArray[np.uint8], form: ImageForm, source: Source) -> NDArray[np.uint8]:
    """Return the network image of one image as read, uint8 of shape (side, side, 3); see `prepare`, `add_channels`."""
    return np.asarray(add_channels(prepare(image, form, source)[None], form)[0])
