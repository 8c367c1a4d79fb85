"""What a Dask worker decides alone: whether a job is still wanted, and whether it sees the same images."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from distributed.core import Status
from planktonbench.benchmarks.execution import dask_worker
from planktonbench.benchmarks.execution.dask_worker import Call, NeededInputs, wanted_check
from planktonbench.benchmarks.execution.job import InputRecipe
from planktonbench.data_manifests.images.store import open_images
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("status", "state", "wanted"),
    [
        (Status.running, "executing", True),
        (Status.paused, "executing", True),
        (Status.closing_gracefully, "long-running", True),
        (Status.closing, "executing", False),
        (Status.running, "cancelled", False),
    ],
)
def test_a_paused_or_retiring_worker_ends_its_job(
    monkeypatch: pytest.MonkeyPatch, status: Status, state: str, *, wanted: bool
) -> None:
    """Only a cancelled task, or a worker that closes at once, ends the process of a job."""
    tasks = {"job": SimpleNamespace(state=state)}
    worker = SimpleNamespace(status=status, state=SimpleNamespace(tasks=tasks), get_current_task=lambda: "job")
    monkeypatch.setattr(dask_worker, "get_worker", lambda: worker)

    assert wanted_check()() == wanted


def test_other_images_under_the_same_path_are_noticed(tmp_path: Path) -> None:
    """A worker compares the state of its images with that on the client, once for each call."""
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((9, 9), np.uint8))
    images = open_images(tmp_path / "images")
    recipe = InputRecipe(
        manifest=load_manifest("flowcam"), folder=tmp_path, data_sha256="d", images_state=sha256_text(images.state())
    )
    needed = NeededInputs(recipe, (), images.address)
    calls = [Call(f"topic {number}", tmp_path, 1, {}, "") for number in range(2)]

    same = dask_worker._has_same_images(calls[0], needed)
    cv2.imwrite(str(tmp_path / "images" / "b.png"), np.zeros((9, 9), np.uint8))

    assert same
    assert not dask_worker._has_same_images(calls[1], needed)
    assert dask_worker._has_same_images(calls[1], NeededInputs(recipe))
