"""Images, read where they lie: in a folder, a zip or a tar file, one by one or in storage order; nothing is unpacked.

What is hidden (a name with a dot in front, `__MACOSX`) and what has no suffix of an image is passed over. A compressed
tar file is refused: its images could only be had by unpacking all that lies before them.
"""

from __future__ import annotations

import json
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError, listed
from ..files.listing import ARCHIVE_SUFFIXES, SEALED_SUFFIXES, changed_at, file_size, is_hidden, is_image, walk
from ..files.tables import canonical_text
from ..seeds import sha256_text
from .decoding import grey_levels
from .zip_directory import Spot, ZipDirectory, read_directory, read_member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

IMAGES = "imgs"  # the folder or archive of images beside tables
WHOLE_PATH = 0  # as a number of path parts


class ImageLocation(NamedTuple):
    """Where an image lies: its name inside the source and, in an archive, the numbers by which it is found there."""

    member: str
    spot: tuple[int, ...] = ()


class ImageStore(ABC):
    """Images by object_id, in storage order.

    Attributes:
        source: the zip file, tar file or folder.
        id_parts: how many last parts of an image's path make its id, without suffix: 1 is the file's name, 2 is
            `<folder>/<name>`, `WHOLE_PATH` is all of it.
        members: name inside the source of each object's image, by object_id, in storage order.

    """

    def __init__(self, source: Path, *, id_parts: int = 1) -> None:
        """Point at a source; nothing is opened before the first question."""
        self.source = source
        self.id_parts = id_parts

    @cached_property
    def members(self) -> dict[str, str]:
        """Name inside the source by object_id, in storage order.

        Raises:
            DataError: two images have the same id.

        """
        ids = self.ids(self.id_parts)
        twice = ids[ids.duplicated()]
        if len(twice):
            message = f"{self.source}: two images have the same id: {listed(twice.unique())}. Keep one of each."
            raise DataError(message)
        return dict(zip(ids, self.names, strict=True))

    def ids(self, parts: int) -> pd.Series:
        """Return the ids that this many last parts of each path would make, canonical text in storage order."""
        import pandas as pd

        stems = [name[: name.rindex(".")] for name in self.names]
        if parts != WHOLE_PATH:
            stems = ["/".join(stem.split("/")[-parts:]) for stem in stems]
        return canonical_text(pd.Series(stems, dtype="str"))

    def choose_ids(self) -> list[str]:
        """Let the fewest last parts of the paths that tell all images apart make the ids: 1, 2, or all.

        Returns:
            The file names that several images have, when one part is not enough.

        """
        repeated = self.ids(1)
        repeated = repeated[repeated.duplicated()]
        if len(repeated):
            self.id_parts = WHOLE_PATH if self.ids(2).duplicated().any() else 2
        return list(repeated.unique())

    @property
    def names(self) -> list[str]:
        """Names of all images inside the source, in storage order."""
        return self._listing[0]

    @property
    def other_files(self) -> list[str]:
        """Names of all that is neither image, nor folder, nor hidden, in storage order."""
        return self._listing[2]

    @cached_property
    def empty_folders(self) -> list[str]:
        """Folders without an image in them or below, sorted."""
        full = {"/".join(name.split("/")[:depth]) for name in self.names for depth in range(1, name.count("/") + 1)}
        return sorted(set(self._listing[1]) - full)

    @cached_property
    def _listing(self) -> tuple[list[str], list[str], list[str]]:
        """Names of images, of folders, and of other files, in storage order."""
        names: list[str] = []
        folders: list[str] = []
        others: list[str] = []
        for entry in self._entries():
            if is_hidden(entry):
                continue
            if entry.endswith("/"):
                folders.append(entry[:-1])
            else:
                (names if is_image(entry) else others).append(entry)
        return names, folders, others

    @property
    def address(self) -> str:
        """Text from which `reopen_images` opens the same images in another process."""
        return json.dumps([str(self.source.resolve()), self.id_parts])

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Copy and pickle as an address, which is opened anew."""
        return reopen_images, (self.address,)

    @abstractmethod
    def _entries(self) -> Iterator[str]:
        """Names of all files and, with a slash at the end, of folders, in storage order."""

    @abstractmethod
    def _spot(self, member: str) -> tuple[int, ...]:
        """Where the image of this name lies inside the source."""

    @abstractmethod
    def _bytes(self, place: ImageLocation) -> bytes:
        """Encoded bytes of one image."""

    @abstractmethod
    def sha256(self) -> str:
        """Hash of what the source holds, quick to take."""

    def state(self) -> str:
        """Hash of what the source holds, in which order, and under which ids; of this copy on this machine.

        For what is computed from the images and kept: where `sha256` cannot see that a file was changed in place, its
        size being the same, the times of the file are looked at too.
        """
        return sha256_text(self.sha256(), str(self.id_parts), *self.names, *self._times())

    def _times(self) -> Iterator[str]:
        """When each file of the source was changed last, unless the hash holds checksums of the contents."""
        return iter(())

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
        return self.read_at(self.location_of(object_id))

    def location_of(self, object_id: str) -> ImageLocation:
        """Return where the image of an object lies, so that `read_at` finds it in another process, too.

        Raises:
            DataError: there is no image of that object.

        """
        member = self.members.get(object_id)
        if member is None:
            message = f"{self.source} has no image of object {object_id}."
            raise DataError(message)
        return ImageLocation(member, self._spot(member))

    def read_at(self, place: ImageLocation) -> bytes:
        """Return the encoded bytes of the image at a place; no other image is listed for it.

        Raises:
            DataError: it cannot be read.

        """
        try:
            return self._bytes(place)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as fault:
            message = f"{self.source}: {place.member} cannot be read: {fault}"
            raise DataError(message) from fault

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return one image as grey levels, uint8 of shape (height, width), as bright or dark as the source is.

        Transparency, colours and 16 bits are treated by the rule of the module `decoding`.

        Raises:
            DataError: there is no image of that object, or its bytes are no image.

        """
        content = self.read_bytes(object_id)
        image = grey_levels(content)
        if image is None:
            message = f"{self.source}: {self.members[object_id]} is no readable image ({len(content):,} bytes)."
            raise DataError(message)
        return image

    def in_storage_order(self, object_ids: Iterable[str]) -> list[str]:
        """Sort ids as their images lie in the source, which is the quick order to read them in."""
        wanted = set(object_ids)
        return [object_id for object_id in self.members if object_id in wanted]


