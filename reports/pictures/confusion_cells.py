"""The cells of the confusion matrices: which objects stand behind each, and small copies of some of their images."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from .examples import shrunk
from .kept_pictures import STATE, KeptPictures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore
    from ..results.section import Section

CELLS = "cells"
PER_CELL = 6
MOST_OBJECTS = 5000  # of a section, whose images take some 2 MB
LARGEST_SIDE = 72  # pixels
QUALITY = 60  # of WebP, where 100 keeps all: at this size more cannot be seen


@dataclass(frozen=True)
class CellPictures:
    """The stored copies of images of a data set.

    Attributes:
        path: parquet file with object_id, webp (encoded grey image) and state (hash of the data they were taken from).

    """

    path: Path

    @cached_property
    def kept(self) -> KeptPictures:
        """The pictures."""
        return KeptPictures(self.path, ("object_id", "webp"))

    @cached_property
    def by_object(self) -> dict[str, bytes]:
        """Encoded image of each object that has one."""
        return dict(zip(self.kept.table["object_id"], self.kept.table["webp"], strict=True))

    def address(self, object_id: str) -> str | None:
        """Return an object's image as the text of a data address; None when it is not kept."""
        content = self.by_object.get(object_id)
        return None if content is None else "data:image/webp;base64," + base64.b64encode(content).decode()


def cell_pictures_of(out: Path, dataset: str) -> CellPictures:
    """Return the images of cells that a results folder keeps of a data set."""
    return CellPictures(out / CELLS / f"{dataset}.parquet")


def cell_objects(section: Section) -> pd.DataFrame:
    """Return some test objects of every cell of the confusion matrix of every finished track.

    Of a cell those come first that more tracks call the same, then by id, so that tracks share images. When there are
    more than `MOST_OBJECTS`, cells share the room by their sizes (the rule by which D'Hondt shares out seats).

    Returns:
        Columns track, taxon, called, object_id, at most `PER_CELL` rows a cell.

    """
    calls = _calls(section)
    calls["tracks"] = calls.groupby(["taxon", "called", "object_id"], sort=False)["track"].transform("size")
    ordered = calls.sort_values(["tracks", "object_id"], ascending=[False, True], kind="stable")
    cells = ordered.groupby(["track", "taxon", "called"], sort=False)["object_id"]
    ordered = ordered.assign(place=cells.cumcount(), share=(1 + cells.cumcount()) / cells.transform("size"))
    shown = ordered[ordered["place"] < PER_CELL].sort_values("share", kind="stable")
    within = (~shown["object_id"].duplicated()).cumsum() <= MOST_OBJECTS
    chosen = shown[shown["object_id"].isin(set(shown.loc[within, "object_id"]))]
    return chosen[["track", "taxon", "called", "object_id"]].reset_index(drop=True)


def _calls(section: Section) -> pd.DataFrame:
    """Return what each finished track called each test object, each way of it once."""
    parts = [
        run.calls[["taxon", "called", "object_id"]].assign(track=track.name)
        for track in section.done
        for run in track.runs
        if run.score is not None
    ]
    columns = ["track", "taxon", "called", "object_id"]
    return pd.concat(parts)[columns].drop_duplicates(ignore_index=True) if parts else pd.DataFrame(columns=columns)


def keep_cell_pictures(out: Path, dataset: Dataset, object_ids: Iterable[str]) -> None:
    """Keep small copies of the images of some objects; none when the data set has no images.

    An object whose image cannot be read is not among them; the data's own checks name it.

    Args:
        out: the results folder.
        dataset: the opened data set.
        object_ids: of those that the report shows.

    """
    images, kept = dataset.images, cell_pictures_of(out, dataset.name)
    if images is None:
        return
    wanted = set(object_ids) & set(images.members)
    same = bool((kept.kept.table[STATE] == dataset.data_sha256).all())
    if not wanted or (same and wanted <= set(kept.by_object)):
        return
    copies = {object_id: _copy(images, object_id) for object_id in images.in_storage_order(wanted)}
    rows = ((object_id, webp) for object_id, webp in sorted(copies.items()) if webp is not None)
    kept.kept.keep(rows, dataset.data_sha256)


def _copy(images: ImageStore, object_id: str) -> bytes | None:
    """Return a small copy of an image, encoded as WebP; None when it cannot be read."""
    import cv2

    try:
        image = images.read(object_id)
    except DataError:
        return None
    small = shrunk(image, LARGEST_SIDE)
    return cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()
