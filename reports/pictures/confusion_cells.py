"""Objects in the cells of the confusion matrices, with small copies of some of their images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from .kept_pictures import WEBP, ImageCopies

if TYPE_CHECKING:
    from pathlib import Path

    from ..results.section import Section

CELLS = "cells"
PER_CELL = 6
MOST_OBJECTS = 5000  # per section; their images take about 2 MB
LARGEST_SIDE = 72  # pixels
QUALITY = 60  # of WebP, where 100 is lossless; at this size a higher quality is not visible


def cell_pictures_of(out: Path, dataset: str) -> ImageCopies:
    """Return the images of cells stored in a results folder for a data set."""
    return ImageCopies(out / CELLS / f"{dataset}.parquet", LARGEST_SIDE, WEBP, QUALITY)


def cell_objects(section: Section) -> pd.DataFrame:
    """Return some test objects for every cell of the confusion matrix of every finished track.

    Within a cell, objects on which more tracks agree come first, then the order is by id, so that tracks share images.
    If there are more than `MOST_OBJECTS`, objects are allotted to cells in proportion to their sizes (D'Hondt method).

    Returns:
        Columns track, taxon, predicted, object_id; at most `PER_CELL` rows per cell.

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
    """Return the distinct predictions of each finished track for each test object."""
    tables = [
        run.predictions[["taxon", "predicted", "object_id"]].assign(track=track.name)
        for track in section.done
        for run in track.runs
        if run.score is not None
    ]
    columns = ["track", "taxon", "predicted", "object_id"]
    return pd.concat(tables)[columns].drop_duplicates(ignore_index=True) if tables else pd.DataFrame(columns=columns)
