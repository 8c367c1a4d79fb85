"""Pictures of some objects, kept with the results, so that the report needs no data to show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import write_whole
from ...data_manifests.files.tables import read_table
from ..figures.contact_sheet import chosen_objects
from .examples import evenly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset

STATE = "state"


@dataclass(frozen=True)
class KeptPictures:
    """A table of pictures.

    Attributes:
        path: parquet file; it need not be there.
        columns: its columns, beside `state`, which tells what was shown, in words or as a hash.

    """

    path: Path
    columns: tuple[str, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The pictures; no rows when none are kept."""
        empty = pd.DataFrame(columns=[*self.columns, STATE], dtype=object)
        return read_table(self.path, DataError) if self.path.is_file() else empty

    def shows(self, state: str) -> bool:
        """Tell whether there are pictures, and all are of this state."""
        return bool(len(self.table) and (self.table[STATE] == state).all())

    def keep(self, rows: Iterable[tuple[object, ...]], state: str) -> None:
        """Write pictures, one row each, in the place of those that were there."""
        table = pd.DataFrame(list(rows), columns=list(self.columns)).assign(**{STATE: state})
        write_whole(self.path, lambda part: table.to_parquet(part, index=False))


def drawn_by_lot(dataset: Dataset, taxa: int, per_taxon: int) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Yield taxon, object_id and grey levels of some objects, of taxa from the largest to the smallest.

    An image that cannot be read is passed over; the notes of the runs name it.
    """
    chosen = chosen_objects(dataset, per_taxon, seed=0)
    names = list(chosen)
    for position in evenly(len(names), taxa):
        for object_id in chosen[names[position]]:
            if dataset.images is None:
                return
            try:
                yield names[position], object_id, dataset.images.read(object_id)
            except DataError:
                continue


def encoded(picture: NDArray[np.uint8]) -> bytes:
    """Encode grey levels, or blue, green and red, as PNG."""
    import cv2

    return cv2.imencode(".png", picture)[1].tobytes()
