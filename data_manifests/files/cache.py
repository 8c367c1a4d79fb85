"""Cache folder for downloads and prepared data, outside any source tree."""

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
    """Create a cache folder and acquire a lock; write errors are converted to `DataError`.

    Raises:
        DataError: the folder cannot be written.

    """
    with write_errors(folder, "Set XDG_CACHE_HOME to a folder with enough free space."):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            yield


def cache_folder() -> Path:
    """Return the cache folder of the current user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("planktonbench"))
