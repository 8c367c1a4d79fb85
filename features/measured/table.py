"""The table of measured features of a whole source of images: made once, kept in the cache, resumed after a kill.

Images are measured in chunks, in storage order, in several processes. Each chunk that is done is kept as a file of its
own until all are; then they become one parquet file. Only a few chunks are in memory at any time.
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
from ...data_manifests.files.atomic_writes import write_whole
from ...data_manifests.files.cache import cache_folder, cache_locked
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

    from ...data_manifests.images.store import ImageStore
    from ..preparation.chunk_files import ChunkResult
    from .objects.segmentation import Segmentation

OBJECT_ID = "object_id"
FAULT_COLUMNS = (OBJECT_ID, "member", "fault")
DESCRIPTION, FAULTS = b"planktonbench", b"planktonbench.faults"  # keys in the metadata of the parquet file
CHUNKS_AT_ONCE = 10  # of the finished file, so that its directory stays small: 5,000 rows, 8 MB


@dataclass(frozen=True)
class MeasuredTable:
    """Measured features of every image of a source.

    Attributes:
        path: parquet file in the cache: object_id (text), then the features in the order of the catalogue (float64, NaN
            where undefined), in storage order. An image that cannot be measured has a row of NaN. Under `planktonbench`
            its metadata hold, as JSON, the version, the segmentation, and name, group, unit, formula and source of each
            feature.
        faults: images that cannot be measured: object_id, member (name inside the source) and fault, all text.
        reused: how many images had been measured by an earlier call.

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
    advance: Callable[[int], object] = lambda _: None,
) -> MeasuredTable:
    """Measure every image of a source, unless that was done before.

    What was measured is found again by the state of images and masks, the options, and the code that measures: the same
    images are measured once, changed ones again. A call that was killed is completed by the next; of two at the same
    time one waits for the other.

    Args:
        images: the images.
        options: how objects are told from the background.
        masks: a mask for each image, found by its object_id, 0 or not; None segments the images.
        jobs: processes; nothing depends on it.
        advance: told how many more images are measured; at once of those that had been before.

    Raises:
        DataError: there are no images, no mask is of any of them, or the cache cannot be written.

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
        _measure_missing(chunks, sources, options, jobs, advance)
        write_whole(path, partial(_write, chunks=chunks, images=images, description=_description(options)))
        shutil.rmtree(chunks.folder)
    return MeasuredTable.at(path, reused)


def _key(images: ImageStore, options: Segmentation, masks: ImageStore | None) -> str:
    """Name what a table depends on: images, masks, options, and the code that decodes and measures."""
    states = [images.state(), "" if masks is None else masks.state()]
    return sha256_text(str(VERSION), json.dumps(asdict(options)), *states, source_sha256(__name__))[:32]


def _description(options: Segmentation) -> str:
    features = [asdict(feature) for feature in FEATURES]
    return json.dumps({"version": VERSION, "segmentation": asdict(options), "features": features}, ensure_ascii=False)


def _members(sources: Sources, object_ids: Sequence[str]) -> list[ImageWithMask]:
    """Find some images, and their masks, inside their sources."""
    masks = sources.masks
    if masks is None:
        return [ImageWithMask(sources.images.location_of(one)) for one in object_ids]
    return [
        ImageWithMask(sources.images.location_of(one), masks.location_of(one) if one in masks else None)
        for one in object_ids
    ]


def _measure_missing(
    chunks: ChunkFiles, sources: Sources, options: Segmentation, jobs: int, advance: Callable[[int], object]
) -> None:
    """Measure the chunks that are not finished, and keep each as soon as it is."""
    make_ready()
    measure = partial(measure_opened, sources.handed_over(), options=options)
    object_ids = list(sources.images.members)

    def task_of(chunk: range) -> Callable[[], ChunkResult]:
        """Return what measures a chunk."""
        return partial(measure, _members(sources, object_ids[chunk.start : chunk.stop]))

    chunks.complete(task_of, jobs, advance)


def _write(path: Path, chunks: ChunkFiles, images: ImageStore, description: str) -> None:
    """Write finished chunks into one parquet file, some at once."""
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
    """Yield finished chunks, some as one table, and tell their faults."""
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
