"""Reader of the challenge layout: `meta.csv`, `features_native.csv`, and `imgs/`, `imgs.zip` or `imgs.tar`.

This is the layout of the FlowCam challenge described in "Plankton Recognition" (M. Bouzaien).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cleaning.raw_tables import RawTables
from ..errors import DataError
from ..files.tables import SPELLINGS, read_table
from ..images.store import images_beside
from .reader import IMAGE_SOURCES, Reader

if TYPE_CHECKING:
    from pathlib import Path

META = "meta.csv"
NATIVE = "features_native.csv"


def recognise(folder: Path) -> bool:
    """Return whether a folder has at least one of the two tables; `read` reports a missing `meta.csv`."""
    return (folder / META).is_file() or (folder / NATIVE).is_file()


def files(folder: Path) -> list[Path]:
    """Return the existing tables of this layout. Apart from images, no other files are read."""
    return [path for path in (folder / META, folder / NATIVE) if path.exists()]


def read(folder: Path) -> RawTables:
    """Read the tables and locate the images.

    Raises:
        DataError: if `meta.csv` is missing or a table is unreadable.

    """
    meta, native = folder / META, folder / NATIVE
    ids = SPELLINGS["object_id"]
    return RawTables(
        objects=read_table(meta, DataError),
        objects_path=meta,
        native=read_table(native, DataError, text=ids) if native.exists() else None,
        native_path=native if native.exists() else None,
        images=images_beside(folder),
    )


READER = Reader(
    name="challenge",
    expected=f"{META} and {NATIVE} ({IMAGE_SOURCES})",
    recognise=recognise,
    files=files,
    read=read,
)
