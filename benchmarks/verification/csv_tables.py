"""Comparison of a stored CSV table with a recomputed one, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...data_manifests.errors import DataError
from .mismatch import ABSENT, PRESENT, Mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

KEYS = (
    "dataset",
    "track",
    "a",
    "b",
    "split",
    "seed",
    "rank",
    "sample",
    "estimator",
    "rule",
    "target",
    "taxon",
    "truth",
)
"""Columns that identify a row, in the order in which they are shown; of rows with equal keys the order counts."""

RELATIVE, ABSOLUTE = 1e-9, 1e-12
"""Differences accepted as rounding: another processor may sum in another order."""


def compare_tables(stored: Path, recomputed: Path, name: str) -> Iterator[Mismatch]:
    """Yield the differences between two CSV files.

    Args:
        stored: the stored file.
        recomputed: the recomputed file.
        name: name of the stored file, for messages.

    """
    try:
        one, other = _read(stored), _read(recomputed)
    except (OSError, ValueError, DataError) as fault:
        yield Mismatch("", name, "", f"unreadable ({fault})", PRESENT)
        return
    for column in other.columns.symmetric_difference(one.columns, sort=False):
        states = [PRESENT if column in table.columns else ABSENT for table in (one, other)]
        yield Mismatch("", name, str(column), *states)
    keys = [key for key in KEYS if key in one.columns and key in other.columns]
    rows, others = _by_key(one, keys), _by_key(other, keys)
    for key in dict.fromkeys([*rows, *others]):
        label = _label(keys, key)
        if key not in rows or key not in others:
            states = [PRESENT if key in found else ABSENT for found in (rows, others)]
            yield Mismatch(label, name, "", f"row {states[0]}", f"row {states[1]}")
            continue
        for column in rows[key].keys() & others[key].keys():
            if not _equal(rows[key][column], others[key][column]):
                yield Mismatch(label, name, column, rows[key][column], others[key][column])


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _by_key(table: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], dict[str, str]]:
    """Return the rows by their key columns and their number among rows with the same key."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in table.to_dict("records"):
        values = tuple(row[key] for key in keys)
        number = 0
        while (*values, str(number)) in found:
            number += 1
        found[*values, str(number)] = {str(column): value for column, value in row.items()}
    return found


def _label(keys: list[str], key: tuple[str, ...]) -> str:
    """Return the identity of a row as text, such as `lake · majority · holdout.v1 · seed 0`."""
    values = dict(zip(keys, key, strict=False))
    texts = [f"seed {value}" if name == "seed" else value for name, value in values.items() if value]
    return " · ".join([*texts, *([f"row {int(key[-1]) + 1}"] if key[-1] != "0" or not keys else [])])


def _equal(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        a, b = float(one), float(other)
    except ValueError:
        return False
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(a) and math.isnan(b))
