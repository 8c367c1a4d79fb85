"""Tests of the comparison of simulated features with published quartiles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from planktonbench.benchmarks.studies import simulation_fidelity
from planktonbench.data_manifests.simulation.simulate import simulate
from planktonbench.features.measured.challenge import CHALLENGE_TABLE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script on a folder."""
    monkeypatch.setattr(sys, "argv", ["simulation_fidelity", str(folder)])
    return simulation_fidelity.main()


def test_each_feature_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows have median, published quartiles and verdict; the count of medians within them follows."""
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    code = call(tmp_path / "set", monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    within = [line.split()[-1] for line in lines[1:-1]]

    assert code == 0
    assert lines[0].split()[0] == "feature"
    assert lines[1].split()[0] == "area"
    assert lines[1].split()[-3:-1] == ["1646", "3953"]
    assert lines[-1] == f"{within.count('yes')} of 30 medians are within the published quartiles."


def test_a_folder_without_simulated_data_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the command that creates a simulated data set."""
    code = call(tmp_path, monkeypatch)
    captured = capsys.readouterr()

    assert (code, captured.out) == (2, "")
    assert "has no simulated data set. Create one: planktonbench data simulate flowcam --out DIR" in captured.err
