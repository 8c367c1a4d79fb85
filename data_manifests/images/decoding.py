"""Decoding of image files to grey levels, by the same rules for measured features and for training.

* JPEG, which has neither transparency nor more than 8 bits, is read in greyscale by OpenCV.
* Transparent images are composited over the grey level of their border, the median of its opaque pixels. If the whole
  border is transparent, the background is white, or black if the background of the data set is dark. Colours hidden
  under transparent pixels have no effect.
* Colours are converted to grey with the weights of OpenCV (ITU-R BT.601).
* 16-bit images are scaled to 8 bits by the white level of the camera: 255 if no value is larger, else 4,095 (12 bits),
  else 65,535; grey = value · 255 / white, rounded. A 12-bit image stored in 16 bits thus spans black to white, which
  its upper byte alone would not. The drawback: a 16-bit image in which no pixel reaches a sixteenth of white is
  brightened.
* Other types (32 bits, floats, signed integers) have no known white level: such images are unreadable.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

BLACK, WHITE = 0, 255
WHITE_LEVELS = (WHITE, 4095, 65535)
JPEG = b"\xff\xd8\xff"
COLOUR = 3  # channels, and dimensions of an array with channels
CHANNELS = {1: (1, False), 2: (1, True), 3: (COLOUR, False), 4: (COLOUR, True)}
"""Number of colour channels, and whether the last channel is opacity, by the number of channels."""


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Limit OpenCV to one thread and silence it; images that cannot be decoded are reported elsewhere, by name.

    libpng and libjpeg write their warnings, which do not name the file, directly to standard error. Worker processes
    discard standard error; in the main process it is left alone.
    """
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if parent_process() is not None:
        _discard_stderr()
    try:
        with opencv_on_one_thread():
            yield
    finally:
        cv2.utils.logging.setLogLevel(level)


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Limit OpenCV to one thread: with small images, more threads gain nothing and compete with other processes."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


@cache
def _discard_stderr() -> None:
    """Redirect standard error of this process to the null device from now on."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def decoded(content: bytes, flags: int) -> NDArray[Any] | None:
    """Decode an image with flags of OpenCV; None if it cannot be decoded or its header has an absurd size."""
    import cv2
    import numpy as np

    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    except cv2.error:
        return None


def grey_levels(content: bytes, *, behind: int = WHITE) -> NDArray[np.uint8] | None:
    """Decode an image to grey levels by the rules of this module.

    Args:
        content: the encoded image.
        behind: grey level of the background if the whole border of the image is transparent.

    Returns:
        uint8 of shape (height, width); None if it cannot be decoded or its type has no known white level.

    """
    import cv2
    import numpy as np

    if content.startswith(JPEG):
        image = decoded(content, cv2.IMREAD_GRAYSCALE)
        return None if image is None else np.asarray(image, np.uint8)
    image = decoded(content, cv2.IMREAD_UNCHANGED)
    return None if image is None else grey_of(image, behind=behind)


def mask_levels(content: bytes) -> NDArray[np.uint8] | None:
    """Decode a mask: 1 where any colour channel is nonzero, including labels and any bit depth; opacity is ignored.

    Returns:
        uint8 of shape (height, width), 0 or 1; None if it cannot be decoded.

    """
    import cv2
    import numpy as np

    image = decoded(content, cv2.IMREAD_UNCHANGED)
    if image is None:
        return None
    colours = np.atleast_3d(image)
    visible, _ = CHANNELS.get(colours.shape[2], (colours.shape[2], False))
    return np.asarray((colours[..., :visible] != 0).any(axis=2), np.uint8)


def grey_of(image: NDArray[Any], *, behind: int = WHITE) -> NDArray[np.uint8] | None:
    """Convert decoded pixels to grey levels by the rules of this module.

    Args:
        image: uint8 or uint16 of shape (height, width) or (height, width, channels): grey, or blue, green and red as
            decoded by OpenCV, with or without opacity as the last channel.
        behind: as in `grey_levels`.

    Returns:
        uint8 of shape (height, width); None if the image has another type or more channels.

    """
    import cv2
    import numpy as np

    channels = image.shape[2] if image.ndim == COLOUR else 1
    if image.dtype not in (np.uint8, np.uint16) or channels not in CHANNELS:
        return None
    visible, has_opacity = CHANNELS[channels]
    pixels = _to_8_bits(image.reshape(*image.shape[:2], channels)[..., :visible])
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if visible == COLOUR else pixels.reshape(image.shape[:2])
    grey = np.asarray(grey, np.uint8)
    return _composited(grey, image[..., -1], behind) if has_opacity else grey


def _to_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale 16 bits to 8 by the smallest white level that no value exceeds."""
    import cv2
    import numpy as np

    if pixels.dtype == np.uint8:
        return pixels
    white = next(white for white in WHITE_LEVELS if pixels.max() <= white)
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=WHITE / white), np.uint8)


def _composited(grey: NDArray[np.uint8], opacity: NDArray[Any], behind: int) -> NDArray[np.uint8]:
    """Composite an image over the grey level of its border, or over `behind` if the border is transparent."""
    import numpy as np

    full = np.iinfo(opacity.dtype).max
    border = np.ones(grey.shape, bool)
    border[1:-1, 1:-1] = False
    opaque = grey[border & (opacity == full)]
    level = float(np.median(opaque)) if len(opaque) else float(behind)
    alpha = opacity / full
    return np.rint(alpha * grey + (1 - alpha) * level).astype(np.uint8)
