"""Images, read where they lie: in a folder or in a zip file, one at a time or in storage order; nothing is unpacked."""

from __future__ import annotations

import zipfile
import zlib
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .errors import DataError, listed
from .seeds import sha256_text
from .tables import canonical_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif"})


class ImageStore(ABC):
    """Images by object_id, in storage order.

    Attributes:
        source: the zip file or folder.
        members: name inside the source of each object's image, by object_id, in storage order.

    """

    def __init__(self, source: Path) -> None:
        """Point at a source; nothing is opened before the first question."""
        self.source = source

    @cached_property
    def members(self) -> dict[str, str]:
        """Name inside the source by object_id, in storage order.

        Raises:
            DataError: two images have the same id.

        """
        import pandas as pd

        names = list(self._names())
        ids = canonical_text(pd.Series([PurePosixPath(name).stem for name in names], dtype="str"))
        twice = ids[ids.duplicated()]
        if len(twice):
            message = f"{self.source}: two images have the same id: {listed(twice.unique())}. Keep one of each."
            raise DataError(message)
        return dict(zip(ids, names, strict=True))

    @abstractmethod
    def _names(self) -> Iterator[str]:
        """Names of all images in storage order."""

    @abstractmethod
    def _bytes(self, member: str) -> bytes:
        """Encoded bytes of one image."""

    @abstractmethod
    def sha256(self) -> str:
        """Hash of what the source holds, quick to take."""

    def __contains__(self, object_id: object) -> bool:
        """Tell whether there is an image of this object."""
        return object_id in self.members

    def __len__(self) -> int:
        """Count the images."""
        return len(self.members)

    def read_bytes(self, object_id: str) -> bytes:
        """Return the encoded bytes of one image.

        Raises:
            DataError: there is no image of that object, or it cannot be read.

        """
        member = self.members.get(object_id)
        if member is None:
            message = f"{self.source} has no image of object {object_id}."
            raise DataError(message)
        try:
            return self._bytes(member)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as fault:
            message = f"{self.source}: {member} cannot be read: {fault}"
            raise DataError(message) from fault

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return one image as grey levels, uint8 of shape (height, width), as bright or dark as the source is.

        Raises:
            DataError: there is no image of that object, or its bytes are no image.

        """
        import cv2
        import numpy as np

        content = self.read_bytes(object_id)
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
        if image is None:
            message = f"{self.source}: {self.members[object_id]} is no readable image ({len(content):,} bytes)."
            raise DataError(message)
        return np.asarray(image, dtype=np.uint8)

    def in_storage_order(self, object_ids: Iterable[str]) -> list[str]:
        """Sort ids as their images lie in the source, which is the quick order to read them in."""
        wanted = set(object_ids)
        return [object_id for object_id in self.members if object_id in wanted]


class ZipImages(ImageStore):
    """Images inside a zip file."""

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.source)
        except (OSError, zipfile.BadZipFile) as fault:
            message = f"{self.source} is no readable zip file: {fault}"
            raise DataError(message) from fault

    def _names(self) -> Iterator[str]:
        infos = sorted(self._archive.infolist(), key=lambda info: info.header_offset)
        return (info.filename for info in infos if _is_image(info.filename))

    def _bytes(self, member: str) -> bytes:
        return self._archive.read(member)

    def sha256(self) -> str:
        """Hash of member names, sizes and CRC-32, all from the central directory."""
        rows = [f"{info.filename}|{info.file_size}|{info.CRC}" for info in self._archive.infolist()]
        return sha256_text(*sorted(rows))


class FolderImages(ImageStore):
    """Images in a folder and its sub-folders."""

    def _names(self) -> Iterator[str]:
        paths = sorted(path for path in self.source.rglob("*") if path.is_file())
        names = (path.relative_to(self.source).as_posix() for path in paths)
        return (name for name in names if _is_image(name))

    def _bytes(self, member: str) -> bytes:
        return (self.source / member).read_bytes()

    def sha256(self) -> str:
        """Hash of names and sizes; the contents of hundreds of thousands of files are not read for it."""
        names = self.members.values()
        return sha256_text(*(f"{name}|{(self.source / name).stat().st_size}" for name in sorted(names)))


def open_images(source: Path) -> ImageStore:
    """Return the images of a zip file or a folder."""
    return FolderImages(source) if source.is_dir() else ZipImages(source)


def _is_image(name: str) -> bool:
    """Tell images from folders, other files, and what macOS leaves behind."""
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("._") and "__MACOSX" not in path.parts
