"""Suites on a Dask cluster, with and without shared folders."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution import runs
from planktonbench.data_manifests.errors import DataError, SuiteError
from planktonbench.data_manifests.simulation import sample
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    import pandas as pd

    from .conftest import Cluster

pytestmark = pytest.mark.usefixtures("scores_only")

TRACKS = """
import os, time
from pathlib import Path
import numpy as np
from planktonbench.features.network_images.form import ImageForm
from planktonbench.models.table_tracks.baselines import Majority

class Centres(Majority):
    name = "centres"
    can_be_kept = True
    def save(self, folder):
        (folder / "arrays").mkdir()
        np.savez(folder / "arrays" / "centres.npz", centres=self.centres)
    def load(self, folder):
        self.centres = np.load(folder / "arrays" / "centres.npz")["centres"]
    def fit(self, train, valid, *, rng):
        super().fit(train, valid, rng=rng)
        table = np.nan_to_num(train.native.to_numpy())
        members = [np.flatnonzero(train.codes == code) for code in range(len(train.classes))]
        self.centres = np.stack([table[rows].mean(axis=0) if len(rows) else 0 * table[0] for rows in members])
    def predict(self, objects):
        offsets = np.nan_to_num(objects.native.to_numpy())[:, None] - self.centres
        scores = 1 / (1 + (offsets**2).sum(axis=2))
        return scores / scores.sum(axis=1, keepdims=True)
    def embeddings(self, objects):
        return np.nan_to_num(objects.native.to_numpy())

class Pool(Majority):
    name = "pool"
    base_models = ("centres", "random")
    def predict(self, objects):
        logs = [self.context.base_run(name).log_probabilities(objects) for name in self.base_models]
        embedded = self.context.base_run("centres").embeddings.loc[objects.object_ids].to_numpy()
        scores = np.exp(logs).mean(axis=0) + np.abs(embedded[:, :1]) / 1000
        return scores / scores.sum(axis=1, keepdims=True)

class Further(Centres):
    name = "further"
    continues = "centres"
    def fit(self, train, valid, *, rng):
        super().fit(valid, valid, rng=rng)
        self.centres = (self.centres + self.context.base_run("centres").restored().centres) / 2

class Pictures(Majority):
    name = "pictures"
    inputs = frozenset({"native", "images"})
    image_form = property(lambda self: ImageForm(side=32))
    def predict(self, objects):
        rows = objects.network_images.rows(objects.object_ids)
        grey = objects.network_images.grey[rows].mean(axis=(1, 2))[:, None]
        raw = np.array([objects.images.read(one).mean() for one in objects.object_ids])[:, None]
        area = np.nan_to_num(objects.native.to_numpy()).mean(axis=1)[:, None]
        scores = super().predict(objects) + (grey + 2 * raw + np.abs(area)) / 1e4 * np.arange(len(objects.classes))
        return scores / scores.sum(axis=1, keepdims=True)

class Broken(Majority):
    name = "broken"
    def fit(self, train, valid, *, rng):
        raise ValueError("boom")

class Slow(Majority):
    name = "slow"
    def fit(self, train, valid, *, rng):
        Path(MARKS, str(os.getpid())).touch()
        self.context.log("working")
        if len(list(Path(MARKS).iterdir())) == 1:
            time.sleep(600)
        super().fit(train, valid, rng=rng)
"""

BLIND = """
from planktonbench.benchmarks.execution import dask_chunks
dask_chunks._has_images = lambda address, state: False
"""
"""Code for a worker that does not see the images of the client."""

APART = """
from pathlib import Path
from planktonbench.benchmarks.execution import dask_worker

def prepare(call, recipe, run, folder, original=dask_worker._prepare):
    return original(call, recipe.model_copy(update={"folder": Path("/absent")}), run, folder)

dask_worker.shares_results = lambda token: False
dask_worker._prepare = prepare
"""
"""Code for a worker that does not see the results folder, nor the data under the path that the client uses."""


SMALL_SAMPLE = """
from planktonbench.benchmarks.planning.worker_inputs import prepare_inputs
from planktonbench.data_manifests.simulation import sample

sample.SAMPLE_OBJECTS = 480
"""
WITH_SMALL_SAMPLE = """
from dataclasses import replace

