"""Selection of feature columns: measurements of the object, without columns that reveal its label."""

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
"""Ids, positions in field or frame, dates, file names, labels and lineages, in lower case without the prefix `object_`.

Positions in the frame are those dropped by prepare_ecotaxa_datasets (tag, x, y, bx, by, xstart, ystart).
"""


def is_never_a_feature(column: str, extra: Iterable[str] = ()) -> bool:
    """Return whether a column is excluded from the features of all tracks because of its name.

    Args:
        column: name of the column; case, spaces and the prefix `object_` are ignored.
        extra: further names to exclude, such as `never_features` of a manifest.

    """
    excluded = NEVER_FEATURES.union(*(_spellings(name) for name in extra))
    return not excluded.isdisjoint(_spellings(column))


def _spellings(column: str) -> set[str]:
    """Return a name in lower case with underscores, with and without the prefix `object_` of EcoTaxa."""
    plain = "_".join(column.lower().split())
    return {plain, plain.removeprefix("object_")}


def feature_columns(table: pd.DataFrame, extra: Iterable[str], path: Path) -> list[str]:
    """Return the feature columns of a native table, in file order.

    Args:
        table: the native table.
        extra: further names to exclude, such as `never_features` of a manifest.
        path: file of the table, for messages.

    Raises:
        DataError: if a remaining column is not numeric, or no column remains.

    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    extra = tuple(extra)
    features = [str(name) for name in table.columns if not is_never_a_feature(str(name), extra)]
    for name in features:
        if not is_numeric_dtype(table[name]) or is_bool_dtype(table[name]):
            raise DataError(_not_numeric(table[name], path))
    if not features:
        names = [str(name) for name in table.columns]
        message = f"{path} has no feature column; its columns are {listed(names, 20)}."
        raise DataError(message)
    return features


def _not_numeric(column: pd.Series, path: Path) -> str:
    import pandas as pd

    boolean = column.map(lambda cell: isinstance(cell, bool)).astype(bool)
    wrong = column[column.notna() & (boolean | pd.to_numeric(column, errors="coerce").isna())]
    line = lines_of(path, [int(wrong.index[0])])[0]
    return (
        f"{path}: column '{column.name}' should be numeric but contains '{wrong.iloc[0]}' in line {line} "
        f"({len(wrong):,} such cells). "
        "Correct the cells, or list the column under never_features in the manifest if it is not a feature."
    )
