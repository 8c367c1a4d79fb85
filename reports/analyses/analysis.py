"""Analysis of stored predictions: a table over all runs, a summary by track, and a figure."""

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
    """An analysis of stored predictions.

    Attributes:
        file: file name of the table.
        title: heading on the page.
        description: one or two sentences on the content.
        table: computes the table from runs; failed runs have no rows, and runs without values have the reason.
        summary: reduces the rows of a section to one row for each track (index `track`), with means over runs; None if
            the page shows no table.
        figure: file name of the figure, without suffix; empty if there is none.
        draw: draws the figure from a section and its rows, or returns None if there is nothing to draw.

    """

    file: str
    title: str
    description: str
    table: Callable[[Sequence[StoredRun]], pd.DataFrame]
    summary: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    figure: str = ""
    draw: Callable[[Section, pd.DataFrame], Figure | None] | None = None
