"""Figures for ecologists where there is little to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from planktonbench.reports.analyses.sorting_effort import effort_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_no_effort_is_drawn_of_a_handful_of_objects(make_section: Callable[..., Section]) -> None:
    """Twelve test objects have no curve, and the report is written all the same."""
    section = make_section({"taxa": {"Copepoda": 18, "detritus": 18}})

    assert effort_figure(section, pd.DataFrame()) is None
