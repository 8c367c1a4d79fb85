"""Which columns are measurements of the object, and which would give its label away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DataError, listed
from ..files.tables import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd

IDENTITY = {
    "id", "ids", "objid", "object_id", "objectid", "orig_id", "projid", "acquisid", "acquis_id", "acq_id",
    "processid", "process_id",
    "sampleid", "sample_id", "sample", "station", "cruise", "particle_id", "roi_number", "uuid", "tag", "index", "row",
    "unnamed:_0", "random_value", "sunpos",
}  # fmt: skip
POSITION = {
    "latitude", "longitude", "lat", "lon", "lat_end", "lon_end", "depth", "depth_min", "depth_max",
    "x", "y", "bx", "by", "xstart", "ystart", "image_x", "image_y", "src_x", "src_y", "capture_x", "capture_y",
}  # fmt: skip
TIME = {"date", "time", "datetime", "objdate", "objtime", "timestamp", "capture_time", "elapsed_time", "date_end"}
FILES = {
    "file", "filename", "file_name", "imgname", "img_file_name", "img_path", "img_rank", "image", "image_id", "path",
    "collage_file", "source_image", "link", "url", "unique_name", "name",
}  # fmt: skip
LABELS = {
    "taxon", "taxa", "label", "labels", "class", "classif_id", "classif_qual", "classif_who", "classif_when",
    "category", "annotation_category", "annotation_hierarchy", "annotation_status", "annotation_person_name",
    "annotation_person_email", "annotation_date", "annotation_time", "annotation_category_id", "classif_auto_id",
    "classif_auto_score", "lineage", "level1", "level2",
    "level1_num", "level2_num", "aphiaid", "taxon_level1", "taxon_level2", "lineage_level1", "plankton",
    "status", "set", "species", "genus", "family", "order", "phylum", "kingdom",
}  # fmt: skip
NEVER_FEATURES = frozenset(IDENTITY | POSITION | TIME | FILES | LABELS)
"""Ids, positions in field or frame, dates, file names, labels and lineages, in lower case, without EcoTaxa's `object_`.

Positions in the frame are those that prepare_ecotaxa_datasets drops (tag, x, y, bx, by, xstart, ystart).
"""


def is_never_a_feature(column: str, also: Iterable[str] = ()) -> bool:
    """Tell whether no track may learn from a column, by its name.

    `also` are the manifest's own; case, spaces and the prefix `object_` do not matter.
    """
    forbidden = NEVER_FEATURES.union(*(_spellings(name) for name in also))
    return not forbidden.isdisjoint(_spellings(column))


def _spellings(column: str) -> set[str]:
    """Return a name in lower case with underscores, with and without EcoTaxa's prefix."""
    plain = "_".join(column.lower().split())
    return {plain, plain.removeprefix("object_")}


def feature_columns(table: pd.DataFrame, also: Iterable[str], path: Path) -> list[str]:
    """Return the columns of a native table that tracks may learn from, in file order.

    Raises:
        DataError: a column that is no id, name, position or date holds text, or no column is left.

    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    never = tuple(also)
    kept = [str(name) for name in table.columns if not is_never_a_feature(str(name), never)]
    for name in kept:
        if not is_numeric_dtype(table[name]) or is_bool_dtype(table[name]):
            raise DataError(_text_in_numbers(table[name], path))
    if not kept:
        names = [str(name) for name in table.columns]
        message = f"{path} has no measured column; its columns are {listed(names, 20)}."
        raise DataError(message)
    return kept


def _text_in_numbers(column: pd.Series, path: Path) -> str:
    import pandas as pd

    truth_values = column.map(lambda cell: isinstance(cell, bool)).astype(bool)
    wrong = column[column.notna() & (truth_values | pd.to_numeric(column, errors="coerce").isna())]
    line = lines_of(path, [int(wrong.index[0])])[0]
    return (
        f"{path}: column '{column.name}' should hold numbers but holds '{wrong.iloc[0]}' in line {line} "
        f"({len(wrong):,} such cells). "
        "Correct the cells, or list the column under never_features in the manifest if it is not a measurement."
    )
