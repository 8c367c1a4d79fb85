"""Figures of analyses with few objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from planktonbench.reports.analyses.sorting_effort import effort_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_too_few_objects_have_no_effort_figure(make_section: Callable[..., Section]) -> None:
    """Twelve test objects have no curve; this is not an error."""
    section = make_section({"taxa": {"Copepoda": 18, "detritus": 18}})

    assert effort_figure(section, pd.DataFrame()) is None
