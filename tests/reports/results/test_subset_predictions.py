"""Predictions for one subset of a split: codes, samples and scores, or the reason why there are none."""

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
    """Folder of a run with two wrong predictions on test rows and three on validation rows."""
    return add_run(tmp_path, wrong=2, wrong_valid=3)


def changed_run(path: Path, changed: Callable[[pd.DataFrame], pd.DataFrame]) -> StoredRun:
    """Change a stored table and read the only run again."""
    changed(pd.read_parquet(path)).to_parquet(path, index=False)
    out = next(parent.parent for parent in path.parents if parent.name in {"runs", "truth"})
    (run,) = read_runs(out)
    return run


def predictions_of(found: SubsetPredictions | str) -> SubsetPredictions:
    """Return predictions after a check that they are not a reason."""
    assert isinstance(found, SubsetPredictions)
    return found


def test_predictions_match_the_files(folder: Path) -> None:
    """Objects are sorted by id and score columns by the class list, regardless of the order in the file."""
    path = folder / "predictions.parquet"
    before = predictions_of(subset_predictions(changed_run(path, lambda table: table)))
    after = predictions_of(
        subset_predictions(changed_run(path, lambda table: table.sample(frac=1, random_state=3).iloc[:, ::-1]))
    )
    valid = predictions_of(subset_predictions(changed_run(path, lambda table: table), "valid"))

    assert before.classes == ("Copepoda", "detritus", "egg (other)")
    assert [int((~subset.right).sum()) for subset in (before, valid)] == [2, 3]
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
            "predictions.parquet has scores that are not finite for 21 objects",
        ),
    ],
)
def test_missing_scores_have_a_reason(
    folder: Path, changed: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    """Predicted classes are available nevertheless."""
    found = predictions_of(subset_predictions(changed_run(folder / "predictions.parquet", changed)))

    assert (found.scores, found.no_scores) == (None, words)
    assert len(found.predicted) == 21


def test_missing_predictions_have_a_reason(folder: Path, tmp_path: Path) -> None:
    """Unknown classes, missing objects, a missing file, and an empty subset."""
    path, truth = folder / "valid.parquet", tmp_path / "truth" / "lake" / "holdout.v1" / "seed-0.parquet"
    unknown = subset_predictions(changed_run(path, lambda table: table.assign(taxon="Krill")), "valid")
    incomplete = subset_predictions(changed_run(path, lambda table: table.iloc[1:]), "valid")
    path.unlink()
    missing = subset_predictions(changed_run(truth, lambda table: table), "valid")
    empty = subset_predictions(changed_run(truth, lambda table: table[table["part"] != "valid"]), "valid")

    assert unknown == "valid rows have taxa that are not in the run's class list"
    assert incomplete == "valid.parquet lacks 1 of 21 objects: o0001"
    assert missing == "the run stored no valid.parquet"
    assert empty == "the split has no valid rows"


def test_samples_are_none_if_an_object_has_none(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Here no object has a sample."""
    add_run(tmp_path, samples=0)
    (run,) = read_runs(tmp_path)

    assert predictions_of(subset_predictions(run)).samples is None


@pytest.mark.parametrize(
    ("samples", "units"), [(["b", "a", "b", "c"], [1, 0, 1, 2]), (["a"] * 4, [0, 1, 2, 3]), (None, [0, 1, 2, 3])]
)
def test_units_are_samples_if_there_are_several(samples: list[str] | None, units: list[int]) -> None:
    """In the order of their names; else each object is a unit."""
    codes = np.zeros(4, int)
    names = None if samples is None else np.array(samples, object)

    assert SubsetPredictions(("x",), codes, codes, names, None).units.tolist() == units
