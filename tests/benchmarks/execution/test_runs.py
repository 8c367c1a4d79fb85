"""Opening and stopping a back end, and which jobs are to be done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.execution.job import Job, TrackSource
from planktonbench.benchmarks.execution.runs import _missing, opened_backend
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.execution.store import store_run
from planktonbench.models.kept.model_facts import ModelFacts
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Deeds, Lines


def test_the_back_end_is_stopped_after_an_error(deeds: Deeds, lines: Lines) -> None:
    """Jobs that are still running, and those that have not started, end with the block."""
    endings = []

    def submit_and_fail() -> None:
        with opened_backend(deeds.folder, Settings(jobs=2, progress=lines), deeds.run_one) as backend:
            endings.extend(backend.submit(deeds.run_one, deeds.job("sleep")) for _ in range(4))
            end = time.monotonic() + 60
            while len(deeds.pids()) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            raise OSError("disk full")  # noqa: EM101, TRY003 - as of the operating system

    with pytest.raises(OSError, match="disk full"):
        submit_and_fail()

    assert len(deeds.pids()) == 2
    assert not deeds.running()
    assert all(ending.done() for ending in endings)


def job(out: Path, track: str, continued: str = "", *, needs_model: bool = False) -> Job:
    """Return a job of a track that may continue another one."""
    draft = Card.of(
        track=track, dataset="bay", manifest_sha256="m", data_sha256="d", classes=["a"], split="holdout.v1", seed=0,
        n_train=1, n_valid=1, n_test=1, config={"track": track}, track_sha256="t", status="failed", created="now",
        threads=1, versions={}, quick=False, continues=continued, base_runs={continued: "hash"} if continued else {},
    )  # fmt: skip
    sources = {continued: TrackSource(reference="majority")} if continued else {}
    source = TrackSource(reference="majority")
    return Job(out=out, draft=draft, track=source, base_runs=sources, truth=out / "truth", needs_model=needs_model)


def store(out: Path, one: Job, *, with_model: bool) -> None:
    """Store the run of a job as done."""
    model = None
    if with_model:
        model = out / "new-model"
        model.mkdir()
        ModelFacts(name=one.draft.track.name, reference="", options={}, classes=("a",)).write(model)
    store_run(out, one.draft.changed(status="done"), {}, model)


@pytest.mark.parametrize(
    ("stored", "to_do"),
    [
        ({}, ["first", "second", "third"]),
        ({"first": False, "second": False}, ["first", "second", "third"]),
        ({"first": False, "second": True}, ["third"]),
        ({"first": True, "second": False}, ["second", "third"]),
        ({"first": False, "second": False, "third": False}, []),
        ({"first": False, "third": False}, ["first", "second"]),
    ],
)
def test_models_are_needed_by_jobs_that_are_to_be_done(
    tmp_path: Path, stored: dict[str, bool], to_do: list[str]
) -> None:
    """The third run continues the second one, and this one the first; values are whether a stored run has its model."""
    jobs = [job(tmp_path, "first"), job(tmp_path, "second", "first"), job(tmp_path, "third", "second")]
    for one in jobs:
        if one.draft.track.name in stored:
            store(tmp_path, one, with_model=stored[one.draft.track.name])
    missing = _missing(jobs)

    assert [one.draft.track.name for one in missing] == to_do
    assert [one.needs_model for one in missing] == [one.draft.track.name != "third" and bool(
        {"second": "third", "first": "second"}[one.draft.track.name] in to_do) for one in missing]  # fmt: skip


@pytest.mark.parametrize("with_model", [False, True])
def test_a_wanted_model_makes_a_job_to_do(tmp_path: Path, *, with_model: bool) -> None:
    """A finished run is done again only if its model is missing."""
    one = job(tmp_path, "first", needs_model=True)
    store(tmp_path, one, with_model=with_model)

    assert _missing([one]) == ([] if with_model else [one])
