"""Process of a track and its supervisor: whatever a track does is recorded. Here, it is fitted in this process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.execution.environment import PROGRESS_MARK
from planktonbench.benchmarks.execution.job import Job, TrackSource
from planktonbench.benchmarks.execution.run_server import ACCEPTING
from planktonbench.benchmarks.execution.supervised_run import Supervisor, attempt, secret_of
from planktonbench.benchmarks.execution.track_process import fit_and_predict
from planktonbench.data_manifests.blinding.opaque_ids import OpaqueIds
from planktonbench.data_manifests.seeds import derived_seed
from planktonbench.models.kept.model_facts import ModelFacts
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.benchmarks.execution.supervised_run import Result

N = 24
CLASSES = ("Acantharea", "Copepoda")
TRUTH_SHA256 = "4b17"

TRACKS = """
import numpy as np, pandas as pd, planktonbench as pb

class Equal(pb.Track):
    name = "equal"
    inputs = {"native"}
    can_be_kept = True
    def fit(self, train, valid, *, rng):
        pass
    def predict(self, objects):
        return np.full((len(objects), len(objects.classes)), 1 / len(objects.classes))
    def save(self, folder):
        pass
    def load(self, folder):
        pass

class Device(Equal):
    device = 5

class Chosen(Equal):
    chosen = [1, 2]

class Importance(Equal):
    def importance(self, valid, *, rng):
        return pd.DataFrame({"feature": ["area", 1]})

class Preparation(Equal):
    def preparation(self):
        return {"feature": ["area"]}

class Flat(Equal):
    def embeddings(self, objects):
        return np.zeros(len(objects))

class Gaps(Equal):
    def embeddings(self, objects):
        return np.full((len(objects), 2), np.nan)

class Varying(Equal):
    def embeddings(self, objects):
        return np.zeros((len(objects), len(objects)))

class Short(Equal):
    def embeddings(self, objects):
        return np.zeros((1, 2))

class Names(Equal):
    def fit(self, train, valid, *, rng):
        worst = train.object_ids[0]
        self.context.log(f"worst so far: {worst}")
        self.chosen = {"worst": [worst], worst: 1}
        self.trials = [pb.Trial(1.0, options={"without": worst})]

class Link(Equal):
    def save(self, folder):
        folder.rmdir()
        folder.symlink_to(self.context.scratch.parent)
"""


class SameProcess:
    """Stand-in for a child: it fits in this process."""

    message = ""

    def run(self, message: str) -> int:
        """Fit and predict."""
        self.message = message
        fit_and_predict(message)
        return 0


@dataclass(frozen=True)
class Lake:
    """A split of a few objects, with tracks."""

    folder: Path

    def job(self, track: str, **changes: object) -> Job:
        """Return the job of a track."""
        draft = Card.of(
            track=track.lower(), dataset="lake", manifest_sha256="m", data_sha256="d", classes=list(CLASSES), seed=0,
            split="holdout.v1", n_train=8, n_valid=8, n_test=8, config={"track": track}, track_sha256="t", threads=1,
            status="failed", created="now", versions={}, quick=False, truth_sha256=TRUTH_SHA256,
        )  # fmt: skip
        source = TrackSource(reference=f"{self.folder}/tracks.py:{track}")
        job = Job(
            out=self.folder / "out", draft=draft, track=source, truth=self.folder / "truth.parquet",
            native=self.folder / "native.parquet",
        )  # fmt: skip
        return job.changed(**changes)

    def run(self, track: str, child: object = None, **changes: object) -> Result:
        """Return the result of a track."""
        scratch = self.folder / "out" / "scratch"
        scratch.mkdir(parents=True)
        code, result = attempt(self.job(track, **changes), scratch, child or SameProcess())  # type: ignore[arg-type]

        assert code == 0
        return result


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake whose ids contain the class."""
    ids = [f"{CLASSES[k % 2]}/{k}" for k in range(N)]
    parts = np.resize(["train", "valid", "test"], N)
    truth = {"object_id": ids, "part": parts, "taxon": np.resize(CLASSES, N), "sample": None}
    pd.DataFrame(truth).to_parquet(tmp_path / "truth.parquet")
    pd.DataFrame({"object_id": ids, "area": np.arange(float(N))}).to_parquet(tmp_path / "native.parquet")
    (tmp_path / "tracks.py").write_text(TRACKS)
    return Lake(tmp_path)


