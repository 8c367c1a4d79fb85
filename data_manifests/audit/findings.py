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
    """One thing that an audit found.

    Attributes:
        group: what it is about.
        code: a short stable name, for programs.
        text: what was found, as a noun.
        advice: what it means, or what to do.
        count: how many images, objects, classes or columns.
        examples: the first of them, by name.

    """

    group: Group
    code: str
    text: str
    advice: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        """Write the finding as two lines: what and how many, and the first by name."""
        first = "first" if self.count > len(self.examples) else "these"
        return f"{self.text}: {self.count:,}. {self.advice}\n    {first}: {', '.join(self.examples)}"

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"examples": list(self.examples)}


def finding(group: Group, code: str, text: str, advice: str, names: Iterable[object]) -> list[Finding]:
    """Return one finding about these names, or none when there are none."""
    found = [str(name) for name in names]
    return [Finding(group, code, text, advice, len(found), tuple(found[:FIRST]))] if found else []
