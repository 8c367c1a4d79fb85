"""Study of the folds of fusions: the treatments of classes with a single training row, and its output."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from planktonbench.benchmarks.studies import fusion_folds
from planktonbench.benchmarks.studies.fusion_folds import AsTheyAre, MarkedMissing, SeenByAll, single_rows, tempered
from planktonbench.models.protocol.track import SMALLEST_PROBABILITY, TrackContext
from scipy.special import log_softmax


@pytest.mark.parametrize(("goal", "expected"), [(-0.7, -0.7), (-0.001, None), (-9.0, -np.log(4))])
def test_tempered_reaches_its_goal(goal: float, expected: float | None) -> None:
    """Unless that needs more confidence, which leaves the values unchanged, or less than equal probabilities."""
    log_p = log_softmax(np.random.default_rng(0).normal(size=(6, 4)) + 5 * np.eye(4)[[0, 1, 2, 3, 0, 1]], axis=1)
    y = np.array([0, 1, 2, 3, 0, 1])
    own = log_p[np.arange(6), y].mean()

    made = tempered(log_p, y, goal)

    np.testing.assert_allclose(np.exp(made).sum(axis=1), 1)
    assert made[np.arange(6), y].mean() == pytest.approx(own if expected is None else expected)


def test_treatments_differ_in_the_rows_of_single_row_classes() -> None:
    """Their own class has probability 0 as it is, is missing, or is predicted by networks that have seen the row."""
    subsets, pixels = single_rows(0)
    train = subsets["train"]
    base_run = fusion_folds.network_run(subsets, pixels)
    rows = np.flatnonzero(train.y >= 4)
    found = {}
    for kind in (AsTheyAre, MarkedMissing, SeenByAll):
        track = kind("pixels")
        track.context = TrackContext(base_runs={"pixels": base_run})
        track._network_trials = []
        _, embedded = track._embed_training_rows(train, subsets["valid"], np.random.default_rng(0))
        found[kind] = embedded[rows, train.y[rows]]

    assert found[AsTheyAre] == pytest.approx(np.log(SMALLEST_PROBABILITY))
    assert np.isnan(found[MarkedMissing]).all()
    assert (found[SeenByAll] > np.log(0.3)).all()


def test_tables_have_a_row_for_each_method(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are means with standard errors over data sets."""
    folds = iter([{"trees": 0.25}, {"trees": 0.75}])
    treatments = iter([{"network": (1.0, 0.5)}, {"network": (np.nan, 0.5)}])
    monkeypatch.setattr(sys, "argv", ["fusion_folds", "--seeds", "2"])
    monkeypatch.setattr(fusion_folds, "compare_folds", lambda _: next(folds))
    monkeypatch.setattr(fusion_folds, "compare_treatments", lambda *_: next(treatments))

    fusion_folds.main()

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == "trees 0.500 ± 0.250"
    assert lines[3] == "network 1.000 ± nan 0.500 ± 0.000"
