"""Images that are to be measured, with their masks: opened here, and once more in each process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...data_manifests.errors import DataError, listed
from ...data_manifests.images.opened import Opening, opened
from ...data_manifests.images.store import open_images

if TYPE_CHECKING:
    from ...data_manifests.images.store import ImageStore


@dataclass(frozen=True)
class Sources:
    """Images, and their masks when there are any; a mask is found by the object_id of its image."""

    images: ImageStore
    masks: ImageStore | None = None

    def check(self) -> None:
        """Refuse what cannot be measured at all; with masks of other images every row would be missing.

        Raises:
            DataError: there are no images, or no mask is of any of them.

        """
        if not len(self.images):
            message = f"{self.images.source} holds no images; expected a folder, zip or tar file with images in it."
            raise DataError(message)
        if self.masks is not None and not any(object_id in self.masks for object_id in self.images.members):
            message = (
                f"{self.masks.source} has no mask of any image in {self.images.source}: masks are called "
                f"{listed(self.masks.members, 3) or '(there are none)'}; images {listed(self.images.members, 3)}. "
                "Call each mask like its image, the suffix aside."
            )
            raise DataError(message)

    def handed_over(self) -> Openings:
        """Return them as they are handed to other processes."""
        return Openings(Opening.of(self.images), None if self.masks is None else Opening.of(self.masks))


class Openings(NamedTuple):
    """Images, and their masks when there are any, as they are handed to other processes."""

    images: Opening
    masks: Opening | None

    def opened(self) -> Sources:
        """Open them, once in each process."""
        return Sources(opened(self.images), None if self.masks is None else opened(self.masks))


def open_sources(images: Path | str | ImageStore, masks: Path | str | ImageStore | None = None) -> Sources:
    """Open images, and masks under the same ids.

    Args:
        images: a folder, a zip file, a tar file, or an opened one, whose ids stay. Otherwise the ids are made of the
            fewest last parts of the paths that tell all images apart: `<name>`, `<folder>/<name>`, or the whole path.
        masks: the same; None when there are none.

    Raises:
        DataError: something of it does not exist or cannot be read, there are no images, or no mask is of any of them.

    """
    store = _open(images) if isinstance(images, Path | str) else images
    if isinstance(images, Path | str):
        store.choose_ids()
    outlines = _open(masks, store.id_parts) if isinstance(masks, Path | str) else masks
    sources = Sources(store, outlines)
    sources.check()
    return sources


def _open(source: Path | str, id_parts: int = 1) -> ImageStore:
    path = Path(source).expanduser()
    if not path.exists():
        message = f"{path} does not exist; expected a folder, zip or tar file of images."
        raise DataError(message)
    return open_images(path, id_parts=id_parts)
