"""Notes: what was found in the data and what was done about it, with counts and examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


EXAMPLES = 10


@dataclass(frozen=True)
class Note:
    """One fault of the data and what was done about it.

    Attributes:
        code: a short stable name, for programs.
        text: the fault and the rule, in a sentence, for people.
        count: how many rows, cells or classes.
        examples: the first ids or names.

    """

    code: str
    text: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the note as one line."""
        return f"{self.count:,} {self.text}" + (f" (first: {', '.join(self.examples)})" if self.examples else "")


def note(code: str, text: str, values: Iterable[object]) -> list[Note]:
    """Return one note about these ids or names, or none when there are none."""
    names = [str(value) for value in values]
    return [Note(code, text, len(names), tuple(names[:EXAMPLES]))] if names else []


NOTHING_FOUND = "nothing-found"
"""Code of the note that counts images in which the segmentation found no object."""
