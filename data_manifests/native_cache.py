"""Prepared data: the clean native table in the cache, so that each worker reads it in a moment."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock

from .dataset import Dataset, cache_folder
from .errors import DataError
from .files.source_code import source_sha256
from .seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FORMAT = "1"


def prepared_native(dataset: Dataset) -> Path | None:
    """Return the parquet file of a data set's clean native table, written when it is not there; None without one.

    The file is named by the hash of the data, the manifest and the code that cleans, so that it is never out of date.

    Raises:
        DataError: the cache folder cannot be written.

    """
    if dataset.native is None:
        return None
    code = source_sha256(Dataset.__module__)
    key = sha256_text(FORMAT, dataset.data_sha256, dataset.manifest.sha256, code)
    path = cache_folder() / "prepared" / f"{dataset.name}-{key[:16]}.parquet"
    if not path.is_file():
        table = dataset.native.reset_index()
        with cache_locked(path.parent, path.parent.with_suffix(".lock")):
            write_whole(path, lambda part: table.to_parquet(part, index=False))
    return path


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


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all: beside, flushed to the disk, then renamed.

    What a writer that was killed left beside the file is written over, so two writers of one file need a lock.

    Args:
        path: the file; its folder is made.
        write: writes to the path that it is given.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{path.name}")
    try:
        write(part)
        flush(part)
        part.replace(path)
        flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Ask the system to put a file or folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
