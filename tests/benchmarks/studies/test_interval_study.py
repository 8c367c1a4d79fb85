"""Study of intervals: the shares that it reports are those of its replicates, and the percentile interval is worse."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies.interval_study import METHODS, Replicate, designs, summarise, tasks
from planktonbench.benchmarks.studies.simulated_predictions import SimulatedDesign


def test_shares_are_those_of_the_replicates() -> None:
    """Coverage of the mean, alarms, power, and width relative to the percentile interval."""
    wide, narrow, off = [0.0, 1.0], [0.45, 0.55], [0.6, 0.8]
    first = Replicate(0.4, np.array([narrow, wide, wide]), np.array([off, wide, wide]), np.array([off, off, wide]), 0.2)
    second = Replicate(0.6, np.array([off, wide, narrow]), np.array([off, off, wide]), np.array([off, off, off]), 0.4)

    found = summarise(SimulatedDesign((4, 4)), [first, second])

    assert found.coverage.tolist() == [0.5, 1.0, 1.0]
    assert found.false_alarms.tolist() == pytest.approx([1.0, 0.5, 0.0])
    assert found.power.tolist() == [1.0, 1.0, 0.5]
    assert found.width == pytest.approx([1.0, 2 / 0.3, 1.1 / 0.3])
    assert found.difference == pytest.approx(0.3)


def test_few_patchy_samples_need_the_jackknife() -> None:
    """With five samples, percentile intervals of equally good methods exclude zero far too often."""
    design = SimulatedDesign((60, 40, 20, 10), 5, patchy=True)
    (run,) = tasks(design, 150, 150)

    found = dict(zip(METHODS, summarise(design, run()).false_alarms.tolist(), strict=True))

    assert found["percentile"] > 0.1
    assert found["jackknife"] < 0.08


def test_results_do_not_depend_on_the_chunks() -> None:
    """Each replicate has its own seed."""
    design = SimulatedDesign((6, 6, 3), 4)
    one, several = ([found for run in tasks(design, 6, chunk) for found in run()] for chunk in (6, 2))

    assert [found.value for found in one] == [found.value for found in several]


def test_designs_cover_the_required_range() -> None:
    """5 to 60 samples and objects; 7, 39 and 121 classes; supports from 2."""
    found = list(designs())

    assert {design.samples for design in found} == {0, 5, 10, 20, 30, 60}
    assert {7, 39, 121} <= {design.n_classes for design in found}
    assert min(min(design.supports) for design in found) == 2
    assert min(design.n_objects for design in found) <= 21
