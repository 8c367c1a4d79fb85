"""The mark of a simulated data set: a file beside its tables, so that nobody takes it for photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARKER = "simulation.json"


def is_simulated(folder: Path) -> bool:
    """Tell whether the files of a folder were made by a simulator."""
    return (folder / MARKER).is_file()
