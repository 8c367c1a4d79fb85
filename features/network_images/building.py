"""Building a store of network images in a temporary folder, which is renamed once complete.

Finished chunks are recorded, so that an interrupted build can be resumed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.blinding.opaque_ids import OpaqueIds
from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.atomic_writes import atomic_write, flush
from ...data_manifests.files.processes import in_processes
from ...data_manifests.images.opened import Opening
from ..preparation.chunk_files import ChunkFiles
from .chunk import prepare_chunk, write_chunk, write_rows
from .index import DESCRIPTION, GREY, OBJECT_ID, OBJECTS, SIZES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.files.processes import RunTasks
    from ...data_manifests.images.store import ImageLocation, ImageStore
    from .chunk import PreparedChunk
    from .form import ImageForm, Source

CHUNKS = "parts"
OVERHEAD = 200  # bytes of an image besides its pixels: id, sizes and its entry in a chunk file
MEGABYTE = 10**6


@dataclass(frozen=True)
class StoreBuilder:
    """Builder of a store.

    Attributes:
        finished: folder of the finished store.
        images: the images.
        form: form of the network images.
        source: how the images were taken.
        jobs: number of processes.
        run_tasks: runs the tasks of the chunks elsewhere; None runs them in `jobs` processes.

    """

    finished: Path
    images: ImageStore
    form: ImageForm
    source: Source
    jobs: int = 1
    run_tasks: RunTasks | None = None

    @property
    def folder(self) -> Path:
        """Temporary folder of the unfinished store."""
        return self.finished.with_suffix(".part")

    @property
    def file(self) -> Path:
        """File of the first channels, concatenated."""
        return self.folder / GREY

    @property
    def objects(self) -> Path:
        """Table of the objects, written once all images are prepared."""
        return self.folder / OBJECTS

    @cached_property
    def object_ids(self) -> list[str]:
        """Ids of all images in the order of their source."""
        return list(self.images.members)

    @cached_property
    def placed(self) -> NDArray[np.int64]:
        """Positions in the source of the images in the order of the file, int64 of shape (n_images,).

        It is that of opaque ids keyed by a hash of the images, which no track is given, so that the position of an
        image tells nothing about its class or its id.
        """
        opaque = OpaqueIds.keyed_by("network image", self.images.sha256())
        return np.argsort(opaque.of(self.object_ids)).astype(np.int64)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Position in the file of each image, in the order of the source, int64 of shape (n_images,)."""
        return np.argsort(self.placed)

    @property
    def chunk_files(self) -> ChunkFiles:
        """Finished chunks with their sizes and faults."""
        return ChunkFiles(self.folder / CHUNKS, len(self.images))

    def build(self, advance: Callable[[int], object], log: Callable[[str], object]) -> None:
        """Prepare the missing images and rename the folder to that of the finished store.

        Args:
            advance: called with the number of further images prepared.
            log: called with a message about the disk space needed.

        Raises:
            DataError: there is too little disk space, or no image can be read.
            OSError: the folder cannot be written.

        """
        self.folder.mkdir(exist_ok=True)
        missing = [] if self.objects.is_file() else self.chunk_files.missing()
        remaining = sum(map(len, missing))
        advance(len(self.images) - remaining)
        if missing:
            self._check_disk_space(remaining, log)
            self.file.touch()
            self._prepare(advance)
        if not self.objects.is_file():
            self._finish()
        shutil.rmtree(self.folder / CHUNKS, ignore_errors=True)
        self.folder.rename(self.finished)
        flush(self.finished.parent)

    def _check_disk_space(self, remaining: int, log: Callable[[str], object]) -> None:
        """Log the disk space that the remaining images need, and raise an error if there is too little."""
        needed = remaining * (self.form.side**2 + OVERHEAD) / MEGABYTE
        free = shutil.disk_usage(self.folder).free / MEGABYTE
        need = f"{remaining:,} images at {self.form.side} px need {needed:,.2f} MB in {self.folder.parent}"
        if needed > free:
            message = (
                f"{need}, but only {free:,.2f} MB are free. Free disk space, set XDG_CACHE_HOME to a folder on a "
                "larger disk, or choose a smaller side."
            )
            raise DataError(message)
        log(f"{need} ({free:,.0f} MB are free)")

    def _prepare(self, advance: Callable[[int], object]) -> None:
        """Prepare the missing chunks, recording each as finished once its pixels are flushed to disk.

        Processes of this machine write their pixels themselves, which is faster; from elsewhere, they are returned.
        """
        opening, form, source = Opening.of(self.images), self.form, self.source
        write = partial(write_chunk, opening, form=form, source=source, file=self.file)
        prepare = partial(prepare_chunk, opening, form=form, source=source)

        def locations(chunk: range) -> list[ImageLocation]:
            """Locate the images of a chunk."""
            return [self.images.location_of(self.object_ids[position]) for position in chunk]

        if self.run_tasks is None:
            self.chunk_files.complete(
                lambda chunk: partial(write, locations(chunk), rows=self._rows_of(chunk)),
                in_processes(self.jobs),
                advance,
                before_store=lambda _chunk, _result: flush(self.file),
            )
        else:
            self.chunk_files.complete(
                lambda chunk: partial(prepare, locations(chunk)),
                self.run_tasks,
                advance,
                before_store=self._write_pixels,
            )

    def _write_pixels(self, chunk: range, prepared: PreparedChunk) -> None:
        """Write the first channels of a chunk to their place and flush them to disk."""
        write_rows(self.file, memoryview(prepared.pixels), self._rows_of(chunk), self.form)
        flush(self.file)

    def _rows_of(self, chunk: range) -> list[int]:
        return [int(row) for row in self.rows[chunk.start : chunk.stop]]

    def _finish(self) -> None:
        """Fill the gaps of images that cannot be read, and write the table of the objects."""
        chunks = self.chunk_files.chunks
        results = [self.chunk_files.load(chunk) for chunk in chunks]
        pairs = list(zip(chunks, results, strict=True))
        by_position = {chunk[row]: fault for chunk, result in pairs for row, fault in result.faults.items()}
        faults = {int(self.rows[position]): fault for position, fault in by_position.items()}
        order = self._order(faults)
        self._fill_gaps(order)
        sizes = np.concatenate([result.values for result in results])[self.placed][order]
        atomic_write(self.objects, partial(self._write_objects, order=order, sizes=sizes, faults=faults))

    def _order(self, faults: Mapping[int, str]) -> NDArray[np.int64]:
        """Return the order in which the last images replace those that cannot be read.

        Returns:
            Position in the file at which each readable image was written, int64 of shape (n_objects,).

        Raises:
            DataError: no image can be read.

        """
        count = len(self.images)
        readable = np.setdiff1d(np.arange(count), np.fromiter(faults, np.int64, len(faults)))
        if not len(readable):
            message = (
                f"{self.images.source}: none of {count:,} images can be read: {listed(self.images.members)}. Check the "
                "files, or download them again."
            )
            raise DataError(message)
        order = np.arange(len(readable))
        order[np.setdiff1d(order, readable)] = readable[readable >= len(readable)]
        return order

    def _fill_gaps(self, order: NDArray[np.int64]) -> None:
        """Move images into the gaps; repeating this after an interruption gives the same file."""
        size = self.form.side**2
        with self.file.open("r+b") as file:
            for gap in np.flatnonzero(order >= len(order)).tolist():
                file.seek(int(order[gap]) * size)
                pixels = file.read(size)
                file.seek(gap * size)
                file.write(pixels)
        flush(self.file)

    def _write_objects(
        self, path: Path, order: NDArray[np.int64], sizes: NDArray[np.float64], faults: Mapping[int, str]
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        members = [(self.object_ids[place], self.images.members[self.object_ids[place]]) for place in self.placed]
        description = {
            "form": asdict(self.form),
            "source": asdict(self.source),
            "faults": [(*members[position], fault) for position, fault in faults.items()],
        }
        columns = {OBJECT_ID: pa.array([members[position][0] for position in order], pa.string())}
        columns |= {name: pa.array(values, pa.float32()) for name, values in zip(SIZES, sizes.T, strict=True)}
        table = pa.table(columns).replace_schema_metadata({DESCRIPTION: json.dumps(description, ensure_ascii=False)})
        pq.write_table(table, path)