def prepare_small(call, *arguments, prepare=dask_worker._prepare):
    return prepare(replace(call, prepare="small_sample:prepare_inputs"), *arguments)

dask_worker._prepare = prepare_small
"""
"""Code for a worker whose processes, too, draw a small sample."""


@dataclass(frozen=True)
class Suite:
    """A suite on tiny data, and a worker that shares nothing with it."""

    data: Path
    folder: Path
    tracks: str
    cluster: Cluster

    def run(self, *tracks: str, out: str = "out", scheduler: bool = True, features: str = "native") -> pd.DataFrame:
        """Run tracks, each a registered name or a class of the file of tracks."""
        names = [name if name.islower() else f"{self.tracks}:{name}" for name in tracks]
        address, folder = self.cluster.address if scheduler else "", self.folder / out
        return pb.run(
            "flowcam", tracks=names, seeds=[0], data_dir=self.data, out=folder, scheduler=address, features=features
        )

    def command(self, *tracks: str) -> list[str]:
        """Return the command that runs tracks on the cluster."""
        names = ",".join(name if name.islower() else f"{self.tracks}:{name}" for name in tracks)
        words = [sys.executable, "-m", "planktonbench", "run", "flowcam", "--tracks", names, "--seeds", "0"]
        return [*words, "--data", self.data, "--out", self.folder / "out", "--scheduler", self.cluster.address]

    def marks(self) -> int:
        """Return how often the slow track was begun."""
        return len(list((self.folder / "marks").iterdir()))

    def wait_for_mark(self) -> None:
        """Wait until the slow track was begun."""
        end = time.monotonic() + 60
        while not self.marks() and time.monotonic() < end:
            time.sleep(0.05)

    def kill_slow_track(self) -> None:
        """Kill the process of the slow track."""
        os.kill(int(next((self.folder / "marks").iterdir()).name), signal.SIGKILL)

    @property
    def copy(self) -> Path:
        """The data of the worker that shares nothing."""
        return self.folder / "elsewhere" / "flowcam"

    @property
    def cache(self) -> Path:
        """The cache of the worker that shares nothing."""
        return self.folder / "other-cache"

    def add_worker(self, code: str = "", *, apart: bool = True) -> BaseProcess:
        """Start a worker that shares nothing, or all."""
        if not apart:
            return self.cluster.add_worker()
        environment = {"PLANKTONBENCH_DATA": str(self.copy.parent), "XDG_CACHE_HOME": str(self.cache)}
        return self.cluster.add_worker(preload=APART + code, **environment)


@pytest.fixture
def suite(challenge: Path, tmp_path: Path, cluster: Cluster) -> Suite:
    """A suite on 107 objects, and a scheduler without workers."""
    (tmp_path / "marks").mkdir()
    file = tmp_path / "tracks.py"
    file.write_text(f"MARKS = {str(tmp_path / 'marks')!r}\n{TRACKS}")
    made = Suite(challenge, tmp_path, str(file), cluster)
    shutil.copytree(challenge, made.copy)
    return made


def stored(out: Path) -> dict[str, bytes]:
    """Return the contents of all files of runs except cards, which have the time."""
    files = [path for path in (out / "runs").rglob("*.*") if path.is_file() and path.name != "card.json"]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.parametrize("apart", [False, True])
def test_the_bytes_do_not_depend_on_the_cluster(suite: Suite, apart: bool) -> None:
    """A fusion, a continued run and their base runs equal those of worker processes if workers share all, or nothing.

    The base runs travel to a worker that shares nothing, a model there and back, and no temporary folder is left there.
    """
    for _ in range(2):
        suite.add_worker(apart=apart)
    suite.run("Centres", "Pool", "Further", out="here", scheduler=False)
    table = suite.run("Centres", "Pool", "Further", out="cluster")

    assert table["status"].tolist() == ["done"] * 4
    assert len(stored(suite.folder / "here")) == 12
    assert sum("centres/holdout.v1/seed-0/model/" in name for name in stored(suite.folder / "cluster")) == 2
    assert stored(suite.folder / "here") == stored(suite.folder / "cluster")
    assert not suite.cluster.temporary_files()
    assert len(list(suite.cache.rglob("prepared/*.parquet"))) == apart


def test_selected_and_withheld_classes_on_a_worker_that_shares_nothing(suite: Suite) -> None:
    """It restricts its own copy of the data to the same objects; the truth that it receives has the withheld ones."""
    suite.add_worker()
    entry = {"name": "novel", "manifest": "flowcam", "min_objects": 12, "withhold": ["Copepoda"]}
    content = {"name": "mine", "datasets": [entry], "tracks": [f"{suite.tracks}:Centres"], "seeds": [0]}
    file = suite.folder / "mine.yaml"
    file.write_text(json.dumps(content))
    for out, address in (("here", ""), ("cluster", suite.cluster.address)):
        table = pb.run(str(file), data_dir=suite.data, out=suite.folder / out, scheduler=address)

        assert table[["dataset", "status", "n_withheld"]].to_numpy().tolist() == [["novel", "done", 1]]
    assert stored(suite.folder / "here") == stored(suite.folder / "cluster")
    assert len(list(suite.cache.rglob("prepared/novel-*.parquet"))) == 1


def test_images_are_prepared_on_a_worker_that_shares_nothing(suite: Suite, capfd: pytest.CaptureFixture[str]) -> None:
    """Measured features, network images and images, without the object whose image cannot be read."""
    for folder in (suite.data, suite.copy):
        damage(folder / "imgs.zip")
    suite.add_worker(BLIND)
    suite.run("Pictures", out="here", scheduler=False, features="native+measured")
    table = suite.run("Pictures", out="cluster", features="native+measured")

    assert table["status"].tolist() == ["done"]
    assert "objects have no readable image" in capfd.readouterr().err
    assert len(stored(suite.folder / "here")) >= 2
    assert stored(suite.folder / "here") == stored(suite.folder / "cluster")
    assert {path.parent.name for path in suite.cache.rglob("*.parquet")} > {"measured", "prepared"}
    assert len(list(suite.cache.rglob("grey.u8"))) == 1


def damage(archive: Path) -> None:
    """Replace the first image of a zip file by one that cannot be read."""
    with zipfile.ZipFile(archive) as old:
        contents = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for position, (name, content) in enumerate(contents.items()):
            new.writestr(name, content if position else b"damaged")


def test_a_worker_may_share_the_results_alone(suite: Suite) -> None:
    """It prepares its own inputs, and stores its runs itself."""
    suite.add_worker("\ndask_worker.shares_results = Path.is_file\ndask_worker.sees_all = lambda paths: False\n")
    table = suite.run("Centres")

    assert table["status"].tolist() == ["done"]
    assert len(list(suite.cache.rglob("prepared/*.parquet"))) == 1


def test_a_worker_that_shares_nothing_may_join_later(suite: Suite) -> None:
    """It asks for the files of its run; the first worker is busy with another one."""
    suite.add_worker(apart=False)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(suite.run, "Slow", "random")
        suite.wait_for_mark()
        suite.add_worker()
        wait_until(lambda: bool(list((suite.folder / "out" / "runs").rglob("random/*/*/card.json"))))
        done = bool(list(suite.cache.rglob("prepared/*.parquet")))
        suite.kill_slow_track()
        table = running.result().set_index("track")

    assert done
    assert table["status"].to_dict() == {"random": "done", "slow": "failed"}


def test_a_worker_without_the_data_that_joins_later_is_named(suite: Suite, capfd: pytest.CaptureFixture[str]) -> None:
    """It gets no runs; the first worker does all."""
    suite.add_worker(apart=False)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(suite.run, "Slow", "random")
        suite.wait_for_mark()
        code = f"{APART}\ndask_worker.UNFIT_SECONDS = 0.5\n"
        suite.cluster.add_worker(preload=code, XDG_CACHE_HOME=str(suite.folder / "empty"))
        wait_until(lambda: "gets no jobs: it lacks the files of data set 'flowcam'" in capfd.readouterr().err)
        suite.kill_slow_track()
        table = running.result().set_index("track")

    assert table["status"].to_dict() == {"random": "done", "slow": "failed"}


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is met."""
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


