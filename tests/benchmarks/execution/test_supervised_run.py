"""Supervision of a run that continues another one, and files that travel with such runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.benchmarks.execution.job import Job, TrackSource
from planktonbench.benchmarks.execution.remote_run import needed_files, run_files, temporary_results
from planktonbench.benchmarks.execution.run_server import RunClient, unpacked
from planktonbench.benchmarks.execution.store import has_model, store_files, store_run
from planktonbench.benchmarks.execution.supervised_run import Supervisor
from planktonbench.benchmarks.execution.track_process import INPUTS, TrackMessage
from planktonbench.models.kept.model_facts import ModelFacts
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from pathlib import Path

IDS = [f"o{number}" for number in range(6)]
PARTS = ["train", "train", "valid", "valid", "test", "test"]
FACTS = ModelFacts(name="base", reference="majority", options={}, classes=("a", "b"))


def draft(track: str, **changes: object) -> Card:
    """Return the draft of a card."""
    facts = {
        "track": track, "dataset": "bay", "manifest_sha256": "m", "data_sha256": "d", "classes": ["a", "b"],
        "split": "holdout.v1", "seed": 0, "n_train": 2, "n_valid": 2, "n_test": 2, "config": {"track": track},
        "track_sha256": "t", "status": "done", "created": "now", "threads": 1, "versions": {}, "quick": False,
    }  # fmt: skip
    return Card.of(**{**facts, **changes})


def predictions(part: str) -> pd.DataFrame:
    """Return predictions of class a."""
    ids = [one for one, other in zip(IDS, PARTS, strict=True) if other == part]
    return pd.DataFrame({"object_id": ids, "taxon": "a", "score:a": np.float32(0.75), "score:b": np.float32(0.25)})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A results folder with two runs that have kept models."""
    folder = tmp_path / "secret-results"
    truth = {"object_id": IDS, "part": PARTS, "taxon": ["a", "b"] * 3, "sample": None}
    folder.mkdir()
    pd.DataFrame(truth).to_parquet(folder / "truth.parquet")
    for track in ("base", "other"):
        model = folder / "new"
        (model / "arrays").mkdir(parents=True)
        np.savez(model / "arrays" / "values.npz", values=np.arange(3))
        FACTS.write(model)
        tables = {"predictions.parquet": predictions("test"), "valid.parquet": predictions("valid")}
        store_run(folder, draft(track), tables, model)
    return folder


def job(out: Path, continues: str) -> Job:
    """Return a job that is built on both runs and may continue one of them."""
    sources = {name: TrackSource(reference="majority") for name in ("base", "other")}
    own = draft("next", continues=continues, base_runs=dict.fromkeys(sources, "hash"))
    return Job(
        out=out, draft=own, track=TrackSource(reference="majority"), base_runs=sources, truth=out / "truth.parquet",
        model=FACTS,
    )  # fmt: skip


def test_a_model_is_moved_into_the_folder_of_its_run(out: Path) -> None:
    """The card has the hash of each file."""
    folder = job(out, "base").base_folders["base"]

    assert not (out / "new").exists()
    assert has_model(folder)
    assert ModelFacts.read(folder / "model") == FACTS
    card = Card.from_text((folder / "card.json").read_bytes())
    assert sorted(card.hashes.model) == ["arrays/values.npz", "track.json"]


def test_the_process_of_a_track_knows_no_path_of_the_results(out: Path, tmp_path: Path) -> None:
    """It is given a copy of the model that it continues, in the scratch folder, and none of other base runs."""
    scratch = tmp_path / "scratch"
    (scratch / ".kept-model").mkdir(parents=True)
    (scratch / ".kept-model" / "left.npz").touch()
    supervisor = Supervisor(job(out, "base"), scratch)
    message = supervisor.message()
    task = TrackMessage.model_validate_json(message)
    frames = RunClient(task.address, bytes.fromhex(task.key)).request(INPUTS)
    base_runs = unpacked(frames).base_runs
    supervisor.server.close()

    assert out.name not in message
    assert all(out.name.encode() not in bytes(frame) for frame in frames)
    assert (task.continues, task.kept) == ("base", scratch / ".kept-model")
    assert not list((scratch / ".kept-model").iterdir())
    assert base_runs["other"].model_folder is None
    assert base_runs["base"].model_folder == scratch / ".continued-model"
    assert np.load(base_runs["base"].model_folder / "arrays" / "values.npz")["values"].tolist() == [0, 1, 2]


def test_the_continued_model_travels(out: Path, tmp_path: Path) -> None:
    """A machine that does not share the results gets it, and no other; a run comes back with its model."""
    one = job(out, "base")
    files = needed_files(one)
    base = one.base_folders["base"]
    with temporary_results(one, files, tmp_path) as moved:
        assert moved.continued is not None
        assert has_model(moved.continued)
        assert not has_model(moved.base_folders["other"])
    sent = run_files(one.changed(draft=draft("base"), base_runs={}))
    stored = store_files(tmp_path / "here", draft("base"), sent)

    assert [name for name in files if "/model/" in name] == [
        f"{base.relative_to(out)}/model/{name}" for name in ("arrays/values.npz", "track.json")
    ]
    assert not [name for name in needed_files(job(out, "")) if "/model/" in name]
    assert has_model(stored)
    assert {path.relative_to(stored): path.read_bytes() for path in stored.rglob("*.*")} == {
        path.relative_to(base): path.read_bytes() for path in base.rglob("*.*")
    }
