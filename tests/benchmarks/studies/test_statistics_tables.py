"""Tables of the statistics: all are printed, and the exit code states whether the required properties hold."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from planktonbench.benchmarks.studies import interval_study, statistics_tables, verdict_study
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
    monkeypatch.setattr(statistics_tables, "LEAST_SINGLE", 1.1)
    monkeypatch.setattr(sys, "argv", ["statistics", "--replicates", "4", "--jobs", "1"])

    assert statistics_tables.main() == 1

    printed = capsys.readouterr().out
    assert printed.count("Required: ") == 3
    assert "one set in at least 110%: DOES NOT HOLD" in printed
    assert "6 samples, even, 2 classes, support 20" in printed
