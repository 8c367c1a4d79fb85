"""Steps of the benchmark of a large data set, on a small one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.speed.million_objects import run_costs, run_track, score_run
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stored_run_is_scored_and_its_costs_are_listed(challenge: Path, tmp_path: Path) -> None:
    """The score equals that of the report; the rows state seconds and memory of the run card."""
    out = tmp_path / "out"
    run_track(challenge, out)
    (run,) = read_runs(out)

    assert run.score is not None
    assert score_run(out) == pytest.approx(run.score.macro_f1, abs=1e-12)
    fit, predict = run_costs(out)
    assert fit[0].endswith(f"{run.card.split.n_train:,} training rows")
    assert predict == [f"predict {run.card.split.n_test:,} rows", f"{run.card.cost.predict_seconds:.1f}", ""]
