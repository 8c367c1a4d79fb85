"""Sorting saved: thresholds from validation rows, shares and precision on test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.analyses.sorting_effort import EACH, ONE, TARGETS, effort_table, fewest_at, threshold_for
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

TAXA = {"Copepoda": 300, "detritus": 600, "egg": 24}


def by_trying(target: float, right: NDArray[np.bool_], sure: NDArray[np.float64]) -> float:
    """Return the lowest threshold that works, by trying all."""
    working = [
        threshold
        for threshold in np.unique(sure)
        for accepted in [right[sure >= threshold]]
        if len(accepted) >= 1 / (1 - target) - 1e-6 and accepted.mean() >= target - 1e-9
    ]
    return min(working, default=float("inf"))


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 10_000), n=st.integers(0, 150), digits=st.integers(1, 3), target=st.sampled_from(TARGETS))
def test_thresholds_are_the_lowest_that_work(seed: int, n: int, digits: int, target: float) -> None:
    """Equal scores are accepted together or not at all."""
    rng = np.random.default_rng(seed)
    sure = np.round(rng.random(n), digits)
    right = rng.random(n) < 0.8 + 0.25 * sure

    assert threshold_for(target, right, sure) == by_trying(target, right, sure)


def test_few_calls_promise_nothing() -> None:
    """Nine calls without mistake are no 90 %, ten are."""
    assert [fewest_at(target) for target in TARGETS] == [10, 20, 100]
    assert threshold_for(0.9, np.ones(9, bool), np.full(9, 0.7)) == float("inf")
    assert threshold_for(0.9, np.ones(10, bool), np.full(10, 0.7)) == 0.7


def put_scores(folder: Path, *, seed: int) -> None:
    """Give a run scores that are the surer the more often they are right, and call the highest."""
    rng = np.random.default_rng(seed)
    for name in ("predictions", "valid"):
        path = folder / f"{name}.parquet"
        table = pd.read_parquet(path)
        columns = [column for column in table.columns if column.startswith("score:")]
        scores = table[columns].to_numpy(np.float64) * rng.beta(3, 1, (len(table), 1)) + 0.4 * rng.random(
            (len(table), len(columns))
        )
        table[columns] = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        table["taxon"] = [columns[code].removeprefix("score:") for code in scores.argmax(axis=1)]
        table.to_parquet(path, index=False)


@pytest.fixture
def folder(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """The folder of a run on 924 objects, of which a third are test rows."""
    folder = add_run(tmp_path, taxa=TAXA, wrong=0, wrong_valid=0)
    put_scores(folder, seed=5)
    return folder


def test_rows_stand_for_all_objects_and_for_each_taxon(tmp_path: Path, folder: Path) -> None:
    """Counts add up over taxa; what is accepted of the validation rows reaches the target."""
    assert folder.is_dir()
    table = effort_table(read_runs(tmp_path))
    whole, taxa = table[table["taxon"] == ""], table[table["taxon"] != ""]

    assert whole[["rule", "target"]].to_numpy().tolist() == [
        [rule, target] for target in TARGETS for rule in (ONE, EACH)
    ]
    assert set(taxa["taxon"]) == set(TAXA)
    for target in TARGETS:
        of_taxa, of_all = (rows[rows["target"] == target] for rows in (taxa, whole[whole["rule"] == EACH]))
        for name in ("n_valid", "n_test", "n_accepted"):
            assert of_taxa[name].sum() == of_all[name].item()
    chosen = table.dropna(subset=["threshold"])
    assert (chosen["precision_valid"] >= chosen["target"]).all()
    assert (chosen["share"] == chosen["n_accepted"] / chosen["n_test"]).all()


def test_precision_is_that_of_the_accepted_test_rows(tmp_path: Path, folder: Path) -> None:
    """Worked out again from the files, for one threshold over all."""
    runs = read_runs(tmp_path)
    table = effort_table(runs)
    row = table[(table["rule"] == ONE) & (table["target"] == 0.95)].iloc[0]
    predictions = pd.read_parquet(folder / "predictions.parquet").set_index("object_id")
    sure = predictions.filter(like="score:").max(axis="columns")
    truth = runs[0].truth.set_index("object_id")["taxon"]
    accepted = predictions[sure >= row["threshold"]]

    assert row["n_accepted"] == len(accepted) > 0
    assert row["precision"] == pytest.approx((accepted["taxon"] == truth[accepted.index]).mean())


def test_test_rows_choose_nothing(tmp_path: Path, folder: Path) -> None:
    """Thresholds stay when test rows are called otherwise."""
    before = effort_table(read_runs(tmp_path))
    path = folder / "predictions.parquet"
    table = pd.read_parquet(path)
    columns = [name for name in table.columns if name.startswith("score:")]
    table[columns] = table[columns].to_numpy()[::-1]
    table["taxon"] = table["taxon"].to_numpy()[::-1]
    table.to_parquet(path, index=False)
    after = effort_table(read_runs(tmp_path))

    pd.testing.assert_frame_equal(
        before[["rule", "taxon", "target", "threshold", "n_valid"]],
        after[["rule", "taxon", "target", "threshold", "n_valid"]],
    )
    assert not before["precision"].equals(after["precision"])


def test_taxa_that_cannot_promise_are_told(tmp_path: Path, folder: Path) -> None:
    """Too few validation rows, or too many mistakes among them; then nothing is accepted."""
    table = pd.read_parquet(folder / "valid.parquet")
    copepods = table["taxon"] == "Copepoda"
    table["taxon"] = np.where(copepods, "egg", "Copepoda")
    table.to_parquet(folder / "valid.parquet", index=False)
    found = effort_table(read_runs(tmp_path))
    rows = found[(found["target"] == 0.95) & (found["rule"] == EACH)].set_index("taxon")

    assert rows.loc["Copepoda", "reason"] == "no threshold reaches the precision on validation rows"
    assert rows.loc["detritus", "reason"] == "0 validation rows are predicted as this taxon; 20 are needed"
    assert rows.loc["detritus", ["n_accepted", "share"]].tolist() == [0, 0]
    assert np.isnan(rows.loc["detritus", "precision"])


@pytest.mark.parametrize("name", ["predictions", "valid"])
def test_missing_scores_are_told(tmp_path: Path, folder: Path, name: str) -> None:
    """Of either part."""
    path = folder / f"{name}.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)

    assert effort_table(read_runs(tmp_path))["reason"].tolist() == [
        f"thresholds cannot be chosen: {name}.parquet has no scores"
    ]
