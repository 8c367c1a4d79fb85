"""Image stores opened once per process, because listing a million images takes longer than reading one chunk."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from .store import reopen_images

if TYPE_CHECKING:
    from .store import ImageStore


class Opening(NamedTuple):
    """Reference to an image store that is passed to other processes.

    Attributes:
        address: address of the store.
        token: unique text; a later opening of the same address lists the files again, as they may have changed.

    """

    address: str
    token: str

    @classmethod
    def of(cls, images: ImageStore) -> Opening:
        """Return a new opening of a store."""
        return cls(images.address, uuid4().hex)


@lru_cache(maxsize=2)  # images and their masks
def opened(opening: Opening) -> ImageStore:
    """Open the image store of an opening, once per process."""
    return reopen_images(opening.address)
