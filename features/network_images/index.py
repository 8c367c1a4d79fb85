"""Index of a store of network images: the ids, original sizes and faults, without the pixels.

Reading it needs no image library, so that processes that pass on positions only start quickly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREY, OBJECTS = "grey.u8", "objects.parquet"
OBJECT_ID = "object_id"
DESCRIPTION = b"planktonbench"  # key in the metadata of the parquet file
SIZES = ("height", "width", "area")  # pixels: height and width of the image without its scale bar, area of the object


@dataclass(frozen=True)
class Selection:
    """Network images of chosen objects under other ids, for a process that receives no index.

    Attributes:
        pixels: file of the first channels.
        form: fields of the form of the network images.
        source: fields of how the images were taken.
        object_ids: the other ids, text array of shape (n_objects,).
        places: positions of the objects in the file, int64 of shape (n_objects,).
        sizes: float32 of shape (n_objects, 3), see `SIZES`.

    """

    pixels: Path
    form: dict[str, Any]
    source: dict[str, Any]
    object_ids: NDArray[np.object_]
    places: NDArray[np.int64]
    sizes: NDArray[np.float32]


@dataclass(frozen=True)
class StoreIndex:
    """Index of a store.

    Attributes:
        folder: folder of the store.
        object_ids: text array of shape (n_objects,), in the order of the pixels.
        sizes: float32 of shape (n_objects, 3), see `SIZES`.
        form: fields of the form of the network images.
        source: fields of how the images were taken.
        faults: object_id, member and fault of each image that cannot be read.

    """

    folder: Path
    object_ids: NDArray[np.object_]
    sizes: NDArray[np.float32]
    form: dict[str, Any]
    source: dict[str, Any]
    faults: list[list[str]]

    @property
    def pixels(self) -> Path:
        """File of the first channels, uint8 of shape (n_objects, side, side)."""
        return self.folder / GREY

    def select(self, object_ids: NDArray[np.object_], new_ids: NDArray[np.object_]) -> Selection:
        """Return objects under new ids; those without an image are left out.

        Args:
            object_ids: ids of objects, text array of shape (n_chosen,).
            new_ids: the id under which each of them is read, of the same shape.

        """
        import pandas as pd

        places = np.asarray(pd.Index(self.object_ids).get_indexer(pd.Index(object_ids, dtype=object)), np.int64)
        found = places >= 0
        places = places[found]
        return Selection(self.pixels, self.form, self.source, new_ids[found], places, self.sizes[places])


def read_index(address: str) -> StoreIndex:
    """Read the index of the store at a `NetworkImages.address`.

    Raises:
        DataError: the store does not exist any more.

    """
    import pyarrow.parquet as pq

    folder = Path(address)
    try:
        table = pq.read_table(folder / OBJECTS)
    except OSError as fault:
        raise no_store(folder, fault) from fault
    description = json.loads(table.schema.metadata[DESCRIPTION])
    return StoreIndex(
        folder=folder,
        object_ids=np.array(table[OBJECT_ID].to_pylist(), object),
        sizes=np.column_stack([table[name].to_numpy() for name in SIZES]),
        form=description["form"],
        source=description["source"],
        faults=description["faults"],
    )


def no_store(folder: Path, fault: OSError) -> DataError:
    """Return the error about a store that does not exist any more."""
    return DataError(f"{folder} contains no network images: {fault}. Run again to prepare them.")
