"""Network images of all images of a source, prepared once, cached and memory-mapped.

A store is a folder with two files: `grey.u8`, the concatenated first channels, and `objects.parquet`, the object ids,
original sizes and faults. It is written atomically.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.cache import cache_folder, cache_locked
from ...data_manifests.files.source_code import source_sha256
from ...data_manifests.seeds import sha256_text
from ..preparation.sources import Sources
from .building import DESCRIPTION, GREY, OBJECT_ID, OBJECTS, StoreBuilder
from .chunk import SIZES
from .form import ImageForm, Source, add_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.files.processes import RunTasks
    from ...data_manifests.images.store import ImageStore

    Transform = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """Maps first channels, uint8 of shape (n, side, side), to first channels of the same shape."""

FAULT_COLUMNS = (OBJECT_ID, "member", "fault")


@dataclass(frozen=True, eq=False)
class NetworkImages:
    """Network images of a source; pickled as the address of the store, which is reopened in the other process.

    Attributes:
        folder: folder of the store.
        form: form of the network images.
        source: how the images were taken.
        object_ids: text array of shape (n_objects,), ids of the readable images in storage order, except that the last
            ones replace unreadable ones.
        grey: first channels, read-only memory map, uint8 of shape (n_objects, side, side), with bright objects.
        sizes: float32 of shape (n_objects, 3): height and width of the image without its scale bar, and area above the
            threshold, in pixels before resizing.
        faults: images that cannot be read: object_id, member (name inside the source) and fault, all text.

    """

    folder: Path
    form: ImageForm
    source: Source
    object_ids: NDArray[np.object_]
    grey: NDArray[np.uint8]
    sizes: NDArray[np.float32]
    faults: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.object_ids)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Pickle the address of the store."""
        return reopen_network_images, (self.address,)

    @property
    def address(self) -> str:
        """Absolute path of the store, for `reopen_network_images` in another process."""
        return str(self.folder.resolve())

    @property
    def pixel_size_um(self) -> float | None:
        """Width of a pixel of the images in µm; None if the manifest does not state it."""
        return self.source.pixel_size_um

    @cached_property
    def _index(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.object_ids, dtype=object)

    def rows(self, object_ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the positions of objects, int64 of shape (n,).

        Raises:
            DataError: an object has no image, or its image cannot be read.

        """
        import pandas as pd

        wanted = pd.Index(list(object_ids), dtype=object)
        found = np.asarray(self._index.get_indexer(wanted), np.int64)
        absent = wanted[found < 0]
        if len(absent):
            faults = self.faults.set_index(OBJECT_ID)["fault"]
            texts = [f"{object_id} ({faults.get(object_id, 'no such image')})" for object_id in absent]
            message = (
                f"There are no network images of {len(absent):,} objects: {listed(texts)}. "
                "Exclude these objects, or repair their files."
            )
            raise DataError(message)
        return found

    def batch(self, rows: NDArray[np.int64], transform: Transform | None = None) -> NDArray[np.uint8]:
        """Return the network images at some positions, uint8 of shape (n, side, side, 3): grey, threshold, opening.

        Args:
            rows: positions, int64 of shape (n,).
            transform: function applied to the first channels, such as an augmentation.

        """
        grey = self.grey[rows]
        return add_channels(grey if transform is None else transform(grey), self.form)


def reopen_network_images(address: str) -> NetworkImages:
    """Open the store at a `NetworkImages.address`, read-only.

    Raises:
        DataError: the store does not exist any more.

    """
    import pandas as pd
    import pyarrow.parquet as pq

    folder = Path(address)
    try:
        table = pq.read_table(folder / OBJECTS)
        description = json.loads(table.schema.metadata[DESCRIPTION])
        form = ImageForm(**description["form"])
        shape = table.num_rows, form.side, form.side
        grey = np.memmap(folder / GREY, np.uint8, "r", shape=shape)
    except OSError as fault:
        message = f"{folder} contains no network images: {fault}. Run again to prepare them."
        raise DataError(message) from fault
    return NetworkImages(
        folder=folder,
        form=form,
        source=Source(**description["source"]),
        object_ids=np.array(table[OBJECT_ID].to_pylist(), object),
        grey=grey,
        sizes=np.column_stack([table[name].to_numpy() for name in SIZES]),
        faults=pd.DataFrame(description["faults"], columns=list(FAULT_COLUMNS), dtype="str"),
    )


def stored_network_images(  # noqa: PLR0913 - the options are keyword-only
    images: ImageStore,
    form: ImageForm,
    source: Source,
    *,
    jobs: int = 1,
    run_tasks: RunTasks | None = None,
    advance: Callable[[int], object] = lambda _: None,
    log: Callable[[str], object] = lambda _: None,
) -> NetworkImages:
    """Prepare all images of a source, or return the cached store.

    The cache key depends on the state of the images, the form, the source, and the preparing code: unchanged images are
    prepared once, changed ones again. An interrupted call is resumed by the next; of two simultaneous calls, one waits
    for the other.

    Args:
        images: the images.
        form: form of the network images.
        source: how the images were taken.
        jobs: number of processes; it does not affect the result.
        run_tasks: prepares chunks of images elsewhere, for example on a cluster; None prepares in `jobs` processes.
        advance: called with the number of further images prepared; first with the number reused from an earlier call.
        log: called with a message about the disk space needed, before it is used.

    Raises:
        DataError: there are no images, none can be read, there is too little disk space, or the cache cannot be
            written.

    """
    if jobs < 1:
        message = f"jobs is {jobs}; expected a number of processes, 1 or more."
        raise DataError(message)
    Sources(images).check()
    folder = cache_folder() / "network-images" / _key(images, form, source)
    with cache_locked(folder.parent, folder.with_suffix(".lock")):
        if folder.is_dir():
            advance(len(images))
        else:
            StoreBuilder(folder, images, form, source, jobs, run_tasks).build(advance, log)
    return reopen_network_images(str(folder))


def _key(images: ImageStore, form: ImageForm, source: Source) -> str:
    """Return the cache key of a store: hash of images, form, source, and the code that decodes and prepares."""
    return sha256_text(images.state(), json.dumps([asdict(form), asdict(source)]), source_sha256(__name__))[:32]
