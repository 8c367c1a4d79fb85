"""Clustering task: names of clusters, stored tables, and measures recomputed from a stored run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench import DataError, Objects, TrackError
from planktonbench.reports.results.stored_run import StoredRun, read_runs
from planktonbench.reports.tasks.catalogue import TASKS, task_named
from planktonbench.reports.tasks.clustering import Clustering
from planktonbench.reports.tasks.task import Prediction
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLASSES = ("bar", "disc", "ring")


def asked(name: str, codes: list[int] | None, n: int) -> Objects:
    """Return objects without features."""
    ids = np.array([f"{name}{position}" for position in range(n)], object)
    return Objects(ids, CLASSES, codes=None if codes is None else np.array(codes))


def test_tasks_are_found_by_name() -> None:
    """Each task has a name of its own, and a mistyped one gets near matches."""
    assert [task_named(task.name) for task in TASKS] == list(TASKS)

    with pytest.raises(TrackError, match=r"no task named 'clusterin'\. Did you mean clustering"):
        task_named("clusterin")


def test_clusters_are_named_by_the_most_common_taxon_of_their_validation_objects() -> None:
    """Of two equally common taxa the first is taken; a cluster without validation objects gets the overall taxon."""
    valid = Prediction(asked("v", [2, 2, 0, 1, 0, 2], 6), np.array([0, 0, 0, 7, 7, 10**15]))
    test = Prediction(asked("t", None, 5), np.array([4, 3, 10**15, 7, 0]))

    stored, _ = Clustering().tables(test, valid)

    assert list(stored.columns) == ["object_id", "taxon", "cluster"]
    assert stored["taxon"].tolist() == ["ring", "ring", "ring", "bar", "ring"]
    assert stored["cluster"].tolist() == [4, 3, 10**15, 7, 0]


def test_a_validation_object_does_not_name_its_own_cluster() -> None:
    """With one cluster per object, names are right on validation objects only by chance."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 300).tolist()
    test, valid = asked("t", None, 1), asked("v", codes, 300)

    _, alone = Clustering().tables(Prediction(test, np.array([0])), Prediction(valid, np.arange(300)))
    _, by_class = Clustering().tables(Prediction(test, np.array([0])), Prediction(valid, np.array(codes)))

    truth = np.array(CLASSES, object)[codes]
    assert (alone["taxon"] == truth).mean() < 0.5
    assert (by_class["taxon"] == truth).all()


def test_a_sample_does_not_name_its_own_clusters() -> None:
    """With one cluster per sample of one taxon, names are right by chance if samples are known, else always."""
    codes = np.repeat(np.random.default_rng(0).integers(0, 3, 30), 10)
    sample = np.repeat(np.arange(30), 10)
    test, valid = asked("t", None, 1), asked("v", codes.tolist(), 300)
    known = replace(valid, groups=np.array([f"tow {one}" for one in sample], object))

    truth = np.array(CLASSES, object)[codes]
    right = [
        (Clustering().tables(Prediction(test, np.array([0])), Prediction(one, sample))[1]["taxon"] == truth).mean()
        for one in (valid, known)
    ]

    assert right[0] == 1
    assert right[1] < 0.6


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.array([0.0, 1.0]), r"dtype float64; expected \(2,\) of an integer dtype: the number of a cluster"),
        (np.array([[0, 1]]), r"returned shape \(1, 2\)"),
        (np.array([0, -1]), r"returned -1 for object t1 \(1 such objects\)"),
        (np.array([0, 2**63], np.uint64), "returned 9223372036854775808 for object t1"),
    ],
)
def test_an_output_that_is_no_cluster_number_is_refused(output: np.ndarray, message: str) -> None:
    """The message states what was returned and what was expected."""
    with pytest.raises(TrackError, match=message):
        Clustering().checked(output, asked("t", None, 2), "mine")


def test_test_objects_cannot_name_clusters() -> None:
    """Objects without labels are refused instead of being counted as some class."""
    test = Prediction(asked("t", None, 2), np.array([0, 1]))

    with pytest.raises(ValueError, match="validation objects with labels"):
        Clustering().tables(test, test)


@pytest.fixture
def run(tmp_path: Path, add_run: Callable[..., Path]) -> StoredRun:
    """Stored run of a clustering."""
    folder = add_run(tmp_path, "groups", task="clustering", labels="none", n_valid=21)
    rng = np.random.default_rng(5)
    for name, n_clusters in (("predictions", 6), ("valid", 4)):
        table = pd.read_parquet(folder / f"{name}.parquet")[["object_id", "taxon"]]
        table["cluster"] = rng.integers(0, n_clusters, len(table))
        table.to_parquet(folder / f"{name}.parquet", index=False)
    (found,) = read_runs(tmp_path)
    return found


def test_measures_follow_from_the_stored_tables(run: StoredRun) -> None:
    """NMI and ARI equal scikit-learn's; facts count clusters, labels and objects in clusters without a name."""
    stored = pd.read_parquet(run.folder / "predictions.parquet")
    truth = run.truth.set_index("object_id").loc[stored["object_id"], "taxon"]

    row = Clustering().evaluate(run).row()

    assert row["nmi"] == pytest.approx(normalized_mutual_info_score(truth, stored["cluster"]))
    assert row["ari"] == pytest.approx(adjusted_rand_score(truth, stored["cluster"]))
    assert 0 <= float(str(row["acc_lo"])) <= float(str(row["acc"])) <= float(str(row["acc_hi"])) <= 1
    assert run.score is not None
    assert row["named_macro_f1"] == run.score.macro_f1
    assert row["labels"] == "none"
    assert (row["n_clusters"], row["labels_used"]) == (stored["cluster"].nunique(), 21)
    assert row["n_unnamed"] == (stored["cluster"] >= 4).sum() > 0
    assert "ACC+F1+NMI+ARI" in str(row["signature"])
    assert "|task:clustering|" in str(row["signature"])
    assert "|task:clustering|" in run.score.signature
    assert Clustering().evaluate(run).row() == row


def test_unnamed_objects_are_unknown_without_validation_rows(run: StoredRun) -> None:
    """Exported runs may lack them; all measures are the same."""
    before = Clustering().evaluate(run).row()
    (run.folder / "valid.parquet").unlink()
    after = Clustering().evaluate(run).row()

    assert np.isnan(float(str(after["n_unnamed"])))
    assert {**after, "n_unnamed": 0} == {**before, "n_unnamed": 0}


def test_a_stored_run_without_clusters_is_refused(run: StoredRun) -> None:
    """The message names the file and the missing column."""
    path = run.folder / "predictions.parquet"
    pd.read_parquet(path).drop(columns="cluster").to_parquet(path, index=False)

    with pytest.raises(DataError, match=r"predictions\.parquet has no column 'cluster'"):
        Clustering().evaluate(run)
