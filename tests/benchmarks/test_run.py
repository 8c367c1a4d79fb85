"""Complete runs on a tiny data set with real worker processes."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution.store import job_lock
from planktonbench.reports.run_files.card import Card
from sklearn.dummy import DummyClassifier
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("scores_only")

FAILING = """
import os
import planktonbench as pb
from planktonbench.models.table_tracks.baselines import Majority

class Raises(Majority):
    name = "raises"
    def fit(self, train, valid, *, rng):
        raise RuntimeError("boom")

class Dies(Majority):
    name = "dies"
    def fit(self, train, valid, *, rng):
        os.kill(os.getpid(), 9)

class Exits(Majority):
    name = "exits"
    def fit(self, train, valid, *, rng):
        os._exit(5)

class Wrong(Majority):
    name = "wrong"
    def predict(self, objects):
        return super().predict(objects)[:, :-1]

class Looks(Majority):
    name = "looks"
    inputs = {"images"}
    def fit(self, train, valid, *, rng):
        super().fit(train, valid, rng=rng)
        self.shape = train.images.read(train.object_ids[0]).shape
        self.chosen = {"shape": list(self.shape), "native": train.native is None, "groups": len(set(train.groups))}
"""


def run(folder: Path, out: Path, *tracks: str, **options: object) -> pd.DataFrame:
    """Run tracks on a data folder, by default with seed 0."""
    choices = {"seeds": [0], "data_dir": folder, "out": out, **options}
    return pb.run("flowcam", tracks=list(tracks), **choices)  # type: ignore[arg-type]


def card_of(out: Path, track: str, seed: int = 0) -> Card:
    """Return the card of a run."""
    path = out / "runs" / "flowcam" / track / "holdout.v1" / f"seed-{seed}" / "card.json"
    return Card.from_text(path.read_bytes())


def contents(folder: Path) -> dict[str, bytes]:
    """Return all predictions below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


@pytest.mark.report
def test_a_suite_becomes_scores_and_a_report(challenge: Path, tmp_path: Path) -> None:
    """Scores can be recomputed from stored predictions and truth alone; the card describes the run."""
    out = tmp_path / "out"
    table = run(challenge, out, "xgb-source001", "majority")
    folder = out / "runs" / "flowcam" / "xgb-source001" / "holdout.v1" / "seed-0"
    predicted = pd.read_parquet(folder / "predictions.parquet").set_index("object_id")
    truth = pd.read_parquet(out / "truth" / "flowcam" / "holdout.v1" / "seed-0.parquet").set_index("object_id")
    test = truth[truth["part"] == "test"]["taxon"]
    expected = f1_score(test, predicted.loc[test.index, "taxon"], labels=sorted(set(test)), average="macro")
    card = card_of(out, "xgb-source001")

    assert table.set_index("track")["macro_f1"]["xgb-source001"] == pytest.approx(expected, abs=1e-12)
    assert table.set_index("track")["macro_f1"]["xgb-source001"] > table.set_index("track")["macro_f1"]["majority"]
    assert (card.split.n_train, card.split.n_valid, card.split.n_test) == tuple(
        truth["part"].value_counts()[["train", "valid", "test"]]
    )
    assert predicted.filter(like="score:").dtypes.unique() == [np.float32]
    assert None not in {
        card.flat()[name] for name in ("prepare_seconds", "fit_seconds", "predict_seconds", "peak_rss_mb")
    }
    assert card.versions["keras_backend"]
    assert (out / "report" / "index.html").is_file()


@pytest.mark.report
def test_all_faults_of_the_data_are_in_card_and_report(make_challenge: Callable[..., Path], tmp_path: Path) -> None:
    """Excluded rows and objects are counted."""
    folder = make_challenge(
        meta=lambda t: pd.concat([t.assign(level2=t["level2"].where(t.index != 3)), t.iloc[:2]]),
        native=lambda t: t.assign(area=t["area"].where(t.index != 5)),
    )
    run(folder, tmp_path / "out", "majority")
    notes = {note.code: note.count for note in card_of(tmp_path / "out", "majority").notes}
    page = (tmp_path / "out" / "report" / "dataset-flowcam.html").read_text()

    assert notes == {"duplicate-rows-meta.csv": 2, "missing": 1, "no-taxon": 1, "other-taxa": 34, "small-class": 1}
    for words in ("exact duplicate rows in meta.csv", "have no taxon", "fewer than 3 objects", "Bacteriastrum"):
        assert words in page


