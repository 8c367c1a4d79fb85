"""Simulated sample for users without data: generated on first use and kept in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filelock import FileLock

from ..files.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .native_table import NativeTable

SAMPLE_OBJECTS, SAMPLE_SEED = 4000, 0


def has_sample(name: str) -> bool:
    """Return whether a data set can be simulated."""
    from .simulate import SIMULATORS

    return name in SIMULATORS


def simulated_sample(name: str, table: NativeTable, advance: Callable[[int], object]) -> Path:
    """Return the folder of a data set's simulated sample; generate it if it is missing.

    A single process is used, since worker processes would run an unguarded script of the caller again.

    Args:
        name: name of the data set, such as `flowcam`.
        table: columns of the native table and the function that measures them.
        advance: called with the number of objects drawn since the last call.

    Raises:
        DataError: the cache folder cannot be written.

    """
    from .simulate import simulate

    folder = cache_folder() / "simulated" / f"{name}-{SAMPLE_OBJECTS}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        return simulate(name, folder, table, objects=SAMPLE_OBJECTS, seed=SAMPLE_SEED, advance=advance)
