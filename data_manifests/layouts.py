"""The layouts that can be read, and how a folder's is recognised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import challenge
from .errors import DataError, listed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .raw import RawTables


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


READERS = {"challenge": Reader(challenge.recognise, challenge.files, challenge.read)}
EXPECTED = {"challenge": f"{challenge.META} and {challenge.NATIVE} ({challenge.ARCHIVE} or {challenge.FOLDER}/ beside)"}


def recognise(folder: Path) -> str:
    """Return the name of a folder's layout.

    Raises:
        DataError: there is no such folder, or it has no layout that is known.

    """
    if not folder.is_dir():
        message = f"{folder} is not a folder; expected the folder of a data set."
        raise DataError(message)
    for name, reader in READERS.items():
        if reader.recognise(folder):
            return name
    found = listed(sorted(path.name for path in folder.iterdir()), 8) or "nothing"
    expected = "; ".join(f"{name}: {text}" for name, text in EXPECTED.items())
    message = f"{folder} has no layout that can be read. Expected {expected}. Found: {found}."
    raise DataError(message)
