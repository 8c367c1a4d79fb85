"""Images opened once in each process that works on them: a million are listed longer than a chunk of them is read."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .store import reopen_images

if TYPE_CHECKING:
    from .store import ImageStore

NUMBERS = itertools.count()


class Opening(NamedTuple):
    """Images as they are handed to other processes.

    Attributes:
        address: where they lie.
        number: of this opening; a later one may find other files at the same place, and lists them again.

    """

    address: str
    number: int

    @classmethod
    def of(cls, images: ImageStore) -> Opening:
        """Begin an opening."""
        return cls(images.address, next(NUMBERS))


@lru_cache(maxsize=2)  # images, and their masks
def opened(opening: Opening) -> ImageStore:
    """Open the images of an opening, once in each process."""
    return reopen_images(opening.address)
