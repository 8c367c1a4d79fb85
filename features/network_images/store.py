"""NetworkImages of all images of a source: prepared once, kept in the cache, and read through a map of memory.

The store is a folder: `grey.u8`, first channels one behind the other, and `objects.parquet`, whose they are, how large
the objects were, and what could not be read. It appears whole or not at all.
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
from .building import DESCRIPTION, GREY, OBJECT_ID, OBJECTS, Building
from .chunk import SIZES
from .form import ImageForm, Source, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore

    Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """From first channels, uint8 of shape (n, side, side), to changed ones of the same shape."""

FAULT_COLUMNS = (OBJECT_ID, "member", "fault")


@dataclass(frozen=True, eq=False)
class NetworkImages:
    """Prepared images of a source; it travels to another process as its address, and is opened there anew.

    Attributes:
        folder: of the store.
        form: what was asked for.
        source: how the images were taken.
        object_ids: text array of shape (n_objects,), of the images that could be read, in storage order but for a few
            that fill the places of others.
        grey: first channels, read-only map of the file, uint8 of shape (n_objects, side, side), objects bright.
        sizes: float32 of shape (n_objects, 3): height and width of the image without its scale bar, and area of what is
            above the threshold, in pixels before resizing.
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
        """Count the objects."""
        return len(self.object_ids)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Pickle as an address."""
        return reopen_network_images, (self.address,)

    @property
    def address(self) -> str:
        """Text from which `reopen_network_images` opens the same store in another process."""
        return str(self.folder.resolve())

    @property
    def pixel_size_um(self) -> float | None:
        """Width of a pixel of the images in µm, None where the manifest does not tell."""
        return self.source.pixel_size_um

    @cached_property
    def _index(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.object_ids, dtype=object)

    def rows(self, object_ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the positions of objects, int64 of shape (n,).

        Raises:
            DataError: there is no image of some, or it could not be read.

        """
        import pandas as pd

        wanted = pd.Index(list(object_ids), dtype=object)
        found = np.asarray(self._index.get_indexer(wanted), np.int64)
        absent = wanted[found < 0]
        if len(absent):
            why = self.faults.set_index(OBJECT_ID)["fault"]
            texts = [f"{object_id} ({why.get(object_id, 'no such image')})" for object_id in absent]
            message = (
                f"There are no network images of {len(absent):,} objects: {listed(texts)}. "
                "Leave them out, or repair their files."
            )
            raise DataError(message)
        return found

    def batch(self, rows: NDArray[np.int64], change: Change | None = None) -> NDArray[np.uint8]:
        """Return the stacks at some positions, uint8 of shape (n, side, side, 3): grey, threshold, opening.

        Args:
            rows: positions, int64 of shape (n,).
            change: is applied to the first channels, such as an augmentation.

        """
        grey = self.grey[rows]
        return stack(grey if change is None else change(grey), self.form)


def reopen_network_images(address: str) -> NetworkImages:
    """Open the store that a `NetworkImages.address` names, to be read only.

    Raises:
        DataError: it is not there any more.

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
        message = f"{folder} holds no network images: {fault}. Run again to prepare them."
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


def stored_network_images(
    images: ImageStore,
    form: ImageForm,
    source: Source,
    *,
    jobs: int = 1,
    advance: Callable[[int], object] = lambda _: None,
    log: Callable[[str], object] = lambda _: None,
) -> NetworkImages:
    """Prepare every image of a source, unless that was done before.

    A store is found again by the state of the images, the form, the source, and the code that prepares: the same images
    are prepared once, changed ones again. A call that was killed is completed by the next; of two at the same time one
    waits for the other.

    Args:
        images: the images.
        form: what is asked for.
        source: how the images were taken.
        jobs: processes; nothing depends on it.
        advance: told how many more images are prepared; at once of those that had been before.
        log: told what room is needed on the disk, before it is taken.

    Raises:
        DataError: there are no images or none can be read, the disk has no room, or the cache cannot be written.

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
            Building(folder, images, form, source).build(jobs, advance, log)
    return reopen_network_images(str(folder))


def _key(images: ImageStore, form: ImageForm, source: Source) -> str:
    """Name what a store depends on: images, form, source, and the code that decodes and prepares."""
    return sha256_text(images.state(), json.dumps([asdict(form), asdict(source)]), source_sha256(__name__))[:32]
