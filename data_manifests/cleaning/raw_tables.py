"""Raw tables that readers of all layouts return, with their paths."""

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
    """Files of a data set as read, before any cleaning rule is applied.

    Attributes:
        objects: the table of objects, with all cells as text.
        objects_path: its file, for messages; the folder or archive of images if the classes come from folder names.
        native: the native table as read, with ids as text and numbers as numbers, or None.
        native_path: its file, or None.
        images: the images, or None.
        notes: notes of the reader.

    """

    objects: pd.DataFrame
    objects_path: Path
    native: pd.DataFrame | None
    native_path: Path | None
    images: ImageStore | None
    notes: tuple[Note, ...] = ()
