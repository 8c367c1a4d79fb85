"""Cached table of the measured features of all images of a source, resumable after an interruption.

Images are measured in chunks, in storage order, in several processes. Each finished chunk is kept as a separate file;
once all are finished, they are combined into one parquet file. Only a few chunks are in memory at any time.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.files.processes import in_processes
from ...data_manifests.files.source_code import source_sha256
from ...data_manifests.seeds import sha256_text
from ..preparation.chunk_files import ChunkFiles
from ..preparation.sources import Sources
from .catalogue import FEATURES, NAMES, VERSION
from .chunk import ImageWithMask, measure_opened
from .readiness import make_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from ...data_manifests.files.processes import RunTasks
    from ...data_manifests.images.store import ImageStore
    from ..preparation.chunk_files import ChunkResult
    from .objects.segmentation import Segmentation

OBJECT_ID = "object_id"
FAULT_COLUMNS = (OBJECT_ID, "member", "fault")
DESCRIPTION, FAULTS = b"planktonbench", b"planktonbench.faults"  # keys in the metadata of the parquet file
CHUNKS_AT_ONCE = 10  # per row group of the parquet file, so that its footer stays small: 5,000 rows, 8 MB


@dataclass(frozen=True)
class MeasuredTable:
    """Measured features of every image of a source.

    Attributes:
        path: parquet file in the cache: object_id (text), then the features in the order of the catalogue (float64, NaN
            where undefined), in storage order. An image that cannot be measured has a row of NaN. The file's metadata
            contain, as JSON under `planktonbench`, the version, the segmentation, and name, group, unit, formula and
            source of each feature.
        faults: images that cannot be measured: object_id, member (name inside the source) and fault, all text.
        reused: number of images measured by an earlier call.

    """

    path: Path
    faults: pd.DataFrame
    reused: int

    @classmethod
    def at(cls, path: Path, reused: int) -> MeasuredTable:
        """Open a finished table."""
        import pandas as pd
        import pyarrow.parquet as pq

        faults = json.loads(pq.read_metadata(path).metadata[FAULTS])
        return cls(path, pd.DataFrame(faults, columns=list(FAULT_COLUMNS), dtype="str"), reused)


def measured_table(
    images: ImageStore,
    options: Segmentation,
    *,
    masks: ImageStore | None = None,
    jobs: int = 1,
    run_tasks: RunTasks | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> MeasuredTable:
    """Measure all images of a source, or return the cached table.

    The cache key depends on the state of images and masks, on the options, and on the measuring code: unchanged images
    are measured once, changed ones again. An interrupted call is resumed by the next; of two simultaneous calls, one
    waits for the other.

    Args:
        images: the images.
        options: how objects are segmented.
        masks: a mask for each image, matched by object_id, non-zero on the object; None segments the images.
        jobs: number of processes; it does not affect the values.
        run_tasks: measures chunks of images elsewhere, for example on a cluster; None measures in `jobs` processes.
        advance: called with the number of further images measured; first with the number reused from an earlier call.

    Raises:
        DataError: there are no images, no mask matches any of them, or the cache cannot be written.

    """
    if jobs < 1:
        message = f"jobs is {jobs}; expected a number of processes, 1 or more."
        raise DataError(message)
    sources = Sources(images, masks)
    sources.check()
    path = cache_folder() / "measured" / f"{_key(images, options, masks)}.parquet"
    with cache_locked(path.parent, path.with_suffix(".lock")):
        if path.is_file():
            advance(len(images))
            return MeasuredTable.at(path, len(images))
        chunks = ChunkFiles(path.with_suffix(".parts"), len(images))
        reused = len(images) - sum(map(len, chunks.missing()))
        advance(reused)
        _measure_missing(chunks, sources, options, run_tasks or in_processes(jobs), advance)
        atomic_write(path, partial(_write, chunks=chunks, images=images, description=_description(options)))
        shutil.rmtree(chunks.folder)
    return MeasuredTable.at(path, reused)


def _key(images: ImageStore, options: Segmentation, masks: ImageStore | None) -> str:
    """Return the cache key of a table: hash of images, masks, options, and the code that decodes and measures."""
    states = [images.state(), "" if masks is None else masks.state()]
    return sha256_text(str(VERSION), json.dumps(asdict(options)), *states, source_sha256(__name__))[:32]


def _description(options: Segmentation) -> str:
    features = [asdict(feature) for feature in FEATURES]
    return json.dumps({"version": VERSION, "segmentation": asdict(options), "features": features}, ensure_ascii=False)


def _members(sources: Sources, object_ids: Sequence[str]) -> list[ImageWithMask]:
    """Locate images and their masks inside their sources."""
    masks = sources.masks
    if masks is None:
        return [ImageWithMask(sources.images.location_of(one)) for one in object_ids]
    return [
        ImageWithMask(sources.images.location_of(one), masks.location_of(one) if one in masks else None)
        for one in object_ids
    ]


def _measure_missing(
    chunks: ChunkFiles, sources: Sources, options: Segmentation, run_tasks: RunTasks, advance: Callable[[int], object]
) -> None:
    """Measure the missing chunks, and store each as soon as it is finished."""
    make_ready()
    measure = partial(measure_opened, sources.openings(), options=options)
    object_ids = list(sources.images.members)

    def task_of(chunk: range) -> Callable[[], ChunkResult]:
        """Return the function that measures a chunk."""
        return partial(measure, _members(sources, object_ids[chunk.start : chunk.stop]))

    chunks.complete(task_of, run_tasks, advance)


def _write(path: Path, chunks: ChunkFiles, images: ImageStore, description: str) -> None:
    """Write the finished chunks into one parquet file, a few at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(OBJECT_ID, pa.string()), *((name, pa.float64()) for name in NAMES)])
    members = list(images.members.items())
    faults: list[tuple[str, str, str]] = []
    with pq.ParquetWriter(path, schema, use_dictionary=False) as writer:
        for table in _tables(chunks, members, schema, faults):
            writer.write_table(table)
        metadata = {DESCRIPTION: description, FAULTS: json.dumps(faults, ensure_ascii=False)}
        writer.add_key_value_metadata(metadata)


def _tables(
    finished: ChunkFiles, members: list[tuple[str, str]], schema: pa.Schema, faults: list[tuple[str, str, str]]
) -> Iterator[pa.Table]:
    """Yield the finished chunks as tables of a few chunks each, and append their faults to `faults`."""
    import pyarrow as pa

    bounds = [*range(0, len(finished.chunks), CHUNKS_AT_ONCE), len(finished.chunks)]
    for first, last in pairwise(bounds):
        chunks = finished.chunks[first:last]
        loaded = [finished.load(chunk) for chunk in chunks]
        for chunk, measured in zip(chunks, loaded, strict=True):
            faults += [(*members[chunk[row]], fault) for row, fault in measured.faults.items()]
        ids = [object_id for object_id, _ in members[chunks[0].start : chunks[-1].stop]]
        values = np.concatenate([one.values for one in loaded])  # noqa: PD011 - not pandas
        yield pa.table([pa.array(ids, pa.string()), *values.T.copy()], schema=schema)
