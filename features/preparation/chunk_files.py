"""Finished chunks of a table that is being made: each a file of its own, so that a kill loses only the last ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.files.atomic_writes import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CHUNK = 500  # images


@dataclass(frozen=True)
class Parts:
    """The chunks of a table.

    Attributes:
        folder: where finished chunks lie.
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

    def store(self, chunk: range, measured: MeasuredChunk) -> None:
        """Keep a finished chunk, whole or not at all."""
        rows, texts = list(measured.faults), list(measured.faults.values())
        content = {
            "features": measured.features,
            "rows": np.array(rows, np.int64),
            "texts": np.array(texts, np.str_),
        }
        write_whole(self._path(chunk), lambda part: np.savez(part, allow_pickle=False, **content))

    def load(self, chunk: range) -> MeasuredChunk:
        """Return a finished chunk."""
        with np.load(self._path(chunk), allow_pickle=False) as content:
            faults = dict(zip(content["rows"].tolist(), content["texts"].tolist(), strict=True))
            return MeasuredChunk(content["features"], faults)


@dataclass(frozen=True)
class MeasuredChunk:
    """What was measured of some images.

    Attributes:
        features: float64 of shape (n_images, n_features), columns as in the catalogue; a row of NaN for a fault.
        faults: what is wrong, by position.

    """

    features: NDArray[np.float64]
    faults: dict[int, str]
