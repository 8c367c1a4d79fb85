"""Notes on faults of the data and how they were handled, with counts and examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


EXAMPLES = 10


@dataclass(frozen=True)
class Note:
    """A fault of the data and how it was handled.

    Attributes:
        code: short, stable, machine-readable name.
        text: description of the fault and the rule applied; continues the count.
        count: number of rows, cells, classes or files.
        examples: the first ids or names.

    """

    code: str
    text: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Format the note as one line."""
        return f"{self.count:,} {self.text}" + (f" (first: {', '.join(self.examples)})" if self.examples else "")


def note(code: str, text: str, values: Iterable[object]) -> list[Note]:
    """Return a list with one note about these ids or names; empty if there are none."""
    names = [str(value) for value in values]
    return [Note(code, text, len(names), tuple(names[:EXAMPLES]))] if names else []


NOTHING_FOUND = "nothing-found"
"""Code of the note on images in which the segmentation found no object."""