class ZipImages(ImageStore):
    """Images inside a zip file."""

    @cached_property
    def _directory(self) -> ZipDirectory:
        try:
            return read_directory(self.source)
        except (OSError, zipfile.BadZipFile) as fault:
            message = f"{self.source} is no readable zip file: {fault}"
            raise DataError(message) from fault

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self._entries())}

    def _entries(self) -> Iterator[str]:
        """Names with slashes; some programs on Windows write backslashes."""
        return (name.replace("\\", "/") for name in self._directory.names)

    def _spot(self, member: str) -> tuple[int, ...]:
        return self._directory.spot(self._positions[member])

    def _bytes(self, place: ImageLocation) -> bytes:
        with self.source.open("rb") as file:
            return read_member(file, Spot(*place.spot))

    def sha256(self) -> str:
        """Hash of member names, sizes and CRC-32, all from the central directory."""
        spots = (self._directory.spot(position) for position in range(len(self._directory.names)))
        rows = [f"{name}|{spot.size}|{spot.crc}" for name, spot in zip(self._directory.names, spots, strict=True)]
        return sha256_text(*sorted(rows))


class TarImages(ImageStore):
    """Images inside a tar file that is not compressed; its headers are read once, then each image where it lies."""

    @cached_property
    def _index(self) -> list[tuple[str, int, int, int]]:
        """Name, offset of the bytes, size and header checksum of every file and folder, in storage order."""
        try:
            with tarfile.open(self.source, "r:") as archive:
                return list(_headers(archive))
        except (OSError, tarfile.TarError) as fault:
            message = f"{self.source} is no readable tar file: {fault}"
            raise DataError(message) from fault

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        return {name: (offset, size) for name, offset, size, _ in self._index}

    def _entries(self) -> Iterator[str]:
        return (name for name, *_ in self._index)

    def _spot(self, member: str) -> tuple[int, ...]:
        return self._places[member]

    def _bytes(self, place: ImageLocation) -> bytes:
        offset, size = place.spot
        with self.source.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) < size:
            message = f"the file ends after {len(content):,} of its {size:,} bytes"
            raise EOFError(message)
        return content

    def sha256(self) -> str:
        """Hash of member names, sizes and header checksums (which cover the times); tar keeps none of the contents."""
        return sha256_text(*sorted(f"{name}|{size}|{checksum}" for name, _, size, checksum in self._index))

    def _times(self) -> Iterator[str]:
        yield changed_at(str(self.source))


