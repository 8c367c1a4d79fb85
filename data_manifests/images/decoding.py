"""From the bytes of an image file to grey levels: the one rule for every image that is measured or learnt from.

* JPEG, which knows neither transparency nor more than 8 bits: as OpenCV reads it in grey.
* Transparency: the image is laid over the grey level of its border, the median of the border's opaque pixels; when the
  whole border is transparent, over white, or over black where the data set's background is dark. Hidden colours beneath
  transparent pixels are never seen.
* Colours become grey as OpenCV weighs them (ITU-R BT.601).
* 16 bits become 8 by the camera's white: 255 when no value of the image is larger, else 4,095 (12 bits), else 65,535;
  grey = value · 255 / white, rounded. A 12-bit image kept in 16 bits so spans black to white, which its upper byte
  alone would not; the other side is that a 16-bit image of which no pixel reaches a sixteenth of white is brightened.
* Other numbers (32 bits, floats, with a sign) have no known white: such an image is unreadable.
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
WHITES_OF_16_BITS = (WHITE, 4095, 65535)
JPEG = b"\xff\xd8\xff"
COLOUR = 3  # channels, and dimensions of an array with channels
CHANNELS = {1: (1, False), 2: (1, True), 3: (COLOUR, False), 4: (COLOUR, True)}
"""Of so many channels, how many are seen, and whether the last is opacity."""


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Keep OpenCV to one thread and off the terminal: what it cannot decode is told once, by name.

    The libraries below it, libpng and libjpeg, write warnings without a name straight to the terminal. A process that
    another one started for such work drops them; in any other, whose errors are its user's, they stay.
    """
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if parent_process() is not None:
        _drop_errors()
    try:
        with opencv_on_one_thread():
            yield
    finally:
        cv2.utils.logging.setLogLevel(level)


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: on small images others gain nothing and take cores from what runs beside it."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


@cache
def _drop_errors() -> None:
    """Let nothing that this process writes to standard error reach the terminal from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def decoded(content: bytes, flags: int) -> NDArray[Any] | None:
    """Decode an image as OpenCV's flags say; None when it cannot be decoded, or its header claims an absurd size."""
    import cv2
    import numpy as np

    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    except cv2.error:
        return None


def grey_levels(content: bytes, *, behind: int = WHITE) -> NDArray[np.uint8] | None:
    """Decode an image to grey levels by the rule of this module.

    Args:
        content: the encoded image.
        behind: grey level to lay an image over whose whole border is transparent.

    Returns:
        uint8 of shape (height, width); None when it cannot be decoded or its numbers have no known white.

    """
    import cv2
    import numpy as np

    if content.startswith(JPEG):
        image = decoded(content, cv2.IMREAD_GRAYSCALE)
        return None if image is None else np.asarray(image, np.uint8)
    image = decoded(content, cv2.IMREAD_UNCHANGED)
    return None if image is None else grey_of(image, behind=behind)


def mask_levels(content: bytes) -> NDArray[np.uint8] | None:
    """Decode a mask: 1 where any colour is not 0 (labels of pieces and levels of any depth too), opacity left aside.

    Returns:
        uint8 of shape (height, width), 0 or 1; None when it cannot be decoded.

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
    """Turn decoded pixels into grey levels by the rule of this module.

    Args:
        image: uint8 or uint16 of shape (height, width) or (height, width, channels): grey, or blue, green and red, as
            OpenCV decodes them, either with opacity as the last channel or not.
        behind: as in `grey_levels`.

    Returns:
        uint8 of shape (height, width); None when it is of another type, or has more channels.

    """
    import cv2
    import numpy as np

    channels = image.shape[2] if image.ndim == COLOUR else 1
    if image.dtype not in (np.uint8, np.uint16) or channels not in CHANNELS:
        return None
    visible, opaque = CHANNELS[channels]
    pixels = _in_8_bits(image.reshape(*image.shape[:2], channels)[..., :visible])
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if visible == COLOUR else pixels.reshape(image.shape[:2])
    grey = np.asarray(grey, np.uint8)
    return _laid_over(grey, image[..., -1], behind) if opaque else grey


def _in_8_bits(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale 16 bits to 8 by the least white that no value exceeds."""
    import cv2
    import numpy as np

    if pixels.dtype == np.uint8:
        return pixels
    white = next(white for white in WHITES_OF_16_BITS if pixels.max() <= white)
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=WHITE / white), np.uint8)


def _laid_over(grey: NDArray[np.uint8], opacity: NDArray[Any], behind: int) -> NDArray[np.uint8]:
    """Lay a transparent image over the grey level of its border, or over `behind` when the border is transparent."""
    import numpy as np

    full = np.iinfo(opacity.dtype).max
    rim = np.ones(grey.shape, bool)
    rim[1:-1, 1:-1] = False
    seen = grey[rim & (opacity == full)]
    level = float(np.median(seen)) if len(seen) else float(behind)
    share = opacity / full
    return np.rint(share * grey + (1 - share) * level).astype(np.uint8)
