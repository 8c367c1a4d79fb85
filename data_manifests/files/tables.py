"""Tables as the field writes them: CSV or parquet, ids as canonical text, column names under several spellings."""

from __future__ import annotations

import csv
import gzip
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import PlanktonbenchError, listed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MISSING = ["", "NA", "N/A", "NaN", "nan", "NULL", "null"]
"""Cells that mean "no value". R writes NA, pandas writes nothing."""

SPELLINGS = {
    "object_id": ("object_id", "objid", "imgname"),
    "taxon": ("taxon", "taxon_level1", "level2", "label"),
    "lineage": ("lineage", "lineage_level1", "object_annotation_hierarchy"),
    "set": ("set",),
}
"""Column names of the field for each of ours, the first that is there is taken."""


def read_table(path: Path, error: type[PlanktonbenchError], *, text: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a CSV (also gzipped) or parquet file.

    Args:
        path: the file; `.parquet` is parquet, all else is CSV in UTF-8.
        error: class of the error to raise, since who is at fault depends on whose file it is.
        text: columns to keep as text, exactly as written; all columns when None. Other columns become numbers where
            every cell is one, and stay text where not.

    Raises:
        error: the file is missing, empty, or is no table.

    """
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        dtype: Any = str if text is None else dict.fromkeys(text, str)
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            return pd.read_csv(
                path,
                dtype=dtype,
                encoding="utf-8-sig",
                index_col=False,
                keep_default_na=False,
                na_values=MISSING,
                low_memory=False,
            )
    except FileNotFoundError as fault:
        message = f"{path} does not exist."
        raise error(message) from fault
    except pd.errors.EmptyDataError as fault:
        message = f"{path} is empty; expected a table with a header line."
        raise error(message) from fault
    except pd.errors.ParserWarning as fault:
        message = f"{path} has rows with more cells than its header has names (a comma at the end of the lines?)."
        raise error(message) from fault
    except (OSError, ValueError, pd.errors.ParserError) as fault:
        first_line = str(fault).strip().split("\n", 1)[0]
        message = f"{path} is not a readable table (CSV in UTF-8, or .parquet): {first_line}"
        raise error(message) from fault


def find_column(table: pd.DataFrame, noun: str) -> str | None:
    """Return the name under which a table holds our column `noun`, or None."""
    return next((name for name in SPELLINGS[noun] if name in table.columns), None)


def require_column(table: pd.DataFrame, noun: str, path: Path, error: type[PlanktonbenchError]) -> str:
    """Return the name under which a table holds our column `noun`.

    Raises:
        error: no spelling of it is there; the message lists the columns that are.

    """
    column = find_column(table, noun)
    if column is None:
        names = [str(name) for name in table.columns]
        expected = " or ".join(f"'{name}'" for name in SPELLINGS[noun])
        message = f"{path} has no column {expected}; its columns are {listed(names, 20)}."
        raise error(message)
    return column


def canonical_text(values: pd.Series) -> pd.Series:
    """Return ids or labels as canonical text: stripped, and whole numbers without a decimal point.

    `1.0` is `1`, `1e3` is `1000`; everything else stays as it is written (`007` is not `7`). Missing stays missing.

    >>> import pandas as pd
    >>> list(canonical_text(pd.Series(["1.0", " a.0 ", "007", "3.2e1"])))
    ['1', 'a.0', '007', '32']
    """
    import pandas as pd

    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("str")
    if pd.api.types.is_float_dtype(values.dtype):
        return _whole_floats(values)
    text = values.astype("str").str.strip()
    text = text.mask(text == "")
    text = text.str.replace(r"^([+-]?\d+)\.0*$", r"\1", regex=True)
    exponent = text.str.fullmatch(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,2}").fillna(value=False).astype(bool)
    if exponent.any():
        text = text.mask(exponent, text[exponent].map(_plain))
    return text


def _whole_floats(values: pd.Series) -> pd.Series:
    """Write a float column as text, whole numbers without their point."""

    def written(value: float) -> str:
        return str(int(value)) if float(value).is_integer() else repr(float(value))

    return values.map(written, na_action="ignore").astype("str")


def _plain(number: str) -> str:
    from decimal import Decimal

    value = Decimal(number)
    return str(int(value)) if value == value.to_integral_value() else number


def places_among(ids: pd.Series, known: Iterable[str]) -> NDArray[np.intp]:
    """Return the position of each id among others, -1 where it is not there, intp of shape (n_ids,).

    Args:
        ids: ids in canonical text.
        known: other ids, each once.

    """
    import pandas as pd

    others = pd.Index(known if isinstance(known, pd.Series) else list(known), dtype=object)  # text is slower to look up
    return others.get_indexer(pd.Index(ids, dtype=object))


def not_among(ids: pd.Series, known: Iterable[str]) -> NDArray[np.bool_]:
    """Tell which ids are not among others (each once there), bool of shape (n_ids,); quicker than `isin`."""
    return places_among(ids, known) < 0


def lines_of(path: Path, rows: Iterable[int]) -> list[int]:
    """Return the lines on which rows of a table end in its file; empty lines are no rows, but count as lines.

    Args:
        path: the CSV file; what is no readable text gets the line as if no line were empty.
        rows: positions of rows, from 0.

    """
    wanted = list(rows)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            ends = [reader.line_num for row in reader if len(row) > 1 or "".join(row).strip()][1:]
    except (OSError, ValueError, csv.Error):
        ends = []
    return [ends[row] if row < len(ends) else row + 2 for row in wanted]
