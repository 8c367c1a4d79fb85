"""Mismatch between a stored and a recomputed value."""

from __future__ import annotations

from dataclasses import dataclass

ABSENT, PRESENT = "absent", "present"


@dataclass(frozen=True)
class Mismatch:
    """A value that differs from what its source gives.

    Attributes:
        run: data set, track, split and seed, as far as they apply.
        file: file with the stored value, relative to the results folder.
        column: column of a table or key of a card; empty if it concerns the whole file or row.
        stored: the stored value as text.
        recomputed: the recomputed value as text.

    """

    run: str
    file: str
    column: str
    stored: str
    recomputed: str

    def __str__(self) -> str:
        """Return run, file, column and both values in one line."""
        where = ", ".join(filter(None, [self.run, self.file, self.column]))
        return f"{where}: stored {self.stored}, recomputed {self.recomputed}"
