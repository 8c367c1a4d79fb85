"""Runs without a report, for tests of something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import planktonbench.benchmarks.run as run_module
import pytest
from planktonbench.reports.pages.write import Results
from planktonbench.reports.results.stored_run import read_runs, scores_table
from planktonbench.reports.run_files.run_folder import SCORES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scores_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Score runs without writing the report, which takes seconds, unless the test is marked `report`."""

    def write_scores(out: Path, datasets: object) -> Results:  # noqa: ARG001 - the signature of `write_results`
        table = scores_table(read_runs(out))
        table.to_csv(out / SCORES, index=False)
        return Results(table, {})

    if request.node.get_closest_marker("report") is None:
        monkeypatch.setattr(run_module, "write_results", write_scores)
