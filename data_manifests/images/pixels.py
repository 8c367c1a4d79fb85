"""Pixels of an image at its place in a source, or what is wrong with it in a word or two."""

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
    """An image that nothing can be made of; the text says why. Whoever reads many catches it and goes on."""


def pixels_at(
    store: ImageStore, place: ImageLocation, decode: Callable[[bytes], NDArray[np.uint8] | None]
) -> NDArray[np.uint8]:
    """Return the decoded pixels of the image at a place.

    Args:
        store: where it lies.
        place: as `ImageStore.location_of` gives it.
        decode: from encoded bytes to uint8 of shape (height, width), or to None when they are no image.

    Raises:
        FaultyImageError: it cannot be read, is not whole, or is no image.

    """
    try:
        content = store.read_at(place)
    except DataError as fault:
        raise FaultyImageError(UNREADABLE) from fault
    wrong = fault_of(content)
    pixels = None if wrong else decode(content)
    if pixels is None:
        raise FaultyImageError(wrong or UNREADABLE)
    return pixels
