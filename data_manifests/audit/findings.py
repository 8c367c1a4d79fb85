"""Findings of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST = 10

Group = Literal["images", "labels", "split", "features"]


@dataclass(frozen=True)
class Finding:
    """One finding of an audit.

    Attributes:
        group: part of the data set that it concerns.
        code: short, stable, machine-readable name.
        text: description, as a noun phrase.
        advice: what it means, or what to do.
        count: number of images, objects, classes or columns.
        examples: names of the first of them.

    """

    group: Group
    code: str
    text: str
    advice: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """Format the finding as two lines: description with count, and examples."""
        first = "first" if self.count > len(self.examples) else "these"
        return f"{self.text}: {self.count:,}. {self.advice}\n    {first}: {', '.join(self.examples)}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"examples": list(self.examples)}


def finding(group: Group, code: str, text: str, advice: str, names: Iterable[object]) -> list[Finding]:
    """Return a list with one finding about `names`, or an empty list if there are no names."""
    found = [str(name) for name in names]
    return [Finding(group, code, text, advice, len(found), tuple(found[:FIRST]))] if found else []
