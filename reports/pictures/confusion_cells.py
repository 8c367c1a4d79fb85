"""The cells of the confusion matrices: which objects stand behind each, and small copies of some of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from .kept_pictures import WEBP, ImageCopies

if TYPE_CHECKING:
    from pathlib import Path

    from ..results.section import Section

CELLS = "cells"
PER_CELL = 6
MOST_OBJECTS = 5000  # of a section, whose images take some 2 MB
LARGEST_SIDE = 72  # pixels
QUALITY = 60  # of WebP, where 100 keeps all: at this size more cannot be seen


def cell_pictures_of(out: Path, dataset: str) -> ImageCopies:
    """Return the images of cells that a results folder keeps of a data set."""
    return ImageCopies(out / CELLS / f"{dataset}.parquet", LARGEST_SIDE, WEBP, QUALITY)


def cell_objects(section: Section) -> pd.DataFrame:
    """Return some test objects of every cell of the confusion matrix of every finished track.

    Of a cell those come first that more tracks call the same, then by id, so that tracks share images. When there are
    more than `MOST_OBJECTS`, cells share the room by their sizes (the rule by which D'Hondt shares out seats).

    Returns:
        Columns track, taxon, called, object_id, at most `PER_CELL` rows a cell.

    """
    predictions = _predictions(section)
    predictions["tracks"] = predictions.groupby(["taxon", "predicted", "object_id"], sort=False)["track"].transform(
        "size"
    )
    ordered = predictions.sort_values(["tracks", "object_id"], ascending=[False, True], kind="stable")
    cells = ordered.groupby(["track", "taxon", "predicted"], sort=False)["object_id"]
    ordered = ordered.assign(place=cells.cumcount(), share=(1 + cells.cumcount()) / cells.transform("size"))
    shown = ordered[ordered["place"] < PER_CELL].sort_values("share", kind="stable")
    within = (~shown["object_id"].duplicated()).cumsum() <= MOST_OBJECTS
    chosen = shown[shown["object_id"].isin(set(shown.loc[within, "object_id"]))]
    return chosen[["track", "taxon", "predicted", "object_id"]].reset_index(drop=True)


def _predictions(section: Section) -> pd.DataFrame:
    """Return what each finished track called each test object, each way of it once."""
    parts = [
        run.predictions[["taxon", "predicted", "object_id"]].assign(track=track.name)
        for track in section.done
        for run in track.runs
        if run.score is not None
    ]
    columns = ["track", "taxon", "predicted", "object_id"]
    return pd.concat(parts)[columns].drop_duplicates(ignore_index=True) if parts else pd.DataFrame(columns=columns)
