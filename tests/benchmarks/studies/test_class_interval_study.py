"""Study of intervals of classes: coverage by support."""

from __future__ import annotations

from planktonbench.benchmarks.studies.class_interval_study import class_tasks, summarise_classes
from planktonbench.benchmarks.studies.simulated_predictions import SimulatedDesign


def test_intervals_of_proportions_cover_rare_classes() -> None:
    """The recall of classes with ten objects is covered in at least 93 % of test sets, unlike by percentiles."""
    design = SimulatedDesign((40.0, 40.0, 10.0, 10.0))
    (run,) = class_tasks(design, 120, 120)

    rare, frequent = summarise_classes(design, run())

    percentile, new = (float(cell.split()[0]) for cell in rare[3:5])
    assert rare[0] == "10"
    assert frequent[0] == "40"
    assert percentile < new
    assert new >= 93
