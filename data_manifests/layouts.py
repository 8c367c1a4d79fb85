"""The layouts that can be read, and how a folder's is recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import challenge
from .errors import DataError, listed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Protocol

    from .images import ImageStore
    from .raw import RawTables

    class Reader(Protocol):
        """A module that reads one layout."""

        recognise: Callable[[Path], bool]
        files: Callable[[Path], list[Path]]
        images: Callable[[Path], ImageStore | None]
        read: Callable[[Path], RawTables]


READERS: dict[str, Reader] = {"challenge": challenge}
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
