"""Example images of a report: small copies kept with the results, so that the report needs no data to be made again."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import write_whole
from ...data_manifests.files.tables import read_table
from ..results.confused_pairs import confused_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore
    from ..results.section import Section

EXAMPLES = "examples"
PER_CLASS, PER_CONFUSION = 4, 4
LARGEST_SIDE = 112  # pixels


@dataclass(frozen=True)
class Picture:
    """An image on the page: whose it is, and the text of its data address."""

    object_id: str
    address: str

    @classmethod
    def of(cls, object_id: str, png: bytes) -> Picture:
        """Return the picture of an object, encoded as PNG."""
        return cls(object_id, png_address(png))


def png_address(content: bytes) -> str:
    """Return an encoded PNG as the text of a data address."""
    return "data:image/png;base64," + base64.b64encode(content).decode()


@dataclass(frozen=True)
class Examples:
    """The stored example images of a data set.

    Attributes:
        path: parquet file with object_id, png (encoded grey image) and data_sha256 (of the data they were taken from).

    """

    path: Path

    @cached_property
    def _table(self) -> pd.DataFrame:
        empty = pd.DataFrame({"object_id": [], "png": [], "data_sha256": []}, dtype=object)
        return (read_table(self.path, DataError) if self.path.is_file() else empty).set_index("object_id")

    def holds(self, object_ids: Iterable[str], data_sha256: str) -> bool:
        """Tell whether images of all these objects are there, and are of these data."""
        same = (self._table["data_sha256"] == data_sha256).all()
        return bool(same) and set(object_ids) <= set(self._table.index)

    def address(self, object_id: str) -> str | None:
        """Return an object's image as the text of a data address; None when it is not kept."""
        if object_id not in self._table.index:
            return None
        png: bytes = self._table["png"][object_id]
        return png_address(png)


def examples_of(out: Path, dataset: str) -> Examples:
    """Return the example images that a results folder keeps of a data set."""
    return Examples(out / EXAMPLES / f"{dataset}.parquet")


def keep_examples(out: Path, sections: list[Section], dataset: Dataset) -> None:
    """Keep small copies of the images that the report shows of a data set; none when it has no images.

    An object whose image cannot be read is not among them; the data's own checks name it.

    Args:
        out: the results folder.
        sections: sections of any data sets.
        dataset: the opened data set.

    """
    images, data_sha256 = dataset.images, dataset.data_sha256
    if images is None:
        return
    sections = [section for section in sections if section.dataset == dataset.name]
    wanted = sorted({object_id for section in sections for object_id in shown_objects(section)} & set(images.members))
    kept = examples_of(out, dataset.name)
    if not wanted or kept.holds(wanted, data_sha256):
        return
    copies = {object_id: _copy(images, object_id) for object_id in images.in_storage_order(wanted)}
    rows = [(object_id, png, data_sha256) for object_id, png in sorted(copies.items()) if png is not None]
    table = pd.DataFrame(rows, columns=["object_id", "png", "data_sha256"])
    write_whole(kept.path, lambda part: table.to_parquet(part, index=False))


def shown_objects(section: Section) -> list[str]:
    """Return the ids of all objects that a section shows: some of each class, and of the best track's confusions."""
    ids = [object_id for some in class_examples(section).values() for object_id in some]
    for pair in confused_pairs(section.done[0]) if section.done else []:
        for way in pair.ways:
            ids += way.object_ids[:PER_CONFUSION]
    return ids


def class_examples(section: Section) -> dict[str, list[str]]:
    """Return a few objects of each class, largest class first: training rows of the first run, evenly over their ids.

    A class without training rows is shown by others of its objects.
    """
    truth = section.runs[0].truth
    examples = {}
    for taxon in section.class_sizes.index:
        rows = truth[truth["taxon"] == taxon]
        training = rows[rows["part"] == "train"]
        ids = (training if len(training) else rows)["object_id"].to_numpy()
        examples[str(taxon)] = [str(ids[position]) for position in evenly(len(ids), PER_CLASS)]
    return examples


def evenly(n: int, most: int) -> list[int]:
    """Return at most so many positions of n, evenly spaced."""
    return sorted(set(np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()))


def _copy(images: ImageStore, object_id: str) -> bytes | None:
    """Return a small copy of an image, encoded as PNG; None when it cannot be read."""
    import cv2

    try:
        image = images.read(object_id)
    except DataError:
        return None
    return cv2.imencode(".png", shrunk(image))[1].tobytes()


def shrunk(image: NDArray[np.uint8], largest_side: int = LARGEST_SIDE) -> NDArray[np.uint8]:
    """Shrink an image so that its longer side has at most so many pixels; smaller ones stay as they are."""
    import cv2

    height, width = image.shape
    factor = largest_side / max(height, width)
    if factor >= 1:
        return image
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
