"""Images and their masks, which are opened once in each process."""

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
    """Images with optional masks, matched by object_id."""

    images: ImageStore
    masks: ImageStore | None = None

    def check(self) -> None:
        """Check that there are images and that some of them have a mask, if there are masks.

        Raises:
            DataError: there are no images, or no mask matches any of them.

        """
        if not len(self.images):
            message = f"{self.images.source} contains no images; expected a folder, zip or tar file with images."
            raise DataError(message)
        if self.masks is not None and not any(object_id in self.masks for object_id in self.images.members):
            message = (
                f"{self.masks.source} contains no mask of any image in {self.images.source}: masks are named "
                f"{listed(self.masks.members, 3) or '(there are none)'}; images {listed(self.images.members, 3)}. "
                "Name each mask like its image; the suffix may differ."
            )
            raise DataError(message)

    def openings(self) -> Openings:
        """Return openings that can be passed to other processes."""
        return Openings(Opening.of(self.images), None if self.masks is None else Opening.of(self.masks))


class Openings(NamedTuple):
    """Openings of images and optional masks, which can be passed to other processes."""

    images: Opening
    masks: Opening | None

    def opened(self) -> Sources:
        """Return the opened images and masks; they are opened once in each process."""
        return Sources(opened(self.images), None if self.masks is None else opened(self.masks))


def open_sources(images: Path | str | ImageStore, masks: Path | str | ImageStore | None = None) -> Sources:
    """Open images and optional masks with the same ids.

    Args:
        images: a folder, zip file, tar file, or an opened one, which keeps its ids. Otherwise an id consists of the
            fewest last components of the path that identify each image: `<name>`, `<folder>/<name>`, or the whole path.
        masks: likewise; None without masks.

    Raises:
        DataError: a source does not exist or cannot be read, there are no images, or no mask matches any of them.

    """
    store = _open(images) if isinstance(images, Path | str) else images
    if isinstance(images, Path | str):
        store.choose_ids()
    mask_store = _open(masks, store.id_parts) if isinstance(masks, Path | str) else masks
    sources = Sources(store, mask_store)
    sources.check()
    return sources


def _open(source: Path | str, id_parts: int = 1) -> ImageStore:
    path = Path(source).expanduser()
    if not path.exists():
        message = f"{path} does not exist; expected a folder, zip or tar file of images."
        raise DataError(message)
    return open_images(path, id_parts=id_parts)
