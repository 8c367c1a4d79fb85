"""Reading of CSV and parquet tables, with canonical ids and alternative column names."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import PlanktonbenchError, listed
from ..seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MISSING = ["", "NA", "N/A", "NaN", "nan", "NULL", "null"]
"""Cells that are read as missing values. R writes `NA`; pandas writes empty cells."""

SPELLINGS = {
    "object_id": ("object_id", "objid", "imgname"),
    "taxon": ("taxon", "taxon_level1", "level2", "label"),
    "lineage": ("lineage", "lineage_level1", "object_annotation_hierarchy"),
    "set": ("set",),
}
"""Accepted names of each standard column in plankton data, by priority."""


def read_table(path: Path, error: type[PlanktonbenchError], *, text: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a CSV (also gzipped) or parquet file.

    Args:
        path: the file; parquet if its suffix is `.parquet`, otherwise CSV in UTF-8.
        error: class of the error to raise, which depends on the origin of the file.
        text: columns to read as text without conversion; None for all columns. Other columns are numeric if every
            cell is a number, and text otherwise.

    Raises:
        error: the file is missing, empty or not a table.

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


def find_column(table: pd.DataFrame, name: str) -> str | None:
    """Return the first accepted name of a standard column that a table contains; None if there is none."""
    return next((spelling for spelling in SPELLINGS[name] if spelling in table.columns), None)


def require_column(table: pd.DataFrame, name: str, path: Path, error: type[PlanktonbenchError]) -> str:
    """Return the first accepted name of a standard column that a table contains.

    Raises:
        error: the table has no such column; the message lists its columns.

    """
    column = find_column(table, name)
    if column is None:
        names = [str(found) for found in table.columns]
        expected = " or ".join(f"'{spelling}'" for spelling in SPELLINGS[name])
        message = f"{path} has no column {expected}; its columns are {listed(names, 20)}."
        raise error(message)
    return column


def canonical_text(values: pd.Series) -> pd.Series:
    """Convert ids or labels to canonical text: stripped, with integers written without a decimal point.

    `1.0` becomes `1` and `1e3` becomes `1000`; other text is unchanged, including `007`. Missing values are preserved.

    >>> import pandas as pd
    >>> list(canonical_text(pd.Series(["1.0", " a.0 ", "007", "3.2e1"])))
    ['1', 'a.0', '007', '32']
    """
    import pandas as pd

    if pd.api.types.is_integer_dtype(values.dtype):
        return values.astype("str")
    if pd.api.types.is_float_dtype(values.dtype):
        return _floats_as_text(values)
    text = values.astype("str").str.strip()
    text = text.mask(text == "")
    text = text.str.replace(r"^([+-]?\d+)\.0*$", r"\1", regex=True)
    exponent = text.str.fullmatch(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{1,2}").fillna(value=False).astype(bool)
    if exponent.any():
        text = text.mask(exponent, text[exponent].map(_without_exponent))
    return text


def _floats_as_text(values: pd.Series) -> pd.Series:
    """Convert floats to text, with integers written without a decimal point."""

    def as_text(value: float) -> str:
        return str(int(value)) if float(value).is_integer() else repr(float(value))

    return values.map(as_text, na_action="ignore").astype("str")


def _without_exponent(number: str) -> str:
    from decimal import Decimal

    value = Decimal(number)
    return str(int(value)) if value == value.to_integral_value() else number


def table_sha256(table: pd.DataFrame) -> str:
    """Return the hash of the content of a table, independent of its file format and the order of rows and columns.

    Rows are sorted by `object_id` if there is such a column; otherwise their order matters. Numbers are compared as
    float64, so that the width in which a file stores an integer does not matter, and other values as text.
    """
    rows = table.sort_values("object_id", kind="stable") if "object_id" in table.columns else table
    return sha256_text(*(text for name in sorted(rows.columns) for text in (str(name), _column_sha256(rows[name]))))


def _column_sha256(values: pd.Series) -> str:
    """Return a hash that is equal for columns with the same values, missing values included."""
    import numpy as np

    if values.dtype.kind in "fiub":
        numbers = values.to_numpy("<f8") + 0.0  # turns -0.0 into 0.0, and copies
        numbers[np.isnan(numbers)] = np.nan
        return hashlib.sha256(numbers.tobytes()).hexdigest()
    texts = [value if isinstance(value, str) else None if missing else str(value) for value, missing in zip(
        values.tolist(), values.isna().tolist(), strict=True)]  # fmt: skip
    return sha256_text(json.dumps(texts))


def positions_in(ids: pd.Series, known: Iterable[str]) -> NDArray[np.intp]:
    """Return the position of each id among known ids, or -1 if it is unknown; intp of shape (n_ids,).

    Args:
        ids: ids as canonical text.
        known: unique ids.

    """
    import pandas as pd

    index = pd.Index(known if isinstance(known, pd.Series) else list(known), dtype=object)  # faster than dtype str
    return index.get_indexer(pd.Index(ids, dtype=object))


def not_in(ids: pd.Series, known: Iterable[str]) -> NDArray[np.bool_]:
    """Return a mask of the ids that are not among unique known ids; bool of shape (n_ids,). Faster than `isin`."""
    return positions_in(ids, known) < 0


def lines_of(path: Path, rows: Iterable[int]) -> list[int]:
    """Return the line numbers in a CSV file on which rows of its table end, counting empty lines.

    Args:
        path: the CSV file. If it cannot be read as text, line numbers are computed as if it had no empty lines.
        rows: positions of rows, starting at 0.

    """
    positions = list(rows)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            ends = [reader.line_num for row in reader if len(row) > 1 or "".join(row).strip()][1:]
    except (OSError, ValueError, csv.Error):
        ends = []
    return [ends[row] if row < len(ends) else row + 2 for row in positions]
