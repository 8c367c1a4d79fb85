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
from .building import StoreBuilder
from .form import ImageForm, Source, add_channels
from .index import OBJECT_ID, no_store, read_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.files.processes import RunTasks
    from ...data_manifests.images.store import ImageStore
    from .index import Selection

    Transform = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """Maps first channels, uint8 of shape (n, side, side), to first channels of the same shape."""

FAULT_COLUMNS = (OBJECT_ID, "member", "fault")


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkImages:
    """Network images of objects, as a track receives them; a memory map is pickled as its file, and mapped again.

    Attributes:
        form: form of the network images.
        source: how the images were taken.
        object_ids: text array of shape (n_objects,).
        grey: first channels, read-only, usually a memory map, uint8 of shape (n_stored, side, side), with bright
            objects.
        sizes: float32 of shape (n_objects, 3): height and width of the image without its scale bar, and area above the
            threshold, in pixels before resizing.
        places: position of each object in `grey`, int64 of shape (n_objects,); None if they have the same order.

    """

    form: ImageForm
    source: Source
    object_ids: NDArray[np.object_]
    grey: NDArray[np.uint8]
    sizes: NDArray[np.float32]
    places: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.object_ids)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle the file of a memory map instead of its contents."""
        pixels = self.grey.filename if isinstance(self.grey, np.memmap) else self.grey
        return _unpickled, (pixels, self.form, self.source, self.object_ids, self.sizes, self.places)

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
            message = (
                f"There are no network images of {len(absent):,} objects: {listed(map(self._described, absent))}. "
                "Exclude these objects, or repair their files."
            )
            raise DataError(message)
        return found

    def _described(self, object_id: str) -> str:
        """Return an object without network image as text, with the reason."""
        return f"{object_id} (no such image)"

    def batch(self, rows: NDArray[np.int64], transform: Transform | None = None) -> NDArray[np.uint8]:
        """Return the network images at some positions, uint8 of shape (n, side, side, 3): grey, threshold, opening.

        Args:
            rows: positions, int64 of shape (n,).
            transform: function applied to the first channels, such as an augmentation.

        """
        grey = self.grey[rows if self.places is None else self.places[rows]]
        return add_channels(grey if transform is None else transform(grey), self.form)


def _unpickled(  # noqa: PLR0917 - the attributes, in the order in which they are pickled
    pixels: NDArray[np.uint8] | str,
    form: ImageForm,
    source: Source,
    object_ids: NDArray[np.object_],
    sizes: NDArray[np.float32],
    places: NDArray[np.int64] | None,
) -> NetworkImages:
    grey = pixels if isinstance(pixels, np.ndarray) else _mapped(Path(pixels), form)
    return NetworkImages(form=form, source=source, object_ids=object_ids, grey=grey, sizes=sizes, places=places)


def open_selection(selection: Selection) -> NetworkImages:
    """Map the network images of chosen objects.

    Raises:
        DataError: the store does not exist any more.

    """
    form = ImageForm(**selection.form)
    return NetworkImages(
        form=form,
        source=Source(**selection.source),
        object_ids=selection.object_ids,
        grey=_mapped(selection.pixels, form),
        sizes=selection.sizes,
        places=selection.places,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredNetworkImages(NetworkImages):
    """All network images of a source; pickled as the address of the store, which is reopened in the other process.

    The objects are in the order of keyed hashes of their ids, except that the last ones replace unreadable ones.

    Attributes:
        folder: folder of the store.
        faults: images that cannot be read: object_id, member (name inside the source) and fault, all text.

    """

    folder: Path
    faults: pd.DataFrame

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle the address of the store."""
        return reopen_network_images, (self.address,)

    @property
    def address(self) -> str:
        """Absolute path of the store, for `reopen_network_images` in another process."""
        return str(self.folder.resolve())

    def _described(self, object_id: str) -> str:
        faults = self.faults.set_index(OBJECT_ID)["fault"]
        return f"{object_id} ({faults.get(object_id, 'no such image')})"


def reopen_network_images(address: str) -> StoredNetworkImages:
    """Open the store at a `NetworkImages.address`, read-only.

    Raises:
        DataError: the store does not exist any more.

    """
    import pandas as pd

    index = read_index(address)
    form = ImageForm(**index.form)
    return StoredNetworkImages(
        folder=index.folder,
        form=form,
        source=Source(**index.source),
        object_ids=index.object_ids,
        grey=_mapped(index.pixels, form)[: len(index.object_ids)],
        sizes=index.sizes,
        faults=pd.DataFrame(index.faults, columns=list(FAULT_COLUMNS), dtype="str"),
    )


def _mapped(path: Path, form: ImageForm) -> NDArray[np.uint8]:
    """Map the first channels of a store, read-only.

    Raises:
        DataError: the file does not exist any more.

    """
    try:
        return np.memmap(path, np.uint8, "r").reshape(-1, form.side, form.side)
    except OSError as fault:
        raise no_store(path.parent, fault) from fault


def stored_network_images(  # noqa: PLR0913 - the options are keyword-only
    images: ImageStore,
    form: ImageForm,
    source: Source,
    *,
    jobs: int = 1,
    run_tasks: RunTasks | None = None,
    advance: Callable[[int], object] = lambda _: None,
    log: Callable[[str], object] = lambda _: None,
) -> StoredNetworkImages:
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
