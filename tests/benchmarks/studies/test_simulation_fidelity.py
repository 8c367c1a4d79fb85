"""The table of a simulated set beside the published one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from planktonbench.benchmarks.studies import simulation_fidelity as simulator
from planktonbench.data_manifests.simulation.simulate import simulate
from planktonbench.features.measured.challenge import CHALLENGE_TABLE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the script on a folder."""
    monkeypatch.setattr(sys, "argv", ["simulator", str(folder)])
    return simulator.main()


def test_each_feature_has_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its median, the published quartiles, and whether it lies between them; the count at the end."""
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    code = call(tmp_path / "set", monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    within = [line.split()[-1] for line in lines[1:-1]]

    assert code == 0
    assert lines[0].split()[0] == "feature"
    assert lines[1].split()[0] == "area"
    assert lines[1].split()[-3:-1] == ["1646", "3953"]
    assert lines[-1] == f"{within.count('yes')} of 30 medians lie within the published quartiles."


def test_a_folder_that_is_no_simulation_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line that makes one."""
    code = call(tmp_path, monkeypatch)
    told = capsys.readouterr()

    assert (code, told.out) == (2, "")
    assert "holds no simulated data set. Make one: planktonbench data simulate flowcam --out DIR" in told.err
