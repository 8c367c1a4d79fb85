"""Files with the results of a long computation over images, one per chunk, so that it can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.images.opened import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.files.processes import RunTasks

CHUNK = 500  # images per chunk


@dataclass(frozen=True)
class ChunkResult:
    """Results for the images of a chunk.

    Attributes:
        values: float64 of shape (n_images, n_values); rows of images with a fault are NaN.
        faults: description of each fault, by position in the chunk.

    """

    values: NDArray[np.float64]
    faults: dict[int, str]


AnyResult = TypeVar("AnyResult", bound=ChunkResult)


@dataclass(frozen=True)
class ChunkFiles:
    """Chunks of a computation over images, with one file for each finished chunk.

    Attributes:
        folder: folder of the finished chunks.
        count: total number of images.

    """

    folder: Path
    count: int

    @property
    def chunks(self) -> list[range]:
        """Positions of the images in each chunk, in order."""
        return [range(start, min(start + CHUNK, self.count)) for start in range(0, self.count, CHUNK)]

    def _path(self, chunk: range) -> Path:
        return self.folder / f"{chunk.start}-{chunk.stop}.npz"

    def missing(self) -> list[range]:
        """Return the unfinished chunks, in order."""
        return [chunk for chunk in self.chunks if not self._path(chunk).is_file()]

    def complete(
        self,
        task_of: Callable[[range], Callable[[], AnyResult]],
        run_tasks: RunTasks,
        advance: Callable[[int], object],
        *,
        before_store: Callable[[range, AnyResult], object] = lambda _chunk, _result: None,
    ) -> None:
        """Compute the unfinished chunks in parallel, and store each as soon as it is finished.

        Args:
            task_of: returns the task of a chunk, which must be picklable; called shortly before the task starts.
            run_tasks: runs the tasks; it does not affect the results.
            advance: called with the number of images of each finished chunk.
            before_store: called with a chunk and its result before that is stored, for example to write the rest of it.

        Raises:
            OSError: the folder cannot be written.

        """
        missing = self.missing()
        if not missing:
            return
        for chunk, result in zip(missing, run_tasks(map(task_of, missing)), strict=True):
            before_store(chunk, result)
            self.store(chunk, result)
            advance(len(chunk))
        opened.cache_clear()

    def store(self, chunk: range, result: ChunkResult) -> None:
        """Store a finished chunk atomically."""
        rows, texts = list(result.faults), list(result.faults.values())
        content = {
            "values": result.values,
            "rows": np.array(rows, np.int64),
            "texts": np.array(texts, np.str_),
        }
        atomic_write(self._path(chunk), lambda temporary: np.savez(temporary, allow_pickle=False, **content))

    def load(self, chunk: range) -> ChunkResult:
        """Return a finished chunk."""
        with np.load(self._path(chunk), allow_pickle=False) as content:
            faults = dict(zip(content["rows"].tolist(), content["texts"].tolist(), strict=True))
            return ChunkResult(content["values"], faults)
