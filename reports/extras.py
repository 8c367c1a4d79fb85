"""Further results of a data set, each a part of its page: a sentence, a table, figures, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Extra:
    """A part of the page.

    Attributes:
        place: its place on the page, for links.
        title: its heading.
        words: what it shows, in a sentence.
        columns: heads of its table.
        rows: cells of its table, as they are shown.
        figures: names of its figures.
        reasons: why something is not shown, each in a sentence.
        table: file among the tables that holds all of it; empty when there is none.

    """

    place: str
    title: str
    words: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    table: str = ""