def test_a_finished_run_is_not_repeated(challenge: Path, tmp_path: Path) -> None:
    """A second call leaves all runs unchanged; --force repeats a run and keeps the old one."""
    out = tmp_path / "out"
    run(challenge, out, "majority", "random")
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*") if path.is_file()}
    run(challenge, out, "majority", "random")
    again = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*") if path.is_file()}
    run(challenge, out, "majority", force=True)

    assert before == again
    assert len(list((out / "replaced").rglob("card.json"))) == 1


def test_changed_data_cause_a_rerun(challenge: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A changed table is detected by its hash, and the log states the reason."""
    out = tmp_path / "out"
    run(challenge, out, "majority", "random")
    native = pd.read_csv(challenge / "features_native.csv").assign(more=1.5)
    native.to_csv(challenge / "features_native.csv", index=False)
    run(challenge, out, "majority")

    assert "rerun because the following changed: the data" in capfd.readouterr().err
    assert card_of(out, "majority").data.sha256 != card_of(out, "random").data.sha256


@pytest.mark.parametrize("tracks", [("xgb-source001", "forest-native", "logistic-native", "random")])
def test_jobs_do_not_change_a_byte(challenge: Path, tmp_path: Path, tracks: tuple[str, ...]) -> None:
    """One and two workers give identical predictions."""
    for jobs in (1, 2):
        run(challenge, tmp_path / str(jobs), *tracks, jobs=jobs)
    one, two = (contents(tmp_path / str(jobs) / "runs") for jobs in (1, 2))

    assert len(one) >= 8
    assert one == two


def test_row_order_does_not_change_a_prediction(make_challenge: Callable[..., Path], tmp_path: Path) -> None:
    """Shuffled tables give the same splits and the same predictions."""
    shuffled = make_challenge(meta=lambda t: t.sample(frac=1, random_state=9), name="shuffled")
    for name, folder in (("a", make_challenge(name="plain")), ("b", shuffled)):
        run(folder, tmp_path / name, "xgb-source001")

    assert contents(tmp_path / "a" / "runs") == contents(tmp_path / "b" / "runs")


def test_no_track_benefits_from_ids_that_give_the_class_away(
    make_challenge: Callable[..., Path], tmp_path: Path
) -> None:
    """With ids in the order of the classes and random features, all tracks of native features are near chance."""

    def sorted_ids(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(objid=np.arange(len(table)) + 5000)

    def leaky(table: pd.DataFrame) -> pd.DataFrame:
        rng, n = np.random.default_rng(0), len(table)
        ids = np.arange(n) + 5000.0
        noise = {f"noise{k}": rng.normal(size=n) for k in range(4)}
        names = ["id", "Object_Lat", "depth_min", "file_name", "objdate", "lineage", "level1", "unique_name", "projid"]
        return pd.DataFrame({"objid": ids, **dict.fromkeys(names, ids), **noise})

    folder = make_challenge(meta=sorted_ids, native=leaky)
    shipped = pb.models.registry.SHIPPED
    learning = [
        name
        for name in shipped
        if pb.models.registry.get_track(name).inputs == {"native"} and name not in {"majority", "random"}
    ]
    table = run(folder, tmp_path / "out", *learning, seeds=[0])

    assert (table["status"] == "done").all()
    assert table["macro_f1"].mean() < 0.4
    assert table["macro_f1"].max() < 0.6


def test_the_leak_would_be_detected(make_challenge: Callable[..., Path], tmp_path: Path) -> None:
    """The same ids under the name of a feature are learnt: the test above can fail."""
    folder = make_challenge(
        meta=lambda t: t.assign(objid=np.arange(len(t)) + 5000),
        native=lambda t: pd.DataFrame({"objid": np.arange(len(t)) + 5000.0, "length": np.arange(len(t)) + 0.5}),
    )
    table = run(folder, tmp_path / "out", "xgb-native")

    assert table["macro_f1"].item() > 0.7


@pytest.mark.report
def test_other_tracks_continue_if_a_track_fails(challenge: Path, tmp_path: Path) -> None:
    """Exceptions, killed workers and wrong shapes are recorded with their reasons; the other tracks are done."""
    path = tmp_path / "bad.py"
    path.write_text(FAILING)
    bad = [f"{path}:{name}" for name in ("Raises", "Dies", "Exits", "Wrong")]
    table = run(challenge, tmp_path / "out", *bad, "majority").set_index("track")

    assert table["status"].to_dict() == {"majority": "done"} | dict.fromkeys(
        ["dies", "exits", "raises", "wrong"], "failed"
    )
    assert table["reason"]["raises"] == "RuntimeError: boom (bad.py:9)"
    assert "killed by signal 9" in table["reason"]["dies"]
    assert table["reason"]["exits"].endswith("the process of the track ended with code 5")
    assert "returned shape" in table["reason"]["wrong"]
    assert "boom" in (tmp_path / "out" / "report" / "index.html").read_text()


def test_a_failed_run_is_repeated(challenge: Path, tmp_path: Path) -> None:
    """Once the file is corrected, the same call gives a finished run."""
    path = tmp_path / "bad.py"
    path.write_text(FAILING)
    run(challenge, tmp_path / "out", f"{path}:Raises")
    path.write_text(FAILING.replace('raise RuntimeError("boom")', "super().fit(train, valid, rng=rng)"))
    table = run(challenge, tmp_path / "out", f"{path}:Raises")

    assert table["status"].tolist() == ["done"]


def test_a_track_without_its_input_is_skipped(make_challenge: Callable[..., Path], tmp_path: Path) -> None:
    """A track of images is skipped with this reason if there are no images."""
    path = tmp_path / "looks.py"
    path.write_text(FAILING)
    table = run(make_challenge(images=False), tmp_path / "out", f"{path}:Looks").set_index("track")

    assert (table["status"]["looks"], table["reason"]["looks"]) == ("skipped", "the data set has no images")


def test_a_track_gets_its_declared_inputs(challenge: Path, tmp_path: Path) -> None:
    """Images are read by object_id, samples are available, and the native table is None unless declared as input."""
    path = tmp_path / "looks.py"
    path.write_text(FAILING)
    run(challenge, tmp_path / "out", f"{path}:Looks")

    assert card_of(tmp_path / "out", "looks").track.chosen == {"shape": [4, 5], "native": True, "groups": 5}


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_images_of_class_folders_reach_the_worker(tmp_path: Path, kind: str) -> None:
    """File names that occur in several folders are distinguished: the brightness of each image gives its class."""
    for taxon, level in (("dark", 10), ("light", 240)):
        (tmp_path / "data" / taxon).mkdir(parents=True)
        for number in range(12):
            cv2.imwrite(str(tmp_path / "data" / taxon / f"{number}.png"), np.full((3, 4), level, np.uint8))
    if kind == "tar":
        with tarfile.open(tmp_path / "data.tar", "w") as archive:
            archive.add(tmp_path / "data", ".")
    (tmp_path / "levels.py").write_text(
        "import numpy as np\nfrom planktonbench.models.table_tracks.baselines import Majority\n"
        "class Levels(Majority):\n    name = 'levels'\n    inputs = {'images'}\n"
        "    def predict(self, objects):\n"
        "        return np.eye(2)[[int(objects.images.read(key).mean() > 99) for key in objects.object_ids]]\n"
    )
    source = tmp_path / ("data" if kind == "folder" else "data.tar")
    table = run(source, tmp_path / "out", f"{tmp_path / 'levels.py'}:Levels")

    assert table["macro_f1"].tolist() == [1.0]


def test_a_track_made_in_a_session_runs(challenge: Path, tmp_path: Path) -> None:
    """A class that a worker cannot import is pickled by value."""
    track = pb.from_sklearn("dummy", DummyClassifier(strategy="prior"))
    table = pb.run("flowcam", tracks=[track], seeds=[0], data_dir=challenge, out=tmp_path / "out")

    assert table[["track", "status"]].to_numpy().tolist() == [["dummy", "done"]]


def test_folds_and_groups(challenge: Path, tmp_path: Path) -> None:
    """A grouped k-fold split gives one run per fold, and each sample is in one subset only."""
    table = run(challenge, tmp_path / "out", "majority", split="grouped-kfold3")
    truth = pd.read_parquet(tmp_path / "out" / "truth" / "flowcam" / "grouped-kfold3.v1-fold1" / "seed-0.parquet")

    assert table["split"].tolist() == [f"grouped-kfold3.v1-fold{fold}" for fold in range(3)]
    assert truth.groupby("sample")["part"].nunique().eq(1).all()


def test_samples_are_units_of_the_interval_if_known(challenge: Path, tmp_path: Path) -> None:
    """Groups by the manifest's grouping columns are the clusters of the interval."""
    table = run(challenge, tmp_path / "out", "xgb-source001")

    assert "ci:cluster-sample-jackknife|bootstrap:2000" in table["signature"].item()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": []}, "seeds are []"),
        ({"seeds": [0, 0]}, "seeds are [0, 0]"),
        ({"jobs": 0}, "jobs is 0"),
        ({"split": "holdot"}, "Did you mean holdout"),
        ({"tracks": []}, "no track to run"),
        ({"tracks": ["majoriti"]}, "Did you mean majority"),
        ({"data_dir": "/nowhere/at/all"}, "is not a folder"),
    ],
)
def test_invalid_choices_are_rejected_before_anything_is_written(
    challenge: Path, tmp_path: Path, options: dict[str, object], words: str
) -> None:
    """The message names the problem, and there is no results folder."""
    choices = {"tracks": ["majority"], "data_dir": challenge, "out": tmp_path / "out", **options}

    with pytest.raises(pb.PlanktonbenchError, match=words.replace("[", r"\[").replace("]", r"\]")):
        pb.run("flowcam", **choices)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_written_is_reported(challenge: Path, tmp_path: Path) -> None:
    """A file at the path of the folder gives a message."""
    (tmp_path / "out").write_text("a file")

    with pytest.raises(pb.DataError, match="cannot be written"):
        run(challenge, tmp_path / "out", "majority")


