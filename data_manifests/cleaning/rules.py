"""Rules for faulty tables: each kind of fault has one rule, and is counted and reported.

| fault | rule |
|---|---|
| ids as floats in one table and integers in another | compared as canonical text |
| exact duplicate rows | the first is kept, the others are dropped and counted |
| several different rows with the same id | error |
| row without id | error |
| row without taxon | left out and counted; not a class |
| missing or infinite native value | treated as missing; counted |
| object without native row | kept with missing native values; counted |
| native row without object | left out and counted; error if no row has an object |
| object without image | kept for tracks that need no images; counted |
| image without object | left out and counted |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DataError, listed
from ..files.tables import canonical_text, find_column, lines_of, not_in, positions_in, require_column
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
    """Tables after cleaning: objects sorted by id, the aligned native table, and the notes."""

    objects: pd.DataFrame
    native: pd.DataFrame | None
    notes: tuple[Note, ...]


def clean(raw: RawTables, manifest: Manifest) -> CleanTables:
    """Clean raw tables by the rules of this module.

    Returns:
        objects: columns object_id, taxon, lineage, sample and set, with one row per object with a taxon, sorted by
            object_id; lineage, sample and set are missing if the files do not contain them.
        native: float64 of shape (n_objects, n_features), indexed by object_id in the order of `objects`, or None.

    Raises:
        DataError: if a column or an id is missing, an id has several different rows, or the tables do not match.

    """
    objects, object_notes = _clean_objects(raw, manifest)
    notes = [*raw.notes, *object_notes]
    native = None
    if raw.native is not None and raw.native_path is not None:
        native, native_notes = _clean_native(raw.native, raw.native_path, manifest, objects)
        notes += native_notes
    notes += _compare_with_images(objects, raw.images)
    labelled = objects["taxon"].notna()
    notes += note("no-taxon", "objects have no taxon: left out, not a class", objects["object_id"][~labelled])
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
    """Return sample names, joined from the existing grouping columns; None if there are no such columns."""
    columns = [name for name in grouping if name in table.columns]
    if not columns:
        return None
    known = table[columns].notna().any(axis=1)
    text = table[columns].astype("str").fillna("")
    joined = text[columns[0]]
    for name in columns[1:]:
        joined = joined + "|" + text[name]
    return joined.where(known)


def unique_rows(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[Note]]:
    """Return a table with one row per id and the column `object_id` as canonical text, with notes on dropped rows.

    Raises:
        DataError: if there is no id column or no row, a row has no id, or an id has several different rows.

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
    repeated = table["object_id"].duplicated(keep=False)
    if not repeated.any():
        return table, []
    candidates = table[repeated]
    copies = candidates.index[candidates.duplicated()]
    conflicts = candidates.drop(index=copies)["object_id"]
    conflicts = conflicts[conflicts.duplicated()]
    if len(conflicts):
        message = (
            f"{path}: one id has two different rows: {listed(conflicts.unique())}. "
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
    """Align the native table with the objects and count missing values."""
    import numpy as np
    import pandas as pd

    table, notes = unique_rows(table, path)
    columns = feature_columns(table, manifest.never_features, path)
    rows = positions_in(objects["object_id"], table["object_id"])
    missing = rows < 0
    unmatched = np.ones(len(table), dtype=bool)
    unmatched[rows[~missing]] = False
    if unmatched.all():
        message = (
            f"{path}: none of its {len(table):,} ids occurs in the table of objects "
            f"(first ids: {listed(table['object_id'], 3)}; expected ids such as {listed(objects['object_id'], 3)}). "
            "The two files seem to belong to different data sets."
        )
        raise DataError(message)
    notes += note("native-without-object", "native rows have no object: left out", table.loc[unmatched, "object_id"])
    notes += note(
        "object-without-native",
        "objects have no native row: kept with missing native values",
        objects.loc[missing, "object_id"],
    )
    values = _aligned(table[columns], rows)
    faults = {"missing": np.isnan(values), "infinite": np.isinf(values)}
    for code, cells in faults.items():
        if cells.any():
            text = f"native values are {code}: treated as missing"
            notes.append(Note(code, text, int(cells.sum()), _top_columns(columns, cells)))
    values[faults["infinite"]] = np.nan
    index = pd.Index(objects["object_id"], name="object_id")
    return pd.DataFrame(values, index=index, columns=columns, copy=False), notes


def _aligned(table: pd.DataFrame, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the given rows of a table, with NaN for row -1; columns are copied one by one to save memory."""
    import numpy as np

    values = np.empty((table.shape[1], len(rows)))
    for target, name in zip(values, table.columns, strict=True):
        np.take(table[name].to_numpy(dtype=np.float64, na_value=np.nan), rows, out=target, mode="clip")
    values[:, rows < 0] = np.nan
    return values.T


def _top_columns(columns: list[str], cells: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the names of the columns with the most marked cells, with their share of rows."""
    import pandas as pd

    shares = pd.Series(cells.mean(axis=0), index=columns).sort_values(ascending=False, kind="stable")
    return tuple(f"{name} {share:.2%}" for name, share in shares[shares > 0].head(EXAMPLES).items())


def _compare_with_images(objects: pd.DataFrame, images: ImageStore | None) -> list[Note]:
    if images is None:
        return []
    members = images.members
    ids = set(objects["object_id"])
    without_image = objects.loc[not_in(objects["object_id"], members), "object_id"]
    without_object = [member for object_id, member in members.items() if object_id not in ids]
    text = "objects have no image: kept for tracks that need no images"
    return [
        *note("object-without-image", text, without_image),
        *note("image-without-object", "images have no object: left out", without_object),
    ]
