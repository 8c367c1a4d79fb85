"""Pictures of objects, stored with the results, so that the report can show them without the data."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write
from ...data_manifests.files.tables import read_table
from ...data_manifests.seeds import derived_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore

STATE = "state"
PNG, WEBP = "png", "webp"


@dataclass(frozen=True)
class KeptPictures:
    """A table of encoded pictures of a data set.

    Attributes:
        path: parquet file; it need not exist.
        columns: its columns, except `state`, which describes the source of the pictures, as text or as a hash.

    """

    path: Path
    columns: tuple[str, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The pictures; no rows if the file does not exist or has other columns."""
        found = read_table(self.path, DataError) if self.path.is_file() else pd.DataFrame()
        names = [*self.columns, STATE]
        return found if set(names) <= set(found.columns) else pd.DataFrame(columns=names, dtype=object)

    def shows(self, state: str) -> bool:
        """Return whether there are pictures and all have this state."""
        return bool(len(self.table) and (self.table[STATE] == state).all())

    def keep(self, rows: Iterable[tuple[object, ...]], state: str) -> None:
        """Write pictures, one row each, replacing those of an earlier run."""
        table = pd.DataFrame(list(rows), columns=list(self.columns)).assign(**{STATE: state})
        atomic_write(self.path, lambda temporary: table.to_parquet(temporary, index=False))


@dataclass(frozen=True)
class ImageCopies:
    """Small copies of images of a data set, at most one for each object.

    Attributes:
        path: parquet file with object_id, the encoded grey image, and state (hash of the data).
        largest_side: maximum length of the longer side in pixels; smaller images are not resized.
        suffix: image format, `png` or `webp`.
        quality: of WebP, where 100 is lossless.

    """

    path: Path
    largest_side: int
    suffix: str = PNG
    quality: int = 100

    @cached_property
    def kept(self) -> KeptPictures:
        """The stored table."""
        return KeptPictures(self.path, ("object_id", self.suffix))

    @cached_property
    def by_object(self) -> dict[str, bytes]:
        """Encoded image of each object that has one."""
        return dict(zip(self.kept.table["object_id"], self.kept.table[self.suffix], strict=True))

    def address(self, object_id: str) -> str | None:
        """Return the image of an object as a data URL; None if it is not stored."""
        content = self.by_object.get(object_id)
        return None if content is None else data_url(content, self.suffix)

    def keep(self, dataset: Dataset, object_ids: Iterable[str]) -> None:
        """Store copies of the images of some objects; none if the data set has no images.

        Objects whose image cannot be read are left out; the data checks list them.

        Args:
            dataset: the opened data set.
            object_ids: the objects that the report shows.

        """
        if dataset.images is None:
            return
        images, wanted = dataset.images, set(object_ids) & set(dataset.images.members)
        if not wanted or (self.kept.shows(dataset.data_sha256) and wanted <= set(self.by_object)):
            return
        copies = {object_id: self._copy(images, object_id) for object_id in images.in_storage_order(sorted(wanted))}
        rows = ((object_id, copy) for object_id, copy in sorted(copies.items()) if copy is not None)
        self.kept.keep(rows, dataset.data_sha256)

    def _copy(self, images: ImageStore, object_id: str) -> bytes | None:
        """Return a small encoded copy of an image; None if the image cannot be read."""
        try:
            image = images.read(object_id)
        except DataError:
            return None
        return encoded(shrunk(image, self.largest_side), self.suffix, self.quality)


@dataclass(frozen=True)
class Picture:
    """An image on the page, as object id and data URL."""

    object_id: str
    address: str

    @classmethod
    def of(cls, object_id: str, png: bytes) -> Picture:
        """Return the picture of an object from its PNG encoding."""
        return cls(object_id, data_url(png, PNG))


def data_url(content: bytes, suffix: str) -> str:
    """Return an encoded image as a data URL."""
    return f"data:image/{suffix};base64,{base64.b64encode(content).decode()}"


def encoded(picture: NDArray[np.uint8], suffix: str = PNG, quality: int = 100) -> bytes:
    """Encode an image of grey levels, or of blue, green and red."""
    import cv2

    options = [cv2.IMWRITE_WEBP_QUALITY, quality] if suffix == WEBP else []
    return cv2.imencode(f".{suffix}", picture, options)[1].tobytes()


def shrunk(image: NDArray[np.uint8], largest_side: int) -> NDArray[np.uint8]:
    """Shrink an image whose longer side has more than `largest_side` pixels; smaller images are returned unchanged.

    Args:
        image: grey levels, uint8 of shape (height, width), or colours, of shape (height, width, 3).
        largest_side: maximum length of the longer side in pixels.

    """
    import cv2

    height, width = image.shape[:2]
    factor = largest_side / max(height, width)
    if factor >= 1:
        return image
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def evenly(n: int, most: int) -> list[int]:
    """Return at most `most` evenly spaced positions between 0 and n - 1."""
    return sorted(set(np.linspace(0, n - 1, min(n, most)).round().astype(int).tolist()))


def chosen_objects(dataset: Dataset, per_taxon: int) -> dict[str, list[str]]:
    """Return ids of objects with an image, chosen at random within each taxon, the largest taxon first."""
    objects = dataset.objects
    if dataset.images is not None:
        objects = objects[objects["object_id"].isin(list(dataset.images.members))]
    rng = np.random.default_rng(derived_seed(seed=0, purpose="contact sheet"))
    ids = {str(taxon): rows.sort_values().to_numpy() for taxon, rows in objects.groupby("taxon")["object_id"]}
    order = sorted(ids, key=lambda taxon: (-len(ids[taxon]), taxon))
    return {taxon: rng.permutation(ids[taxon])[:per_taxon].tolist() for taxon in order}


def images_at_random(dataset: Dataset, taxa: int, per_taxon: int) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Yield taxon, object_id and grey levels of some objects, for taxa from the largest to the smallest.

    Images that cannot be read are left out; the notes of the runs list them.
    """
    chosen = chosen_objects(dataset, per_taxon)
    names = list(chosen)
    for position in evenly(len(names), taxa):
        for object_id in chosen[names[position]]:
            if dataset.images is None:
                return
            try:
                yield names[position], object_id, dataset.images.read(object_id)
            except DataError:
                continue
