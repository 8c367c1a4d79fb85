"""Tables of the statistics: all are printed, and the exit code states whether the required properties hold."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from planktonbench.benchmarks.studies import interval_study, statistics_tables, unequal_training, verdict_study
from planktonbench.benchmarks.studies.simulated_predictions import SimulatedDesign

if TYPE_CHECKING:
    import pytest


def test_all_tables_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With a line on each requirement; a requirement that does not hold makes the exit code 1."""
    design = SimulatedDesign((20.0, 20.0), 6)
    monkeypatch.setattr(interval_study, "designs", lambda: iter([design]))
    monkeypatch.setattr(statistics_tables, "CLASS_DESIGNS", (design,))
    monkeypatch.setattr(statistics_tables, "BOARD_DESIGNS", (design,))
    monkeypatch.setattr(
        verdict_study, "training_designs", lambda: iter([verdict_study.Training(design, 3, 0.3, one_split=True)])
    )
    two_runs = unequal_training.one_variable(2, 5)
    monkeypatch.setattr(unequal_training, "unequal_designs", lambda: iter([two_runs]))
    monkeypatch.setattr(statistics_tables, "LEAST_SINGLE", 1.1)
    monkeypatch.setattr(sys, "argv", ["statistics", "--replicates", "4", "--jobs", "1"])

    assert statistics_tables.main() == 1

    printed = capsys.readouterr().out
    assert printed.count("Required: ") == 4
    assert "one set in at least 110%: DOES NOT HOLD" in printed
    assert "2 runs, one method with 5 times the spread" in printed
    assert "from 3 runs on; 2 runs do not show which methods are the variable ones: holds" in printed
    assert "6 samples, even, 2 classes, support 20" in printed