def test_a_job_waits_for_another_process(challenge: Path, tmp_path: Path) -> None:
    """While the lock of a job is held, another process does not run it; it continues afterwards."""
    import threading
    import time

    out = tmp_path / "out"
    run(challenge, out, "majority")
    draft = card_of(out, "majority")
    ended: list[float] = []

    def second() -> None:
        run(challenge, out, "majority", force=True)
        ended.append(time.monotonic())

    with job_lock(out, draft):
        other = threading.Thread(target=second)
        other.start()
        time.sleep(2.5)
        released = time.monotonic()

        assert not ended
    other.join(60)

    assert ended[0] > released


def test_data_sets_without_manifest(make_challenge: Callable[..., Path], tmp_path: Path) -> None:
    """A suite file can run folders without manifest under their own names, with their own taxa."""
    make_challenge(name="lake")
    suite = tmp_path / "mine.yaml"
    text = {"name": "mine", "datasets": [{"name": "lake", "path": "lake"}], "tracks": ["majority"], "seeds": [4]}
    suite.write_text(json.dumps(text))
    table = pb.run(str(suite), out=tmp_path / "out")

    assert table[["dataset", "seed", "status"]].to_numpy().tolist() == [["lake", 4, "done"]]
    assert "data:lake@" in table["signature"].item()


