"""What a reader of any layout hands to the cleaning: raw tables, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..images.store import ImageStore
    from ..notes import Note


@dataclass(frozen=True)
class RawTables:
    """The files of a data set as they are, before any rule is applied.

    Attributes:
        objects: one row per line of the table of objects, every cell as text.
        objects_path: its file, for messages; the folder or archive of the images when their folders are the table.
        native: the native table as read (id column as text, numbers as numbers), or None.
        native_path: its file, or None.
        images: the images, or None.
        notes: what the reader found and did.

    """

    objects: pd.DataFrame
    objects_path: Path
    native: pd.DataFrame | None
    native_path: Path | None
    images: ImageStore | None
    notes: tuple[Note, ...] = ()
