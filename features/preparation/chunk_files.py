"""Chunk files: results of a long computation over images, one file per chunk, so that it can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.files.atomic_writes import write_whole
from ...data_manifests.files.processes import in_order
from ...data_manifests.images.opened import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 500  # images


@dataclass(frozen=True)
class ChunkResult:
    """What was computed of the images of a chunk.

    Attributes:
        values: float64 of shape (n_images, n_values); a row of NaN for an image with a fault.
        faults: what is wrong, by position in the chunk.

    """

    values: NDArray[np.float64]
    faults: dict[int, str]


@dataclass(frozen=True)
class ChunkFiles:
    """The chunks of a computation over images.

    Attributes:
        folder: of the finished chunks.
        count: number of all images.

    """

    folder: Path
    count: int

    @property
    def chunks(self) -> list[range]:
        """Positions of the images of each chunk, in order."""
        return [range(start, min(start + CHUNK, self.count)) for start in range(0, self.count, CHUNK)]

    def _path(self, chunk: range) -> Path:
        return self.folder / f"{chunk.start}-{chunk.stop}.npz"

    def missing(self) -> list[range]:
        """Return the chunks that are not finished, in order."""
        return [chunk for chunk in self.chunks if not self._path(chunk).is_file()]

    def complete(
        self,
        task_of: Callable[[range], Callable[[], ChunkResult]],
        jobs: int,
        advance: Callable[[int], object],
        *,
        before_store: Callable[[], object] = lambda: None,
    ) -> None:
        """Compute the chunks that are not finished, in several processes, and keep each as soon as it is.

        Args:
            task_of: returns the task of a chunk, which can be pickled; it is asked shortly before the task starts.
            jobs: processes; nothing depends on it.
            advance: called with the number of images of each finished chunk.
            before_store: called before a chunk is kept, such as to flush what its task has written.

        Raises:
            OSError: the folder cannot be written.

        """
        missing = self.missing()
        results = in_order(map(task_of, missing), min(jobs, max(1, len(missing))))
        for chunk, result in zip(missing, results, strict=True):
            before_store()
            self.store(chunk, result)
            advance(len(chunk))
        opened.cache_clear()

    def store(self, chunk: range, result: ChunkResult) -> None:
        """Keep a finished chunk, whole or not at all."""
        rows, texts = list(result.faults), list(result.faults.values())
        content = {
            "values": result.values,
            "rows": np.array(rows, np.int64),
            "texts": np.array(texts, np.str_),
        }
        write_whole(self._path(chunk), lambda part: np.savez(part, allow_pickle=False, **content))

    def load(self, chunk: range) -> ChunkResult:
        """Return a finished chunk."""
        with np.load(self._path(chunk), allow_pickle=False) as content:
            faults = dict(zip(content["rows"].tolist(), content["texts"].tolist(), strict=True))
            return ChunkResult(content["values"], faults)
