"""Tables over runs: rows beside what tells runs apart, and reasons in the place of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from planktonbench.reports.results.run_table import KEYS, REASON, run_table, why_missing
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.stored_run import StoredRun


def test_finished_runs_have_their_rows(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Keys come first and the reason last; a failed run has no row."""
    add_run(tmp_path, "good", simulated=True)
    add_run(tmp_path, "lost", status="failed", reason="oh")
    table = run_table(read_runs(tmp_path), ["size", "n"], lambda _: [{"size": "a", "n": 1}, {"size": "b", "n": 2}])

    assert list(table.columns) == [*KEYS, "size", "n", REASON]
    assert table[list(KEYS)].to_numpy().tolist() == [["lake", True, "good", "holdout.v1", 0]] * 2
    assert table[["size", "n", REASON]].to_numpy().tolist() == [["a", 1, ""], ["b", 2, ""]]


def test_a_run_without_numbers_has_its_reason(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """One row, empty but for the reason; a table of no runs has its columns all the same."""
    add_run(tmp_path)
    table = run_table(read_runs(tmp_path), ["n"], lambda _: "there are no scores")

    assert table[REASON].tolist() == ["there are no scores"]
    assert table["n"].isna().all()
    assert list(run_table([], ["n"], lambda _: "").columns) == [*KEYS, "n", REASON]


def test_reasons_are_told_once(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """With the methods that they hold for, or the data set alone when they hold for all; not those of single taxa."""
    for seed in (0, 1):
        for track in ("a", "b"):
            add_run(tmp_path, track, seed=seed)
            add_run(tmp_path, track, seed=seed, dataset="bay")

    def measure(run: StoredRun) -> list[dict[str, object]]:
        lacking = run.card.data.name == "bay" or run.card.track.name == "b"
        whole = {"taxon": "", "n": np.nan if lacking else 1, REASON: "no samples" if lacking else ""}
        return [whole, {"taxon": "egg", REASON: "too few eggs"}]

    table = run_table(read_runs(tmp_path), ["taxon", "n"], measure)

    assert why_missing(table) == ["bay: no samples.", "lake, b: no samples."]
