"""The cache folder for downloads and prepared data, outside of any source tree."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from .atomic_writes import write_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cache_locked(folder: Path, lock: Path) -> Iterator[None]:
    """Make a folder of the cache, hold a lock, and turn the system's refusal to write there into a message.

    Raises:
        DataError: the folder cannot be written.

    """
    with write_errors(folder, "Set XDG_CACHE_HOME to a folder with room."):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            yield


def cache_folder() -> Path:
    """Return the folder for downloads and prepared data, outside of any source tree."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("planktonbench"))
