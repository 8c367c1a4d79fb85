"""The rules for dirty tables: each fault has one rule, is counted, and is told.

| fault | rule |
|---|---|
| ids as float in one table and integer in another | compared as canonical text |
| exact duplicate rows | one is kept, the others are dropped and counted |
| one id with two contents | refused |
| a row without id | refused |
| a row without taxon | left out and counted; it is no class |
| missing or infinite native values | kept as missing, counted |
| an object without native row | kept, all its native values are missing; counted |
| a native row without object | left out and counted; refused when no row has one |
| an object without image | kept for tracks that need none; counted |
| an image without object | left out and counted |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DataError, listed
from ..files.tables import canonical_text, find_column, lines_of, not_among, places_among, require_column
from ..notes import EXAMPLES, Note, note
from .feature_columns import feature_columns

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..images.store import ImageStore
    from ..manifest import Manifest
    from .raw_tables import RawTables


@dataclass(frozen=True)
class CleanTables:
    """Tables after the rules: objects sorted by id, the native table aligned with them, and the notes."""

    objects: pd.DataFrame
    native: pd.DataFrame | None
    notes: tuple[Note, ...]


def clean(raw: RawTables, manifest: Manifest) -> CleanTables:
    """Apply the rules of this module to raw tables.

    Returns:
        objects: columns object_id, taxon, lineage, sample, set (the last three missing where the files do not tell),
            sorted by object_id, one row per object with a taxon.
        native: float64 of shape (n_objects, n_features), indexed by object_id in the order of objects, or None.

    Raises:
        DataError: a column is missing, an id is missing or stands for two objects, or the tables do not match.

    """
    objects, found = _clean_objects(raw, manifest)
    notes = [*raw.notes, *found]
    native = None
    if raw.native is not None and raw.native_path is not None:
        native, more = _clean_native(raw.native, raw.native_path, manifest, objects)
        notes += more
    notes += _compare_with_images(objects, raw.images)
    labelled = objects["taxon"].notna()
    notes += note("no-taxon", "objects have no taxon: left out, they are not a class", objects["object_id"][~labelled])
    return CleanTables(
        objects=objects[labelled].reset_index(drop=True),
        native=native if native is None or labelled.all() else native[labelled.to_numpy()],
        notes=tuple(notes),
    )


def _clean_objects(raw: RawTables, manifest: Manifest) -> tuple[pd.DataFrame, list[Note]]:
    import pandas as pd

    path = raw.objects_path
    taxon = require_column(raw.objects, "taxon", path, DataError)
    table, notes = unique_rows(raw.objects, path)
    optional = {noun: find_column(table, noun) for noun in ("lineage", "set")}
    objects = pd.DataFrame(
        {
            "object_id": table["object_id"],
            "taxon": canonical_text(table[taxon]),
            "lineage": table[optional["lineage"]] if optional["lineage"] else None,
            "sample": _samples(table, manifest.grouping),
            "set": table[optional["set"]] if optional["set"] else None,
        }
    ).astype("str")
    if objects["taxon"].notna().sum() == 0:
        message = f"{path}: no row has a taxon (column '{taxon}')."
        raise DataError(message)
    return objects.sort_values("object_id", ignore_index=True), notes


def _samples(table: pd.DataFrame, grouping: tuple[str, ...]) -> pd.Series | None:
    """Join the grouping columns that are there into one name per sample; None when there is none."""
    columns = [name for name in grouping if name in table.columns]
    if not columns:
        return None
    told = table[columns].notna().any(axis=1)
    text = table[columns].astype("str").fillna("")
    joined = text[columns[0]]
    for name in columns[1:]:
        joined = joined + "|" + text[name]
    return joined.where(told)


def unique_rows(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[Note]]:
    """Give a table its `object_id` column in canonical text, one row per id.

    Raises:
        DataError: the id column is missing, a row has no id, or an id has two contents.

    """
    column = require_column(table, "object_id", path, DataError)
    if not len(table):
        message = f"{path} has a header but no rows."
        raise DataError(message)
    table = table.assign(object_id=canonical_text(table[column]))
    if column != "object_id":
        table = table.drop(columns=column)
    empty = table["object_id"].isna()
    if empty.any():
        lines = lines_of(path, [int(row) for row in empty.to_numpy().nonzero()[0]])
        message = f"{path}: {len(lines):,} rows have no '{column}' (lines {listed(lines)}). Give each object an id."
        raise DataError(message)
    again = table["object_id"].duplicated(keep=False)
    if not again.any():
        return table, []
    suspects = table[again]
    copies = suspects.index[suspects.duplicated()]
    clash = suspects.drop(index=copies)["object_id"]
    clash = clash[clash.duplicated()]
    if len(clash):
        message = (
            f"{path}: one id has two different rows: {listed(clash.unique())}. "
            f"Expected one row per '{column}'; remove the wrong ones."
        )
        raise DataError(message)
    dropped = note(
        f"duplicate-rows-{path.name}", f"exact duplicate rows in {path.name}: dropped", table.loc[copies, "object_id"]
    )
    return table.drop(index=copies), dropped


def _clean_native(
    table: pd.DataFrame, path: Path, manifest: Manifest, objects: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Align the native table with the objects; count what is missing."""
    import numpy as np
    import pandas as pd

    table, notes = unique_rows(table, path)
    columns = feature_columns(table, manifest.never_features, path)
    rows = places_among(objects["object_id"], table["object_id"])
    lonely = rows < 0
    strangers = np.ones(len(table), dtype=bool)
    strangers[rows[~lonely]] = False
    if strangers.all():
        message = (
            f"{path}: none of its {len(table):,} ids is in the table of objects "
            f"(first: {listed(table['object_id'], 3)}; expected such as {listed(objects['object_id'], 3)}). "
            "The two files seem to belong to different data sets."
        )
        raise DataError(message)
    notes += note("native-without-object", "native rows have no object: left out", table.loc[strangers, "object_id"])
    notes += note(
        "object-without-native",
        "objects have no native row: kept, their native values are missing",
        objects.loc[lonely, "object_id"],
    )
    values = _aligned(table[columns], rows)
    faults = {"missing": np.isnan(values), "infinite": np.isinf(values)}
    for code, cells in faults.items():
        if cells.any():
            text = f"native values are {code}: kept as missing"
            notes.append(Note(code, text, int(cells.sum()), _names(columns, cells)))
    values[faults["infinite"]] = np.nan
    index = pd.Index(objects["object_id"], name="object_id")
    return pd.DataFrame(values, index=index, columns=columns, copy=False), notes


def _aligned(table: pd.DataFrame, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return these rows of a table, NaN for row -1; column by column, so that there is no third copy."""
    import numpy as np

    values = np.empty((table.shape[1], len(rows)))
    for place, name in zip(values, table.columns, strict=True):
        np.take(table[name].to_numpy(dtype=np.float64, na_value=np.nan), rows, out=place, mode="clip")
    values[:, rows < 0] = np.nan
    return values.T


def _names(columns: list[str], cells: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the columns with the most of these cells, with their share of rows."""
    import pandas as pd

    shares = pd.Series(cells.mean(axis=0), index=columns).sort_values(ascending=False, kind="stable")
    return tuple(f"{name} {share:.2%}" for name, share in shares[shares > 0].head(EXAMPLES).items())


def _compare_with_images(objects: pd.DataFrame, images: ImageStore | None) -> list[Note]:
    if images is None:
        return []
    members = images.members
    ids = set(objects["object_id"])
    without_image = objects.loc[not_among(objects["object_id"], members), "object_id"]
    without_object = [member for object_id, member in members.items() if object_id not in ids]
    return note("object-without-image", "objects have no image: kept for tracks that need none", without_image) + note(
        "image-without-object", "images have no object: left out", without_object
    )
