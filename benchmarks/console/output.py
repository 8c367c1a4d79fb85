"""Plain text output: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_verbose: ContextVar[bool] = ContextVar("verbose", default=False)


def write_message(text: str) -> None:
    """Write a message or an error to standard error, without line wrapping."""
    sys.stderr.write(f"{text}\n")


def print_json(value: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under a header, separated by two spaces, text left-aligned and numbers right-aligned."""
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    numeric = [all(_is_number(row[column]) for row in rows) for column in range(len(header))]
    for row in table:
        cells = [cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric, strict=True)]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).replace("-", "", 1).isdigit() or text in {"", "–"}


def be_verbose(*, wanted: bool) -> None:
    """Set whether tracebacks are shown."""
    _verbose.set(wanted)


def is_verbose() -> bool:
    """Return whether --verbose was given on the command line."""
    return _verbose.get()
