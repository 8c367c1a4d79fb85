"""Command line of the speed benchmarks: groups by name."""

from __future__ import annotations

import sys

import pytest
from planktonbench.benchmarks.speed import __main__ as benchmarks


def test_only_the_named_groups_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has their lines alone."""
    monkeypatch.setattr(sys, "argv", ["speed", "--only", "help"])

    benchmarks.main()

    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith("planktonbench --help") for line in lines] == [False, False, False, True]


def test_a_mistyped_group_gets_near_matches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured."""
    monkeypatch.setattr(sys, "argv", ["speed", "--only", "help,scorin"])

    with pytest.raises(SystemExit):
        benchmarks.main()

    assert "there is no group 'scorin'. Did you mean scoring" in capsys.readouterr().err
