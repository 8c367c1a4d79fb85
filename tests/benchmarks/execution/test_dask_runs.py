"""Suites on a Dask cluster, with and without shared folders."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution import runs
from planktonbench.data_manifests.errors import DataError, SuiteError
from planktonbench.data_manifests.simulation import sample
from planktonbench.models.protocol import threads
from planktonbench.reports.run_files.card import read_card

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from .conftest import Cluster

pytestmark = pytest.mark.usefixtures("scores_only")

TRACKS = """
import os, time
from pathlib import Path
import numpy as np
from planktonbench.models.table_tracks.baselines import Majority

class Centres(Majority):
    name = "centres"
    def fit(self, train, valid, *, rng):
        super().fit(train, valid, rng=rng)
        table = np.nan_to_num(train.native.to_numpy())
        self.centres = np.stack([table[train.codes == code].mean(axis=0) for code in range(len(train.classes))])
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
        logs = [self.base_runs[name].log_probabilities(objects) for name in self.base_models]
        embedded = self.base_runs["centres"].embeddings.loc[objects.object_ids].to_numpy()
        scores = np.exp(logs).mean(axis=0) + np.abs(embedded[:, :1]) / 1000
        return scores / scores.sum(axis=1, keepdims=True)

class Broken(Majority):
    name = "broken"
    def fit(self, train, valid, *, rng):
        raise ValueError("boom")

class Slow(Majority):
    name = "slow"
    def fit(self, train, valid, *, rng):
        Path(MARKS, str(os.getpid())).touch()
        self.log("working")
        if len(list(Path(MARKS).iterdir())) == 1:
            time.sleep(600)
        super().fit(train, valid, rng=rng)
"""

APART = """
from pathlib import Path
from planktonbench.benchmarks.execution import dask_worker

def prepare(call, recipe, run, folder, original=dask_worker._prepare):
    return original(call, recipe.model_copy(update={"folder": Path("/absent")}), run, folder)

dask_worker.shares_results = lambda token: False
dask_worker._prepare = prepare
"""
"""Code for a worker that does not see the results folder, nor the data under the path that the client uses."""


@dataclass(frozen=True)
class Suite:
    """A suite on tiny data, and a worker that shares nothing with it."""

    data: Path
    folder: Path
    tracks: str
    cluster: Cluster

    def run(self, *tracks: str, out: str = "out", scheduler: bool = True) -> pd.DataFrame:
        """Run tracks, each a registered name or a class of the file of tracks."""
        names = [name if name.islower() else f"{self.tracks}:{name}" for name in tracks]
        address = self.cluster.address if scheduler else ""
        return pb.run("flowcam", tracks=names, seeds=[0], data_dir=self.data, out=self.folder / out, scheduler=address)

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

    @property
    def copy(self) -> Path:
        """The data of the worker that shares nothing."""
        return self.folder / "elsewhere" / "flowcam"

    @property
    def cache(self) -> Path:
        """The cache of the worker that shares nothing."""
        return self.folder / "other-cache"

    def add_worker(self, code: str = "", *, apart: bool = True) -> subprocess.Popen[bytes]:
        """Start a worker that shares nothing, or all."""
        if not apart:
            return self.cluster.add_worker()
        environment = {"PLANKTONBENCH_DATA": str(self.copy.parent), "XDG_CACHE_HOME": str(self.cache)}
        return self.cluster.add_worker(preload=APART + code, **environment)


@pytest.fixture
def suite(challenge: Path, tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite whose runs use one thread, like the workers."""
    monkeypatch.setattr(threads, "available_cores", lambda: 1)
    (tmp_path / "marks").mkdir()
    file = tmp_path / "tracks.py"
    file.write_text(f"MARKS = {str(tmp_path / 'marks')!r}\n{TRACKS}")
    made = Suite(challenge, tmp_path, str(file), cluster)
    shutil.copytree(challenge, made.copy)
    return made


def stored(out: Path) -> dict[str, bytes]:
    """Return the contents of all tables of runs."""
    return {str(path.relative_to(out)): path.read_bytes() for path in (out / "runs").rglob("*.parquet")}


def test_the_bytes_do_not_depend_on_the_cluster(suite: Suite) -> None:
    """A fusion and its base runs equal those of one process, on a worker that shares all and on one that shares nothing.

    The base runs travel to the worker that shares nothing, and no temporary folder is left there.
    """
    suite.run("Centres", "Pool", out="here", scheduler=False)
    sharing = suite.add_worker(apart=False)
    suite.run("Centres", "Pool", out="shared")
    sharing.kill()
    sharing.wait()
    suite.add_worker()
    table = suite.run("Centres", "Pool", out="apart")
    here, shared, apart = (stored(suite.folder / name) for name in ("here", "shared", "apart"))

    assert table["status"].tolist() == ["done"] * 3
    assert len(here) == 7
    assert here == shared == apart
    assert not suite.cluster.temporary_files()
    assert len(list(suite.cache.rglob("prepared/*.parquet"))) == 1


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
    monkeypatch.setattr(sample, "SAMPLE_OBJECTS", 150)
    suite.add_worker("\nfrom planktonbench.data_manifests.simulation import sample\n")
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
    wait_for_workers(suite.cluster, 2)
    done = subprocess.run(suite.command("random"), capture_output=True, text=True, check=False, cwd=suite.folder)
    expected = (
        r"Dask worker tcp://\S+ lacks the files of data set 'flowcam' that this call uses: /absent does not exist; "
        rf"{re.escape(str(suite.folder / 'empty' / 'planktonbench' / 'data' / 'flowcam'))} does not exist\. Copy them to "
        r"\S+, or set PLANKTONBENCH_DATA there to a folder that contains them as 'flowcam/'\."
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


def wait_for_workers(cluster: Cluster, count: int) -> None:
    """Wait until workers have joined the scheduler."""
    from distributed import Client

    with Client(cluster.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]  # Dask has few types
        client.wait_for_workers(count, timeout=60)
