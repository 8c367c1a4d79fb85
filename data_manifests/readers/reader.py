"""Reader: the functions that read one layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..images.store import IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..cleaning.raw_tables import RawTables

IMAGE_SOURCES = f"images in {IMAGES}/, {IMAGES}.zip or {IMAGES}.tar"


@dataclass(frozen=True)
class Reader:
    """Reader of one layout, defined in its module and listed in `layouts`.

    Attributes:
        name: name of the layout.
        expected: files of the layout, for the message about unknown ones.
        recognise: returns whether a path has the layout.
        files: returns the tables that `read` reads.
        read: reads the tables and locates the images.
        in_subfolder: whether the layout is also recognised in the only subfolder of a folder, as in unpacked archives.

    """

    name: str
    expected: str
    recognise: Callable[[Path], bool]
    files: Callable[[Path], list[Path]]
    read: Callable[[Path], RawTables]
    in_subfolder: bool = True
