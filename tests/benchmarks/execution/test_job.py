"""Jobs as messages, and the jobs that they wait for."""

from __future__ import annotations

from pathlib import Path

import pytest
from planktonbench.benchmarks.execution.job import InputRecipe, Job, TrackSource
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.models.table_tracks.baselines import Majority
from planktonbench.reports.run_files.card import Card
from pydantic import ValidationError

OUT = Path("/results")


def job(track: str, *base_runs: str) -> Job:
    """Return a job of a track with base runs."""
    draft = Card.of(
        track=track, dataset="bay", manifest_sha256="m", data_sha256="d", classes=["a", "b"], simulated=True,
        split="holdout.v1", seed=3, n_train=6, n_valid=2, n_test=2, config={"track": track, "side": 32},
        track_sha256="t", status="failed", reason="was not run", created="now", threads=2, versions={}, machine="m",
        quick=False, base_runs=dict.fromkeys(base_runs, "hash"),
    )  # fmt: skip
    sources = {name: TrackSource(reference="majority") for name in base_runs}
    recipe = InputRecipe(manifest=load_manifest("flowcam"), folder=Path("/data"), data_sha256="d", excluded=("7",))
    return Job(
        out=OUT, draft=draft, track=TrackSource(pickled="cGlja2xl"), base_runs=sources, truth=OUT / "truth.parquet",
        recipe=recipe,
    )  # fmt: skip


def test_a_job_is_one_line_of_json() -> None:
    """The worker reads the same job."""
    sent = job("pool", "majority", "random")
    message = sent.model_dump_json()

    assert "\n" not in message
    received = Job.model_validate_json(message)
    assert received == sent
    assert received.recipe.manifest.sha256 == load_manifest("flowcam").sha256


def test_a_job_waits_for_its_base_runs() -> None:
    """Its inputs are the keys of the jobs of the same data set, split and seed."""
    majority, random, pool = job("majority"), job("random"), job("pool", "majority", "random")

    assert pool.inputs == {majority.key, random.key}
    assert majority.inputs == frozenset()
    assert pool.base_folders["random"] == random.folder
    assert pool.label == "bay · pool · holdout.v1 · seed 3"


def test_the_class_of_a_track_is_found() -> None:
    """By its name, or from its pickle."""
    import base64

    import cloudpickle

    pickled = base64.b64encode(cloudpickle.dumps(Majority)).decode()

    assert TrackSource(reference="majority").load() is TrackSource(pickled=pickled).load() is Majority


def test_an_unknown_value_is_an_error() -> None:
    """A worker of another version does not ignore what it does not know."""
    message = job("pool").model_dump_json().replace('"force"', '"forced"')

    with pytest.raises(ValidationError, match="forced"):
        Job.model_validate_json(message)
