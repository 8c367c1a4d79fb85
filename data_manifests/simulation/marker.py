"""Marker file that identifies a simulated data set, so that it is not mistaken for real images."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MARKER = "simulation.json"


def is_simulated(folder: Path) -> bool:
    """Return whether the files of a folder were made by the simulator."""
    return (folder / MARKER).is_file()
