"""Tables over many runs: rows identified by run, and reasons for missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from planktonbench.reports.results.run_table import KEYS, REASON, means_with_intervals, run_table, why_missing
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.stored_run import StoredRun


def test_finished_runs_have_their_rows(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Keys are the first columns and the reason is the last; a failed run has no row."""
    add_run(tmp_path, "good", simulated=True)
    add_run(tmp_path, "lost", status="failed", reason="oh")
    table = run_table(read_runs(tmp_path), ["size", "n"], lambda _: [{"size": "a", "n": 1}, {"size": "b", "n": 2}])

    assert list(table.columns) == [*KEYS, "size", "n", REASON]
    assert table[list(KEYS)].to_numpy().tolist() == [["lake", True, "good", "holdout.v1", 0]] * 2
    assert table[["size", "n", REASON]].to_numpy().tolist() == [["a", 1, ""], ["b", 2, ""]]


def test_a_run_without_values_has_a_reason(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Its only row is empty except for the reason; a table without runs has all columns."""
    add_run(tmp_path)
    table = run_table(read_runs(tmp_path), ["n"], lambda _: "there are no scores")

    assert table[REASON].tolist() == ["there are no scores"]
    assert table["n"].isna().all()
    assert list(run_table([], ["n"], lambda _: "").columns) == [*KEYS, "n", REASON]


def test_reasons_are_summarised_once(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Methods are listed unless a reason applies to the whole data set; reasons of individual taxa are left out."""
    for seed in (0, 1):
        for track in ("a", "b"):
            add_run(tmp_path, track, seed=seed)
            add_run(tmp_path, track, seed=seed, dataset="bay")

    def measure(run: StoredRun) -> list[dict[str, object]]:
        missing = run.card.data.name == "bay" or run.card.track.name == "b"
        whole = {"taxon": "", "n": np.nan if missing else 1, REASON: "no samples" if missing else ""}
        return [whole, {"taxon": "egg", REASON: "too few eggs"}]

    table = run_table(read_runs(tmp_path), ["taxon", "n"], measure)

    assert why_missing(table) == ["bay: no samples.", "lake, b: no samples."]


def test_reasons_of_some_runs_are_counted(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Means over the other runs are shown, so the sentence says how many are missing."""
    for seed in (0, 1, 2):
        add_run(tmp_path, seed=seed)

    table = run_table(read_runs(tmp_path), ["n"], lambda run: [{"n": 1}] if run.card.split.seed == 0 else "no scores")

    assert why_missing(table) == ["lake: no scores (2 of 3 runs)."]
    whole = run_table(read_runs(tmp_path), ["taxon", "n"], lambda _: "no file")
    assert why_missing(whole) == ["lake: no file."]


def test_means_are_shown_with_mean_intervals_that_all_runs_have() -> None:
    """A run without an interval leaves that of its track out; a track without values has none."""
    rows = pd.DataFrame(
        {
            "track": ["a", "a", "b", "b", "c", "d", "d"],
            "ece": [0.2, 0.4, 0.1, 0.3, np.nan, 0.5, np.nan],
            "ece_lo": [0.1, 0.3, 0.0, np.nan, np.nan, 0.4, np.nan],
            "ece_hi": [0.3, 0.5, 0.2, np.nan, np.nan, 0.6, np.nan],
        }
    )
    shown = means_with_intervals(rows, {"ece": "error"})["error"]

    assert shown[["a", "b", "d"]].tolist() == ["0.300 [0.200, 0.400]", 0.2, "0.500 [0.400, 0.600]"]
    assert np.isnan(shown["c"])


def test_standard_deviations_over_runs_are_shown_on_request() -> None:
    """With n - 1; a single run has none."""
    rows = pd.DataFrame({"track": ["a", "a", "b"], "x": [0.2, 0.4, 0.3], "x_lo": [0.1, np.nan, 0.2], "x_hi": 0.5})
    shown = means_with_intervals(rows, {"x": "x"}, with_deviations=True)["x"]

    assert shown.tolist() == [f"0.300 ± {np.sqrt(0.02):.3f}", "0.300 [0.200, 0.500]"]