def test_a_run_has_a_card_and_tables(lake: Lake) -> None:
    """With the facts of the worker and of the track."""
    result = lake.run("Equal")

    assert (result.card.status, result.card.cost.device, result.card.track.n_trials) == ("done", "cpu", 1)
    assert {name: len(table) for name, table in result.tables.items()} == {
        "predictions.parquet": 8,
        "valid.parquet": 8,
    }


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        ("Device", "The card cannot store what the track has set: device is 5"),
        ("Chosen", "The card cannot store what the track has set: chosen is [1, 2]"),
        ("Importance", "The table importance.parquet of the track cannot be stored"),
        ("Preparation", "The table preparation.parquet of the track cannot be stored: it is dict"),
        ("Flat", "flat.embeddings returned shape (8,) for train, shape (8,) for valid, shape (8,) for test; expected"),
        ("Gaps", "gaps.embeddings returned values that are not finite; expected finite numbers of shape"),
        ("Short", "The track returned shape (1, 2); expected one row for each of 8 objects"),
        ("Link", "save of track 'link' replaced its folder by a link; expected files in the folder"),
    ],
)
def test_what_cannot_be_stored_is_the_reason(lake: Lake, track: str, reason: str) -> None:
    """A run of a track that sets or returns something else than it should is recorded as failed."""
    model = ModelFacts(name=track.lower(), reference="", options={}, classes=CLASSES)
    result = lake.run(track, model=model)

    assert result.card.status == "failed"
    assert result.card.reason.startswith(f"TrackError: {reason}")
    assert result.tables == {}


def test_dimensions_of_embeddings_must_be_the_same(lake: Lake) -> None:
    """In all subsets, here of different sizes."""
    truth = pd.read_parquet(lake.folder / "truth.parquet")
    truth[truth.index != 0].to_parquet(lake.folder / "truth.parquet")

    assert "shape (7, 7) for train, shape (8, 8) for valid" in lake.run("Varying").card.reason


def test_real_ids_are_in_everything_that_is_shown(lake: Lake, capfd: pytest.CaptureFixture[str]) -> None:
    """Progress, choices and trials name an object by its real id."""
    card = lake.run("Names").card
    chosen = card.track.chosen
    assert chosen is not None
    (worst,) = chosen["worst"]

    assert worst.split("/")[0] in CLASSES
    assert chosen == {"worst": [worst], worst: 1}
    assert card.track.trials[0].options == {"without": worst}
    assert f"{PROGRESS_MARK}worst so far: {worst}\n" in capfd.readouterr().out


def test_the_reason_is_that_of_the_supervisor(lake: Lake) -> None:
    """If it cannot respond, the card says why."""
    (lake.folder / "native.parquet").unlink()
    reason = lake.run("Equal").card.reason

    assert reason.startswith("FileNotFoundError: ")
    assert "native.parquet" in reason


def test_no_server_is_left_after_a_fault(lake: Lake) -> None:
    """The fault is recorded, and the thread of the server has ended."""

    class Broken:
        def run(self, _message: str) -> int:
            message = "no child"
            raise RuntimeError(message)

    before = servers()
    card = lake.run("Equal", Broken()).card

    assert card.reason.startswith("RuntimeError: no child")
    assert servers() <= before


def servers() -> set[threading.Thread]:
    """Return the threads of servers, leaving out those of libraries."""
    return {thread for thread in threading.enumerate() if thread.name == ACCEPTING}


def test_the_key_of_the_ids_cannot_be_derived(lake: Lake) -> None:
    """What it is made from is in nothing that a track receives, of which its seeds are part."""
    child, job = SameProcess(), lake.job("Equal")
    lake.run("Equal", child)
    supervisor = Supervisor(job, lake.folder)
    received = [child.message.encode(), *map(bytes, supervisor._inputs([]))]
    supervisor.server.close()
    subsets = supervisor.objects.subsets.values()
    seen = {str(one) for subset in subsets for one in subset.opaque_ids}
    real = [str(one) for subset in subsets for one in subset.object_ids]
    axes = {"data_set": "lake", "split": "holdout.v1", "seed": 0, "purpose": "opaque ids/object"}
    guessed = OpaqueIds(derived_seed(**axes).to_bytes(8, "big")).of(real)  # type: ignore[arg-type]  # text or int

    assert all(word.encode() not in text for word in (TRUTH_SHA256, secret_of(job.draft)) for text in received)
    assert seen.isdisjoint(guessed)
    assert secret_of(job.draft) != secret_of(job.draft.changed(truth_sha256="other"))
    assert secret_of(job.draft) == secret_of(job.draft.changed(track="other", created="later"))
