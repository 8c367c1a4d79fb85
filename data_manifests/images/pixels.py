"""Pixels of an image at a location in a source, or a short description of its fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DataError
from .encoding import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from .store import ImageLocation, ImageStore

UNREADABLE = "unreadable"


class FaultyImageError(Exception):
    """An image that cannot be used; the message is the reason. Code that reads many images catches it and continues."""


def pixels_at(
    store: ImageStore, location: ImageLocation, decode: Callable[[bytes], NDArray[np.uint8] | None]
) -> NDArray[np.uint8]:
    """Return the decoded pixels of the image at a location.

    Args:
        store: store of the image.
        location: result of `ImageStore.location_of`.
        decode: converts encoded bytes to uint8 of shape (height, width), or to None if they are not an image.

    Raises:
        FaultyImageError: if the image cannot be read or decoded, or is incomplete.

    """
    try:
        content = store.read_at(location)
    except DataError as error:
        raise FaultyImageError(UNREADABLE) from error
    fault = fault_of(content)
    pixels = None if fault else decode(content)
    if pixels is None:
        raise FaultyImageError(fault or UNREADABLE)
    return pixels
