"""Cache of cleaned native tables, for fast loading in worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dataset import Dataset
from .files.atomic_writes import atomic_write
from .files.cache import cache_folder, cache_locked
from .files.source_code import source_sha256
from .seeds import sha256_text

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "1"


def prepared_native(dataset: Dataset) -> Path | None:
    """Return the cached parquet file of a data set's cleaned native table, after writing it if it is missing.

    The file name contains a hash of the data, the manifest and the cleaning code, so that it is never out of date.
    None if the data set has no native table.

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
            atomic_write(path, lambda target: table.to_parquet(target, index=False))
    return path
