"""What a run called one part of its split: codes, samples and scores, or why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.results.subset_predictions import SubsetPredictions, subset_predictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.stored_run import StoredRun


@pytest.fixture
def folder(tmp_path: Path, add_run: Callable[..., Path]) -> Path:
    """The folder of a run that called two test and three validation objects wrong."""
    return add_run(tmp_path, wrong=2, wrong_valid=3)


def change(path: Path, changed: Callable[[pd.DataFrame], pd.DataFrame]) -> StoredRun:
    """Change a stored table and read the only run again."""
    changed(pd.read_parquet(path)).to_parquet(path, index=False)
    out = next(parent.parent for parent in path.parents if parent.name in {"runs", "truth"})
    (run,) = read_runs(out)
    return run


def calls_of(found: SubsetPredictions | str) -> SubsetPredictions:
    """Return calls that are there."""
    assert isinstance(found, SubsetPredictions)
    return found


def test_calls_are_those_of_the_files(folder: Path) -> None:
    """Whatever the order of rows and of score columns, objects are sorted by id and columns are the class list."""
    path = folder / "predictions.parquet"
    before = calls_of(subset_predictions(change(path, lambda table: table)))
    after = calls_of(subset_predictions(change(path, lambda table: table.sample(frac=1, random_state=3).iloc[:, ::-1])))
    valid = calls_of(subset_predictions(change(path, lambda table: table), "valid"))

    assert before.classes == ("Copepoda", "detritus", "egg (other)")
    assert [int((~part.right).sum()) for part in (before, valid)] == [2, 3]
    assert before.scores is not None
    assert after.scores is not None
    np.testing.assert_array_equal(before.predicted, before.scores.argmax(axis=1))
    for name in ("truth", "predicted", "samples", "scores"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda table: table[["object_id", "taxon"]], "predictions.parquet has no scores"),
        (lambda table: table.drop(columns="score:detritus"), "predictions.parquet has no scores of detritus"),
        (
            lambda table: table.assign(**{"score:detritus": np.nan}),
            "predictions.parquet has scores that are not finite, of 21 objects",
        ),
    ],
)
def test_missing_scores_are_told(folder: Path, changed: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    """Calls are there all the same."""
    found = calls_of(subset_predictions(change(folder / "predictions.parquet", changed)))

    assert (found.scores, found.no_scores) == (None, words)
    assert len(found.predicted) == 21


def test_missing_calls_are_told(folder: Path, tmp_path: Path) -> None:
    """Objects that are not there, classes that are not in the list, no file, no such part."""
    path, truth = folder / "valid.parquet", tmp_path / "truth" / "lake" / "holdout.v1" / "seed-0.parquet"
    strange = subset_predictions(change(path, lambda table: table.assign(taxon="Krill")), "valid")
    few = subset_predictions(change(path, lambda table: table.iloc[1:]), "valid")
    path.unlink()
    none = subset_predictions(change(truth, lambda table: table), "valid")
    empty = subset_predictions(change(truth, lambda table: table[table["part"] != "valid"]), "valid")

    assert strange == "valid rows have taxa that are not in the run's class list"
    assert few == "valid.parquet lacks 1 of 21 objects: o0001"
    assert none == "the run stored no valid.parquet"
    assert empty == "the split has no valid rows"


def test_samples_are_there_when_each_object_has_one(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Otherwise there are none."""
    add_run(tmp_path, samples=0)
    (run,) = read_runs(tmp_path)

    assert calls_of(subset_predictions(run)).samples is None
