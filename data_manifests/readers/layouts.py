"""Registry of readers, and recognition of the layout of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError, listed
from ..files.listing import is_archive, is_hidden
from . import challenge, class_folders, seanoe

if TYPE_CHECKING:
    from pathlib import Path


READERS = {reader.name: reader for reader in (seanoe.READER, challenge.READER, class_folders.READER)}
"""Readers by layout, in order of priority: `taxa.csv` is more specific than a native table, and tables than folders."""


class LocatedLayout(NamedTuple):
    """Name of a layout, and the folder or archive with this layout."""

    layout: str
    path: Path


def locate(path: Path) -> LocatedLayout:
    """Recognise the layout of a folder or archive; tables may also be in the only subfolder of a folder.

    Raises:
        DataError: if there is no such folder or archive, or its layout is not recognised.

    """
    if not path.is_dir() and not (path.is_file() and is_archive(path)):
        message = f"{path} is not a folder; expected the folder of a data set, or a zip or tar file of class folders."
        raise DataError(message)
    for name, reader in READERS.items():
        for candidate in [path, *(_only_folder(path) if reader.in_subfolder else [])]:
            if reader.recognise(candidate):
                return LocatedLayout(name, candidate)
    found = listed(sorted(entry.name for entry in path.iterdir()), 8) or "nothing"
    expected = "; ".join(f"{name}: {reader.expected}" for name, reader in READERS.items())
    message = f"{path} has no layout that can be read. Expected {expected}. Found: {found}."
    raise DataError(message)


def _only_folder(path: Path) -> list[Path]:
    """Return the only subfolder of a folder, as in unpacked archives; an empty list if there are several or none."""
    if not path.is_dir():
        return []
    folders = [entry for entry in path.iterdir() if entry.is_dir() and not is_hidden(entry.name)]
    return folders if len(folders) == 1 else []
