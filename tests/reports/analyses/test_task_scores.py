"""Measures of a task on the page: means with intervals, and facts as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from planktonbench.reports.analyses.task_scores import TaskScores
from planktonbench.reports.tasks.clustering import Clustering

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def test_summary_has_means_with_intervals_and_facts_as_text() -> None:
    """Means of counts keep their fraction, so that few objects do not look like none; text is listed."""
    facts = {"labels": ["none", "all"], "n_clusters": [10, 12], "labels_used": 468, "n_unnamed": [0, 1]}
    measures = {f"{name}{end}": value for name in Clustering.measures for end, value in (("_lo", 0.1), ("_hi", 0.5))}
    values = {name: [0.2, 0.4] for name in Clustering.measures}
    rows = pd.DataFrame({"track": "groups", "named_macro_f1": 0.25, **facts, **measures, **values})

    row = TaskScores(Clustering()).summary(rows).loc["groups"]

    assert row["ACC"] == row["NMI"] == "0.300 [0.100, 0.500]"
    assert row["labels seen"] == "none, all"
    assert (row["clusters"], row["labels for names"], row["objects without name"]) == ("11", "468", "0.500")


def test_sections_without_the_task_are_not_concerned(make_section: Callable[..., Section]) -> None:
    """A section of classifiers shows no measures of clusterings, and the table has no rows."""
    section, analysis = make_section({}), TaskScores(Clustering())

    assert not analysis.applies(section)
    assert analysis.table(section.runs).empty
