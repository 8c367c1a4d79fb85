"""Runs read from a results folder: order, scores from stored predictions, and the rows of scores.csv."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench import DataError, PlanktonbenchError, score
from planktonbench.reports.results.stored_run import COLUMNS, SEEN_COLUMNS, read_runs, scores_table
from planktonbench.reports.run_files.run_folder import run_folder, truth_path
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOCUMENTED = (
    "dataset,simulated,track,split,seed,n_test,n_classes,macro_f1,macro_f1_lo,macro_f1_hi,accuracy,balanced_accuracy,"
    "macro_precision,macro_recall,fit_seconds,predict_seconds,status,reason,signature"
)


def test_columns_are_as_documented() -> None:
    """This includes their order in scores.csv."""
    assert ",".join(COLUMNS) == DOCUMENTED


def test_runs_are_found_and_sorted(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They are sorted by data set, split, track and seed; incomplete runs are ignored."""
    runs = [("lake", "a.v1", "y", 1), ("lake", "a.v1", "y", 0), ("bay", "b.v1", "z", 0), ("lake", "b.v1", "x", 0)]
    folders = [add_run(tmp_path, name, dataset=data, split=split, seed=seed) for data, split, name, seed in runs]
    shutil.copytree(folders[0], folders[0].with_name(".seed-9.part"))
    (tmp_path / "runs" / "lake" / "x" / "b.v1" / "seed-7").mkdir()
    found = read_runs(tmp_path)

    assert [run.folder for run in found] == [folders[2], folders[1], folders[0], folders[3]]
    assert [run_folder(tmp_path, run.card) for run in found] == [run.folder for run in found]


def test_a_folder_without_runs_is_rejected(tmp_path: Path) -> None:
    """The message has the folder and the expected content."""
    with pytest.raises(DataError) as caught:
        read_runs(tmp_path)

    assert str(caught.value).startswith(f"{tmp_path} holds no runs (expected {tmp_path / 'runs'}/")