def _headers(archive: tarfile.TarFile) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, offset, size and header checksum of files and folders; links and devices are passed over."""
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # it keeps every header that it has read: a gigabyte
        name = info.name.removeprefix("./")
        if info.isreg():
            yield name, info.offset_data, info.size, info.chksum
        elif info.isdir() and name != ".":
            yield f"{name}/", info.offset_data, 0, info.chksum


class FolderImages(ImageStore):
    """Images in a folder and its sub-folders, links to folders included."""

    def _entries(self) -> Iterator[str]:
        return walk(self.source)

    def _spot(self, member: str) -> tuple[int, ...]:  # noqa: ARG002 - a file is found by its name
        return ()

    def _bytes(self, place: ImageLocation) -> bytes:
        return (self.source / place.member).read_bytes()

    def sha256(self) -> str:
        """Hash of names and sizes; the contents of hundreds of thousands of files are not read for it."""
        return sha256_text(*(f"{name}|{file_size(f'{self.source}/{name}')}" for name in sorted(self.names)))

    def _times(self) -> Iterator[str]:
        return (changed_at(f"{self.source}/{name}") for name in self.names)


def open_images(source: Path, *, id_parts: int = 1) -> ImageStore:
    """Return the images of a folder, a zip file or a tar file.

    Raises:
        DataError: the source is an archive from which single images cannot be read.

    """
    if source.is_dir():
        return FolderImages(source, id_parts=id_parts)
    if source.name.lower().endswith(SEALED_SUFFIXES):
        message = (
            f"{source} is an archive from which single images cannot be read; expected a folder, .zip or .tar. "
            "Unpack it and give the folder."
        )
        raise DataError(message)
    return (TarImages if source.suffix.lower() == ".tar" else ZipImages)(source, id_parts=id_parts)


def images_beside(folder: Path) -> ImageStore | None:
    """Return the images that lie beside the tables of a data set: `imgs/`, `imgs.zip` or `imgs.tar`, else None.

    Raises:
        DataError: more than one is there, and nothing says which is meant.

    """
    archives = [path for path in (folder / f"{IMAGES}{suffix}" for suffix in ARCHIVE_SUFFIXES) if path.is_file()]
    found = archives + ([folder / IMAGES] if (folder / IMAGES).is_dir() else [])
    if len(found) > 1:
        names = " and ".join(f"{path.name}/" if path.is_dir() else path.name for path in found)
        message = f"{folder} has both {names}; expected one of them. Move the other away."
        raise DataError(message)
    return open_images(found[0]) if found else None


def reopen_images(address: str) -> ImageStore:
    """Return the images that an `ImageStore.address` names."""
    source, id_parts = json.loads(address)
    return open_images(Path(source), id_parts=id_parts)
