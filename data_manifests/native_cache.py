"""Prepared data: the clean native table in the cache, so that each worker reads it in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dataset import Dataset
from .files.atomic_writes import write_whole
from .files.cache import cache_folder, cache_locked
from .files.source_code import source_sha256
from .seeds import sha256_text

if TYPE_CHECKING:
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
