"""The making of a store of stacks, in a folder of its own that gets its name when all is there.

Chunks that are done are marked, so that a kill loses only the last ones.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.atomic_writes import flush, write_whole
from ...data_manifests.images.opened import Opening
from ..preparation.chunk_files import ChunkFiles, ChunkResult
from .chunk import SIZES, prepare_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from .form import ImageForm, Source

GREY, OBJECTS, MARKS = "grey.u8", "objects.parquet", "parts"
OBJECT_ID = "object_id"
DESCRIPTION = b"planktonbench"  # key in the metadata of the parquet file
BESIDE = 200  # bytes of an image beside its pixels: its id, its sizes, its mark
MEGABYTE = 10**6


@dataclass(frozen=True)
class Building:
    """A store that is being made.

    Attributes:
        finished: folder that the store will be.
        images: the images.
        form: what is asked for.
        source: how the images were taken.

    """

    finished: Path
    images: ImageStore
    form: ImageForm
    source: Source

    @property
    def folder(self) -> Path:
        """Folder in which it is made."""
        return self.finished.with_suffix(".part")

    @property
    def file(self) -> Path:
        """First channels, one behind the other."""
        return self.folder / GREY

    @property
    def objects(self) -> Path:
        """Whose they are; written when all are there."""
        return self.folder / OBJECTS

    @property
    def marks(self) -> ChunkFiles:
        """Finished chunks: sizes, and faults."""
        return ChunkFiles(self.folder / MARKS, len(self.images))

    def build(self, jobs: int, advance: Callable[[int], object], log: Callable[[str], object]) -> None:
        """Make what is missing, and give the store its name.

        Args:
            jobs: processes.
            advance: told how many more images are prepared.
            log: told what room is needed on the disk.

        Raises:
            DataError: the disk has no room, or no image can be read.
            OSError: the folder cannot be written.

        """
        self.folder.mkdir(exist_ok=True)
        missing = [] if self.objects.is_file() else self.marks.missing()
        left = sum(map(len, missing))
        advance(len(self.images) - left)
        if missing:
            self._check_room(left, log)
            self.file.touch()
            self._prepare(jobs, advance)
        if not self.objects.is_file():
            self._describe()
        shutil.rmtree(self.folder / MARKS, ignore_errors=True)
        self.folder.rename(self.finished)
        flush(self.finished.parent)

    def _check_room(self, left: int, log: Callable[[str], object]) -> None:
        """Tell what room so many images need, and refuse to begin what could not be ended."""
        needed = left * (self.form.side**2 + BESIDE) / MEGABYTE
        free = shutil.disk_usage(self.folder).free / MEGABYTE
        what = f"{left:,} images at {self.form.side} px need {needed:,.2f} MB in {self.folder.parent}"
        if needed > free:
            message = (
                f"{what}, where {free:,.2f} MB are free. Make room, set XDG_CACHE_HOME to a folder with more, or "
                "choose a smaller side."
            )
            raise DataError(message)
        log(f"{what} ({free:,.0f} MB are free)")

    def _prepare(self, jobs: int, advance: Callable[[int], object]) -> None:
        """Prepare the chunks that are not finished, and mark each as soon as it is on the disk."""
        prepare = partial(prepare_chunk, Opening.of(self.images), form=self.form, source=self.source, file=self.file)
        object_ids = list(self.images.members)

        def task_of(chunk: range) -> Callable[[], ChunkResult]:
            """Return what prepares a chunk."""
            places = [self.images.location_of(object_ids[position]) for position in chunk]
            return partial(prepare, places, first=chunk.start)

        self.marks.complete(task_of, jobs, advance, before_store=lambda: flush(self.file))

    def _describe(self) -> None:
        """Let no place be without an image, and write whose they are."""
        chunks = self.marks.chunks
        loaded = [self.marks.load(chunk) for chunk in chunks]
        pairs = list(zip(chunks, loaded, strict=True))
        faults = {chunk[row]: fault for chunk, part in pairs for row, fault in part.faults.items()}
        order = self._order(faults)
        self._fill_gaps(order)
        sizes = np.concatenate([part.values for part in loaded])[order]
        write_whole(self.objects, partial(self._write_objects, order=order, sizes=sizes, faults=faults))

    def _order(self, faults: Mapping[int, str]) -> NDArray[np.int64]:
        """Let the last images take the places of those that cannot be read.

        Returns:
            The position at which each was written, int64 of shape (n_objects,).

        """
        count = len(self.images)
        whole = np.setdiff1d(np.arange(count), np.fromiter(faults, np.int64, len(faults)))
        if not len(whole):
            message = (
                f"{self.images.source}: none of {count:,} images can be read: {listed(self.images.members)}. Expected "
                "images that can be opened; get the files again."
            )
            raise DataError(message)
        order = np.arange(len(whole))
        order[np.setdiff1d(order, whole)] = whole[whole >= len(whole)]
        return order

    def _fill_gaps(self, order: NDArray[np.int64]) -> None:
        """Copy those that take another place; done again after a kill, it is the same."""
        size = self.form.side**2
        with self.file.open("r+b") as file:
            for place in np.flatnonzero(order >= len(order)).tolist():
                file.seek(int(order[place]) * size)
                moved = file.read(size)
                file.seek(place * size)
                file.write(moved)
        flush(self.file)

    def _write_objects(
        self, path: Path, order: NDArray[np.int64], sizes: NDArray[np.float64], faults: Mapping[int, str]
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        members = list(self.images.members.items())
        description = {
            "form": asdict(self.form),
            "source": asdict(self.source),
            "faults": [(*members[position], fault) for position, fault in faults.items()],
        }
        columns = {OBJECT_ID: pa.array([members[position][0] for position in order], pa.string())}
        columns |= {name: pa.array(values, pa.float32()) for name, values in zip(SIZES, sizes.T, strict=True)}
        table = pa.table(columns).replace_schema_metadata({DESCRIPTION: json.dumps(description, ensure_ascii=False)})
        pq.write_table(table, path)