def test_the_score_of_a_run_equals_that_of_its_tables(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Only test rows are scored, with samples as clusters; the signature has data, manifest and split."""
    folder = add_run(tmp_path, seed=2)
    (run,) = read_runs(tmp_path)
    truth = pd.read_parquet(truth_path(tmp_path, "lake", "holdout.v1", 2)).query("part == 'test'")
    expected = score(truth, pd.read_parquet(folder / "predictions.parquet"), seed=2)

    assert run.score is not None
    assert run.score.macro_f1_interval == expected.macro_f1_interval
    assert run.score.confusion.equals(expected.confusion)
    assert run.score.signature.startswith("macroF1|data:lake@cccccc|manifest:bbbbbb|split:holdout.v1|n:21|rows:")
    assert {part for part in run.score.signature.split("|") if part.startswith("rows:")} < set(
        expected.signature.split("|")
    )
    assert "|ci:cluster-sample-jackknife|bootstrap:2000|seed:2|" in run.score.signature


def test_without_samples_objects_are_resampled(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """If samples are missing in the truth, intervals are from single objects."""
    add_run(tmp_path, samples=0)
    (run,) = read_runs(tmp_path)

    assert run.score is not None
    assert "|ci:object-jackknife|" in run.score.signature


def test_a_row_of_scores_has_card_and_score(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """There is one row per run."""
    add_run(tmp_path, classes=["Copepoda", "Zoea", "detritus", "egg (other)"], simulated=True)
    (run,) = read_runs(tmp_path)
    row = scores_table([run]).iloc[0]

    assert run.score is not None
    assert row[["dataset", "simulated", "track", "split", "seed", "n_test", "n_classes"]].tolist() == [
        "lake", True, "good", "holdout.v1", 0, 21, 3,
    ]  # fmt: skip
    assert (row["macro_f1_lo"], row["macro_f1_hi"]) == run.score.macro_f1_interval
    assert row[["macro_f1", "accuracy", "macro_recall"]].tolist() == [
        run.score.macro_f1, run.score.accuracy, run.score.macro_recall,
    ]  # fmt: skip
    assert row[["fit_seconds", "predict_seconds", "status", "reason"]].tolist() == [2.0, 0.5, "done", ""]
    assert row["signature"] == run.score.signature


def test_scores_without_withheld_classes_are_beside_the_others(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They are those of scikit-learn on the other test rows; predictions of a withheld class are errors."""
    add_run(tmp_path, wrong=6, withheld=["egg (other)"])
    add_run(tmp_path, "lost", withheld=["egg (other)"], status="failed")
    add_run(tmp_path, dataset="bay")
    plain, run, lost = read_runs(tmp_path)
    known = run.predictions[run.predictions["taxon"] != "egg (other)"]
    labels = ["Copepoda", "detritus"]
    expected = f1_score(known["taxon"], known["predicted"], labels=labels, average="macro")
    table = scores_table([plain, run, lost])

    assert run.score is not None
    assert run.seen_score is not None
    assert run.seen_score.macro_f1 == pytest.approx(expected, abs=1e-12)
    assert run.seen_score.macro_f1 != pytest.approx(run.score.macro_f1, abs=1e-3)
    assert (run.seen_score.n_objects, run.seen_score.classes_absent) == (len(known), ("egg (other)",))
    assert (plain.seen_score, lost.seen_score) == (None, None)
    assert [*table.columns] == [*COLUMNS, *SEEN_COLUMNS]
    assert table.loc[1, SEEN_COLUMNS].tolist() == [1, run.seen_score.macro_f1, *run.seen_score.macro_f1_interval]
    assert table.loc[[0, 2], SEEN_COLUMNS].isna().all(axis=None)
    assert [*scores_table([plain]).columns] == COLUMNS


def test_a_signature_has_selected_and_withheld_classes(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Each change of these facts changes it, as does leaving the withheld ones out of the score."""
    more = ["Copepoda", "detritus", "egg (other)"]
    choices: list[dict[str, object]] = [
        {},
        {"withheld": ["egg (other)"]},
        {"withheld": ["Copepoda"]},
        {"withheld": ["Copepoda", "egg (other)"]},
        {"selected": {"of": 9}},
        {"selected": {"of": 8}},
        {"selected": {"of": 9}, "classes": [*more, "krill"]},
        {"selected": {"of": 9}, "classes": [*more, "salps"]},
    ]
    for number, facts in enumerate(choices):
        add_run(tmp_path / str(number), **facts)
    runs = [read_runs(tmp_path / str(number))[0] for number in range(len(choices))]
    signatures = [score.signature for run in runs for score in (run.score, run.seen_score) if score is not None]

    assert len(set(signatures)) == len(signatures) == len(choices) + 3
    assert "|classes:3/3|withheld:1@" in signatures[1]
    assert "|classes:2/3|withheld:1@" in signatures[2]
    assert "(not-scored)|" in signatures[2]
    assert "|classes:3/3|selected:3/9@" in signatures[7]


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_an_unfinished_run_has_a_row_without_values(tmp_path: Path, add_run: Callable[..., Path], status: str) -> None:
    """The row has the reason, but neither score nor signature."""
    add_run(tmp_path, status=status, reason="ValueError: oh")
    (run,) = read_runs(tmp_path)
    row = scores_table([run]).iloc[0]

    assert run.score is None
    assert row[["status", "reason", "signature"]].tolist() == [status, "ValueError: oh", ""]
    assert row["n_classes":"predict_seconds"].isna().all()


@pytest.mark.parametrize("name", ["predictions.parquet", "truth"])
@pytest.mark.parametrize("damage", ["truncated", "missing"])
def test_an_unreadable_file_is_reported(tmp_path: Path, add_run: Callable[..., Path], name: str, damage: str) -> None:
    """The message has the path of the file."""
    folder = add_run(tmp_path)
    path = folder / name if name != "truth" else truth_path(tmp_path, "lake", "holdout.v1", 0)
    content = path.read_bytes()[:100]
    path.unlink()
    if damage == "truncated":
        path.write_bytes(content)
    (run,) = read_runs(tmp_path)
    with pytest.raises(PlanktonbenchError) as caught:
        _ = run.score

    assert str(caught.value).startswith(f"{path} ")


def test_predictions_with_missing_objects_are_rejected(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The message has the paths of predictions and truth."""
    path = add_run(tmp_path) / "predictions.parquet"
    pd.read_parquet(path)[2:].to_parquet(path)
    (run,) = read_runs(tmp_path)
    with pytest.raises(PlanktonbenchError, match="2 of 21 objects have no prediction") as caught:
        _ = run.score

    assert str(path) in str(caught.value)
    assert "seed-0.parquet, each once" in str(caught.value)


@pytest.mark.parametrize("column", ["object_id", "part", "taxon", "sample"])
def test_a_truth_with_a_missing_column_is_rejected(tmp_path: Path, add_run: Callable[..., Path], column: str) -> None:
    """The message has the path and the column."""
    add_run(tmp_path)
    path = truth_path(tmp_path, "lake", "holdout.v1", 0)
    pd.read_parquet(path).drop(columns=column).to_parquet(path)
    (run,) = read_runs(tmp_path)
    with pytest.raises(PlanktonbenchError, match=column) as caught:
        _ = run.score

    assert str(path) in str(caught.value)


def test_macro_f1_without_interval_equals_that_of_the_score(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """It is the same number, also with classes without test objects."""
    add_run(tmp_path, wrong=5, classes=["Acantharia", "Copepoda", "detritus", "egg (other)"])
    (run,) = read_runs(tmp_path)

    assert run.score is not None
    assert run.test_macro_f1() == pytest.approx(run.score.macro_f1)
    assert run.score.macro_f1 < 1


def test_sub_classes_are_read_if_a_run_stored_them(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """They are None otherwise."""
    table = pd.DataFrame({"object_id": ["o0002"], "taxon": ["Copepoda"], "subclass": [1]})
    add_run(tmp_path, "divided", subclasses=table)
    add_run(tmp_path, "whole")
    divided, whole = read_runs(tmp_path)

    assert divided.subclasses is not None
    assert divided.subclasses.to_dict("records") == table.to_dict("records")
    assert whole.subclasses is None