@pytest.mark.real_data
def test_the_benchmark_on_a_real_run(station40: Path, tmp_path: Path) -> None:
    """On 3,122 real objects xgb-native is well above chance and not below the model of source 001."""
    table = run(station40, tmp_path / "out", "xgb-native", "xgb-source001", seeds=[0, 1])
    means = table.groupby("track")["macro_f1"].mean()

    assert means["xgb-native"] >= 0.58
    assert means["xgb-native"] >= means["xgb-source001"]


def test_a_leaking_feature_is_reported_before_the_runs(
    make_challenge: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With its score, as are samples that are in both training and test."""
    codes: dict[int, int] = {}

    def remember(meta: pd.DataFrame) -> pd.DataFrame:
        codes.update(zip(meta["objid"], pd.factorize(meta["level2"])[0], strict=True))
        return meta

    folder = make_challenge(meta=remember, native=lambda native: native.assign(folder=native["objid"].map(codes) * 1.0))
    run(folder, tmp_path / "out", "majority")
    before_runs, _ = capfd.readouterr().err.split("runs to do")
    found = [line for line in before_runs.splitlines() if ": warning W" in line]

    assert [line.split(": ")[1] for line in found] == ["warning W01 shared-sample", "warning W09 leaking-feature"]
    assert found[1].endswith(": folder 1.00.")
