"""Tests of the simulated comparisons and of their false-positive rate with few samples."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies import false_alarms
from planktonbench.benchmarks.studies.false_alarms import CLUSTERS, compared, two_methods


def test_simulated_methods_have_the_requested_accuracy() -> None:
    """A fifth of the guesses is correct; samples have the same size and differ in difficulty."""
    predictions = two_methods(np.random.default_rng(0), right=(0.7, 0.5), clusters=400, objects=40_000)
    right = predictions.predicted == predictions.truth

    assert np.bincount(predictions.units).tolist() == [100] * 400
    assert right.mean(axis=1) == pytest.approx([0.7 + 0.3 * 0.2, 0.5 + 0.5 * 0.2], abs=0.03)
    spread = right.reshape(2, 400, 100).mean(axis=2).std(axis=1)
    assert (spread > 1.3 * np.sqrt(0.25 / 100)).all()


def test_few_samples_give_too_many_false_positives() -> None:
    """With five samples, the rate is well above 5 %."""
    few = [pair.verdict != "tie" for pair in compared(5, range(200), draws=200)]

    assert np.mean(few) > 0.09


def test_the_table_has_a_row_for_each_number_of_samples(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row has the requested number of pairs."""
    monkeypatch.setattr("sys.argv", ["false_alarms", "--pairs", "3"])

    false_alarms.main()

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines if line and line[0].isdigit()] == [[str(number), "3"] for number in CLUSTERS]
