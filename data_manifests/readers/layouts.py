"""The layouts that can be read, and how a folder's is recognised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError, listed
from ..files.listing import is_archive, is_hidden
from ..images.store import IMAGES
from . import challenge, class_folders, seanoe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..cleaning.raw_tables import RawTables


@dataclass(frozen=True)
class Reader:
    """How one layout is read.

    Attributes:
        recognise: tells whether a folder has the layout.
        files: the tables that would be read.
        read: reads the tables and points at the images.

    """

    recognise: Callable[[Path], bool]
    files: Callable[[Path], list[Path]]
    read: Callable[[Path], RawTables]


READERS = {
    "seanoe": Reader(seanoe.recognise, seanoe.files, seanoe.read),
    "challenge": Reader(challenge.recognise, challenge.files, challenge.read),
    "class-folders": Reader(class_folders.recognise, class_folders.files, class_folders.read),
}
"""In the order in which they are tried: `taxa.csv` says more than a native table, and any table more than folders."""

BESIDE = f"{IMAGES}/, {IMAGES}.zip or {IMAGES}.tar beside"
EXPECTED = {
    "seanoe": f"{seanoe.TAXA} and {seanoe.NATIVE}, both also .gz ({BESIDE})",
    "challenge": f"{challenge.META} and {challenge.NATIVE} ({BESIDE})",
    "class-folders": "…/<class>/<image> with two classes or more, or one zip or tar file of them",
}


class LocatedLayout(NamedTuple):
    """A layout, and the folder or archive that has it."""

    layout: str
    path: Path


def locate(path: Path) -> LocatedLayout:
    """Return the layout of a folder or archive; a folder without one that holds a single folder is that folder.

    Raises:
        DataError: there is no such folder or archive, or it has no layout that is known.

    """
    if not path.is_dir() and not (path.is_file() and is_archive(path)):
        message = f"{path} is not a folder; expected the folder of a data set, or a zip or tar file of class folders."
        raise DataError(message)
    for name, reader in READERS.items():
        for place in [path] if name == "class-folders" else [path, *_only_folder(path)]:
            if reader.recognise(place):
                return LocatedLayout(name, place)
    found = listed(sorted(entry.name for entry in path.iterdir()), 8) or "nothing"
    expected = "; ".join(f"{name}: {text}" for name, text in EXPECTED.items())
    message = f"{path} has no layout that can be read. Expected {expected}. Found: {found}."
    raise DataError(message)


def _only_folder(path: Path) -> list[Path]:
    """Return the one folder that a folder holds, as archives leave it behind; nothing when there are more or none."""
    if not path.is_dir():
        return []
    folders = [entry for entry in path.iterdir() if entry.is_dir() and not is_hidden(entry.name)]
    return folders if len(folders) == 1 else []
