"""Embeddings of all images of a source, computed once, cached and memory-mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.files.atomic_writes import flush
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ...features.network_images.store import StoredNetworkImages
    from .embedder import Embedder

ROWS_AT_ONCE = 2048
BYTES = 4  # of a float32


def stored_embeddings(
    embedder: Embedder, images: StoredNetworkImages, *, advance: Callable[[int], object] = lambda _: None
) -> NDArray[np.float32]:
    """Embed all images of a source, or return the cached embeddings.

    The cache key depends on the images, their form, and the network. An interrupted call is resumed by the next; of two
    simultaneous calls, one waits for the other.

    Args:
        embedder: the network.
        images: network images of the form that the network takes.
        advance: called with the number of further images embedded; first with the number of an earlier call.

    Returns:
        Memory map, read-only, float32 of shape (n_images, n_dimensions), in the order of `images.object_ids`.

    Raises:
        DataError: the cache cannot be written.

    """
    folder = cache_folder() / "embeddings"
    path = folder / f"{sha256_text(embedder.key, images.folder.name)[:32]}.f32"
    with cache_locked(folder, path.with_suffix(".lock")):
        if path.is_file():
            advance(len(images))
        else:
            _embed_all(path, embedder, images, advance)
    return np.memmap(path, np.float32, "r").reshape(-1, embedder.dimensions)


def _embed_all(path: Path, embedder: Embedder, images: StoredNetworkImages, advance: Callable[[int], object]) -> None:
    """Append the missing rows to an unfinished file, and rename it once it is complete.

    The file is written rather than memory-mapped, so that a full disk raises an error instead of crashing the process.
    """
    unfinished, row = path.with_suffix(".part"), BYTES * embedder.dimensions
    with unfinished.open("ab") as file:
        done = file.tell() // row
        file.truncate(done * row)
        advance(done)
        for first in range(done, len(images), ROWS_AT_ONCE):
            chosen = images.object_ids[first : first + ROWS_AT_ONCE]
            file.write(embedder.embed(images, chosen).tobytes())
            file.flush()
            advance(len(chosen))
    flush(unfinished)
    unfinished.rename(path)
