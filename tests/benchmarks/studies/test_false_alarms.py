"""False alarms: what is made up is what it says, and few samples alarm more often than many."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies import false_alarms
from planktonbench.benchmarks.studies.false_alarms import CLUSTERS, compared, two_methods


def test_methods_know_as_much_as_they_are_told_to() -> None:
    """Of what is not known a fifth is guessed; samples are of one size, and differ in how hard they are."""
    predictions = two_methods(np.random.default_rng(0), right=(0.7, 0.5), clusters=400, objects=40_000)
    right = predictions.predicted == predictions.truth

    assert np.bincount(predictions.units).tolist() == [100] * 400
    assert right.mean(axis=1) == pytest.approx([0.7 + 0.3 * 0.2, 0.5 + 0.5 * 0.2], abs=0.03)
    apart = right.reshape(2, 400, 100).mean(axis=2).std(axis=1)
    assert (apart > 1.3 * np.sqrt(0.25 / 100)).all()


def test_few_samples_alarm_too_often() -> None:
    """With five samples well above one in twenty."""
    few = [one.verdict != "tie" for one in compared(5, range(200), draws=200)]

    assert np.mean(few) > 0.09


def test_the_table_has_a_line_for_each_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the number of pairs that was asked for."""
    monkeypatch.setattr("sys.argv", ["false_alarms", "--pairs", "3"])

    false_alarms.main()

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines if line and line[0].isdigit()] == [[str(number), "3"] for number in CLUSTERS]