def test_a_failed_run_is_sent_back(suite: Suite, capfd: pytest.CaptureFixture[str]) -> None:
    """Its card has the reason, and the next call tries again; the log says how results travel."""
    suite.add_worker()
    suite.run("Broken")
    card = read_card(next((suite.folder / "out" / "runs" / "flowcam" / "broken").rglob("seed-0")))

    assert card is not None
    assert card.status == "failed"
    assert re.fullmatch(r"ValueError: boom \(tracks\.py:\d+\)", card.reason)
    folder = suite.folder / "out"
    assert f"1 of 1 Dask workers do not see {folder}: their runs are sent back" in capfd.readouterr().err
    assert not suite.cluster.temporary_files()


def test_the_simulated_sample_is_drawn_on_the_worker(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both machines draw the same objects; a folder with other data is not used."""
    monkeypatch.setattr(sample, "SAMPLE_OBJECTS", 480)
    (suite.folder / "small_sample.py").write_text(SMALL_SAMPLE)
    suite.add_worker(WITH_SMALL_SAMPLE)
    table = pb.run("flowcam", tracks=["random"], seeds=[0], out=suite.folder / "out", scheduler=suite.cluster.address)

    assert table["status"].tolist() == ["done"]
    assert list(suite.cache.rglob("simulated/*/imgs.zip"))


@pytest.mark.parametrize("apart", [False, True])
def test_a_killed_worker_costs_no_run(suite: Suite, apart: bool) -> None:
    """Another one does the run that it had begun."""
    first = suite.add_worker(apart=apart)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(suite.run, "Slow")
        suite.wait_for_mark()
        suite.add_worker(apart=apart)
        first.kill()
        table = running.result()

    assert suite.marks() == 2
    assert table["status"].tolist() == ["done"]


def test_a_killed_client_leaves_nothing_on_a_worker(suite: Suite) -> None:
    """The process of the job ends, and its temporary folder is removed."""
    suite.add_worker()
    running = subprocess.Popen(suite.command("Slow"), cwd=suite.folder)
    suite.wait_for_mark()
    before = suite.cluster.temporary_files()
    running.kill()
    running.wait()
    end = time.monotonic() + 60
    while suite.cluster.temporary_files() and time.monotonic() < end:
        time.sleep(0.1)

    assert len(before) == 1
    assert not suite.cluster.temporary_files()


def test_a_worker_without_the_data_is_named(suite: Suite) -> None:
    """The other one has them; the exit code is 2, the message has the address and the folders, and nothing is run."""
    suite.add_worker()
    suite.cluster.add_worker(preload=APART, XDG_CACHE_HOME=str(suite.folder / "empty"))
    suite.cluster.wait_for_workers(2)
    done = subprocess.run(suite.command("random"), capture_output=True, text=True, check=False, cwd=suite.folder)
    empty = re.escape(str(suite.folder / "empty" / "planktonbench" / "data" / "flowcam"))
    expected = (
        r"Dask worker tcp://\S+ lacks the files of data set 'flowcam' that this call uses: /absent does not exist; "
        rf"{empty} does not exist\. Copy them to \S+, or set PLANKTONBENCH_DATA there to a folder that contains them "
        r"as 'flowcam/'\."
    )

    assert done.returncode == 2
    assert re.search(expected, done.stderr)
    assert not list((suite.folder / "out").rglob("card.json"))
    assert not suite.cluster.temporary_files()


def test_a_worker_with_other_data_is_named(suite: Suite) -> None:
    """Its files have the same names."""
    with (suite.copy / "meta.csv").open("a") as meta:
        meta.write("\n")
    suite.add_worker()

    with pytest.raises(SuiteError, match=rf"Dask worker tcp://\S+ lacks .*{suite.copy} has other files"):
        suite.run("random")


def test_a_worker_with_another_track_file_is_named(suite: Suite) -> None:
    """A changed track would give other results."""
    suite.add_worker("\ndask_worker.sha256_file = lambda path: 'other'\n")

    with pytest.raises(
        SuiteError, match=rf"Dask worker tcp://\S+ has another file of a track, {suite.tracks}\. Copy it"
    ):
        suite.run("Centres")


def test_a_results_folder_that_cannot_be_written_is_reported(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is lost, with the usual message."""

    def refuse(out: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", str(out / "runs"))

    monkeypatch.setattr(runs, "store_files", refuse)
    suite.add_worker()

    with pytest.raises(DataError, match=r"out cannot be written: .*No space left on device"):
        suite.run("random")
