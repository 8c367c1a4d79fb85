"""Study of verdicts: groups of the old kind, and trained models."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies.simulated_predictions import SimulatedDesign
from planktonbench.benchmarks.studies.verdict_study import Training, board_tasks, rank_groups, training_tasks
from planktonbench.reports.comparisons.paired_bootstrap import Resampled


def test_old_groups_are_led_by_the_best_of_the_rest() -> None:
    """A method joins the group of a leader whose interval of the difference contains zero."""
    rng = np.random.default_rng(0)
    means = np.array([0.9, 0.89, 0.5, 0.49])

    assert rank_groups(Resampled(means[:, None] + rng.normal(0, 0.02, (4, 400))), means) == [1, 1, 2, 2]


def test_equally_good_methods_are_one_set_more_often_than_one_group() -> None:
    """With the same replicates."""
    (run,) = board_tasks(SimulatedDesign((60, 30, 10), 12, patchy=True), 12, 12)
    old, new, detected = np.mean(run(), axis=0)

    assert new > 0.8 > old
    assert 0 <= detected <= 1


@pytest.mark.parametrize("one_split", [False, True])
def test_seeds_of_an_algorithm_differ_by_percentiles_but_not_as_methods(one_split: bool) -> None:
    """If training is the larger source of variation."""
    training = Training(SimulatedDesign((1500, 1500, 1500)), 3, 1.0, one_split)
    (run,) = training_tasks(training, 25, 25)
    first_run, percentile, _, methods = np.mean(run(), axis=0)

    assert first_run > 0.3
    assert percentile > 0.3
    assert methods < 0.2


def test_runs_on_one_split_test_the_same_objects() -> None:
    """Only the names of designs state this otherwise."""
    assert "one split" in str(Training(SimulatedDesign((10, 10)), 3, 0.3, one_split=True))
    assert "new splits" in str(Training(SimulatedDesign((10, 10)), 3, 0.3, one_split=False))
