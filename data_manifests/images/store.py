"""Images read from a folder, a zip file or a tar file without unpacking, individually or in storage order.

Hidden files (a leading dot, `__MACOSX`) and files without an image suffix are ignored. Compressed tar files are
rejected, because reading an image would require unpacking everything before it.
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
from ..files.listing import ARCHIVE_SUFFIXES, SOLID_SUFFIXES, changed_at, file_size, is_hidden, is_image, walk
from ..files.tables import canonical_text
from ..seeds import sha256_text
from .decoding import grey_levels
from .zip_directory import ZipDirectory, ZipEntry, read_directory, read_member

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

IMAGES = "imgs"  # name of the folder or archive of images next to the tables
WHOLE_PATH = 0  # value of `id_parts`


class ImageLocation(NamedTuple):
    """Location of an image: its name inside the source and, for an archive, the numbers needed to read it."""

    member: str
    entry: tuple[int, ...] = ()


class ImageStore(ABC):
    """Images by object_id, in storage order.

    Attributes:
        source: the zip file, tar file or folder.
        id_parts: number of trailing path components, without suffix, that form the id: 1 is the file name, 2 is
            `<folder>/<name>`, `WHOLE_PATH` is the whole path.
        members: name of each image inside the source by object_id, in storage order.

    """

    def __init__(self, source: Path, *, id_parts: int = 1) -> None:
        """Store the source; it is opened on first access."""
        self.source = source
        self.id_parts = id_parts

    @cached_property
    def members(self) -> dict[str, str]:
        """Name inside the source by object_id, in storage order.

        Raises:
            DataError: if two images have the same id.

        """
        ids = self.ids(self.id_parts)
        duplicates = ids[ids.duplicated()]
        if len(duplicates):
            message = f"{self.source}: two images have the same id: {listed(duplicates.unique())}. Keep one of each."
            raise DataError(message)
        return dict(zip(ids, self.names, strict=True))

    def ids(self, parts: int) -> pd.Series:
        """Return the ids formed from the last `parts` components of each path, as canonical text in storage order."""
        import pandas as pd

        stems = [name[: name.rindex(".")] for name in self.names]
        if parts != WHOLE_PATH:
            stems = ["/".join(stem.split("/")[-parts:]) for stem in stems]
        return canonical_text(pd.Series(stems, dtype="str"))

    def choose_ids(self) -> list[str]:
        """Set `id_parts` to the smallest number of path components that gives unique ids: 1, 2 or all.

        Returns:
            The file names that occur more than once; empty if file names are unique.

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
        """Names of other files that are not hidden, in storage order."""
        return self._listing[2]

    @cached_property
    def empty_folders(self) -> list[str]:
        """Folders without an image in them or in their sub-folders, sorted."""
        filled = {"/".join(name.split("/")[:depth]) for name in self.names for depth in range(1, name.count("/") + 1)}
        return sorted(set(self._listing[1]) - filled)

    @cached_property
    def _listing(self) -> tuple[list[str], list[str], list[str]]:
        """Names of images, of folders, and of other files, in storage order."""
        names: list[str] = []
        folders: list[str] = []
        others: list[str] = []
        for entry in self._member_names():
            if is_hidden(entry):
                continue
            if entry.endswith("/"):
                folders.append(entry[:-1])
            else:
                (names if is_image(entry) else others).append(entry)
        return names, folders, others

    @property
    def address(self) -> str:
        """Text that `reopen_images` uses to open the same images in another process."""
        return json.dumps([str(self.source.resolve()), self.id_parts])

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Copy and pickle the store as its address, from which it is opened again."""
        return reopen_images, (self.address,)

    @abstractmethod
    def _member_names(self) -> Iterator[str]:
        """Yield the names of all files and folders in storage order; folders end with a slash."""

    @abstractmethod
    def _entry(self, member: str) -> tuple[int, ...]:
        """Return the numbers needed to read the image of this name from an archive."""

    @abstractmethod
    def _bytes(self, location: ImageLocation) -> bytes:
        """Return the encoded bytes of one image."""

    @abstractmethod
    def sha256(self) -> str:
        """Return a hash of the contents that is fast to compute."""

    def state(self) -> str:
        """Return a hash of contents, order and ids, specific to this copy on this machine.

        It is meant for caches of values computed from the images. Where `sha256` cannot detect a file that was changed
        in place without a change of size, modification times are included.
        """
        return sha256_text(self.sha256(), str(self.id_parts), *self.names, *self._times())

    def _times(self) -> Iterator[str]:
        """Yield the time of the last change of each file, unless `sha256` includes checksums of the contents."""
        return iter(())

    def __contains__(self, object_id: object) -> bool:
        """Return whether the object has an image."""
        return object_id in self.members

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.members)

    def read_bytes(self, object_id: str) -> bytes:
        """Return the encoded bytes of one image.

        Raises:
            DataError: if the object has no image, or it cannot be read.

        """
        return self.read_at(self.location_of(object_id))

    def location_of(self, object_id: str) -> ImageLocation:
        """Return the location of an image, which `read_at` can also use in another process.

        Raises:
            DataError: if the object has no image.

        """
        member = self.members.get(object_id)
        if member is None:
            message = f"{self.source} has no image of object {object_id}."
            raise DataError(message)
        return ImageLocation(member, self._entry(member))

    def read_at(self, location: ImageLocation) -> bytes:
        """Return the encoded bytes of the image at a location, without listing the images.

        Raises:
            DataError: if it cannot be read.

        """
        try:
            return self._bytes(location)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError) as error:
            message = f"{self.source}: {location.member} cannot be read: {error}"
            raise DataError(message) from error

    def read(self, object_id: str) -> NDArray[np.uint8]:
        """Return one image as grey levels, uint8 of shape (height, width), with brightness as in the source.

        Transparency, colours and 16 bits are converted by the rules of the module `decoding`.

        Raises:
            DataError: if the object has no image, or it cannot be read or decoded.

        """
        content = self.read_bytes(object_id)
        image = grey_levels(content)
        if image is None:
            message = f"{self.source}: {self.members[object_id]} is not a readable image ({len(content):,} bytes)."
            raise DataError(message)
        return image

    def in_storage_order(self, object_ids: Iterable[str]) -> list[str]:
        """Sort ids in storage order, which is the fastest order to read images; ids without an image are dropped."""
        wanted = set(object_ids)
        return [object_id for object_id in self.members if object_id in wanted]


class ZipImages(ImageStore):
    """Images inside a zip file."""

    @cached_property
    def _directory(self) -> ZipDirectory:
        try:
            return read_directory(self.source)
        except (OSError, zipfile.BadZipFile) as error:
            message = f"{self.source} is not a readable zip file ({error}); expected a folder, zip or tar file."
            raise DataError(message) from error

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self._member_names())}

    def _member_names(self) -> Iterator[str]:
        """Yield names with slashes; some Windows programs write backslashes."""
        return (name.replace("\\", "/") for name in self._directory.names)

    def _entry(self, member: str) -> tuple[int, ...]:
        return self._directory.entry(self._positions[member])

    def _bytes(self, location: ImageLocation) -> bytes:
        with self.source.open("rb") as file:
            return read_member(file, ZipEntry(*location.entry))

    def sha256(self) -> str:
        """Return a hash of member names, sizes and CRC-32, all from the central directory."""
        entries = (self._directory.entry(position) for position in range(len(self._directory.names)))
        rows = [f"{name}|{entry.size}|{entry.crc}" for name, entry in zip(self._directory.names, entries, strict=True)]
        return sha256_text(*sorted(rows))


class TarImages(ImageStore):
    """Images inside an uncompressed tar file; headers are read once, and images are read by their offsets."""

    @cached_property
    def _index(self) -> list[tuple[str, int, int, int]]:
        """Name, data offset, size and header checksum of all files and folders, in storage order."""
        try:
            with tarfile.open(self.source, "r:") as archive:
                return list(_headers(archive))
        except (OSError, tarfile.TarError) as error:
            message = f"{self.source} is not a readable tar file: {error}"
            raise DataError(message) from error

    @cached_property
    def _extents(self) -> dict[str, tuple[int, int]]:
        return {name: (offset, size) for name, offset, size, _ in self._index}

    def _member_names(self) -> Iterator[str]:
        return (name for name, *_ in self._index)

    def _entry(self, member: str) -> tuple[int, ...]:
        return self._extents[member]

    def _bytes(self, location: ImageLocation) -> bytes:
        offset, size = location.entry
        with self.source.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) < size:
            message = f"the file ends after {len(content):,} of its {size:,} bytes"
            raise EOFError(message)
        return content

    def sha256(self) -> str:
        """Return a hash of names, sizes and header checksums, which cover the times; tar has none of the contents."""
        return sha256_text(*sorted(f"{name}|{size}|{checksum}" for name, _, size, checksum in self._index))

    def _times(self) -> Iterator[str]:
        yield changed_at(str(self.source))


def _headers(archive: tarfile.TarFile) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, data offset, size and header checksum of files and folders; links and devices are skipped."""
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # would otherwise store every header, up to 1 GB
        name = info.name.removeprefix("./")
        if info.isreg():
            yield name, info.offset_data, info.size, info.chksum
        elif info.isdir() and name != ".":
            yield f"{name}/", info.offset_data, 0, info.chksum


