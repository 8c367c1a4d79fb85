"""The cache folder for downloads and prepared data, outside of any source tree."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cache_locked(folder: Path, lock: Path) -> Iterator[None]:
    """Make a folder of the cache, hold a lock, and turn the system's refusal to write there into a message.

    Raises:
        DataError: the folder cannot be written.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            yield
    except OSError as fault:
        message = f"{folder} cannot be written: {fault}. Set XDG_CACHE_HOME to a folder with room."
        raise DataError(message) from fault


def cache_folder() -> Path:
    """Return the folder for downloads and prepared data, outside of any source tree."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("planktonbench"))
