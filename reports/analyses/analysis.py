"""One analysis: a table over all runs, with its summary by track and its figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun


@dataclass(frozen=True)
class Analysis:
    """A question that stored predictions answer, and how the answer is computed, summarised and drawn.

    Attributes:
        file: name of its table among the report's tables.
        title: heading on the page.
        description: what it shows, in a sentence or two.
        table: computes the table from runs; failed runs have no rows, and a run without an answer has its reason.
        summary: from the rows of a section to one row for each track (index `track`), means over runs; None for no
            table on the page.
        figure: file name of its figure, without suffix; empty when it has none.
        draw: draws the figure from a section and its rows, or returns None where there is nothing to draw.

    """

    file: str
    title: str
    description: str
    table: Callable[[Sequence[StoredRun]], pd.DataFrame]
    summary: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    figure: str = ""
    draw: Callable[[Section, pd.DataFrame], Figure | None] | None = None