class FolderImages(ImageStore):
    """Images in a folder and its sub-folders, links to folders included."""

    def _member_names(self) -> Iterator[str]:
        return walk(self.source)

    def _entry(self, member: str) -> tuple[int, ...]:  # noqa: ARG002 - files are read by name
        return ()

    def _bytes(self, location: ImageLocation) -> bytes:
        return (self.source / location.member).read_bytes()

    def sha256(self) -> str:
        """Return a hash of names and sizes; reading the contents of hundreds of thousands of files would be slow."""
        return sha256_text(*(f"{name}|{file_size(f'{self.source}/{name}')}" for name in sorted(self.names)))

    def _times(self) -> Iterator[str]:
        return (changed_at(f"{self.source}/{name}") for name in self.names)


def open_images(source: Path, *, id_parts: int = 1) -> ImageStore:
    """Return the images of a folder, a zip file or a tar file.

    Raises:
        DataError: if the source is an archive from which single images cannot be read.

    """
    if source.is_dir():
        return FolderImages(source, id_parts=id_parts)
    if source.name.lower().endswith(SOLID_SUFFIXES):
        message = (
            f"{source} is an archive from which single images cannot be read; expected a folder, .zip or .tar. "
            "Unpack it and pass the folder."
        )
        raise DataError(message)
    return (TarImages if source.suffix.lower() == ".tar" else ZipImages)(source, id_parts=id_parts)


def images_beside(folder: Path) -> ImageStore | None:
    """Return the images next to the tables of a data set: `imgs/`, `imgs.zip` or `imgs.tar`; None if there are none.

    Raises:
        DataError: if more than one of them exists.

    """
    archives = [path for path in (folder / f"{IMAGES}{suffix}" for suffix in ARCHIVE_SUFFIXES) if path.is_file()]
    found = archives + ([folder / IMAGES] if (folder / IMAGES).is_dir() else [])
    if len(found) > 1:
        names = " and ".join(f"{path.name}/" if path.is_dir() else path.name for path in found)
        message = f"{folder} has {names}; expected one of them. Move the others away."
        raise DataError(message)
    return open_images(found[0]) if found else None


def source_of(address: str) -> Path:
    """Return the zip file, tar file or folder of an `ImageStore.address`."""
    return Path(json.loads(address)[0])


def reopen_images(address: str) -> ImageStore:
    """Return the images at an `ImageStore.address`."""
    source, id_parts = json.loads(address)
    return open_images(Path(source), id_parts=id_parts)
