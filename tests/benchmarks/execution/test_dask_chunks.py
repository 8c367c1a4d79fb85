"""Measured features and network images computed by Dask workers."""

from __future__ import annotations

import signal
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.execution.dask_cluster import DaskCluster
from planktonbench.benchmarks.planning.worker_inputs import prepare_inputs
from planktonbench.data_manifests.errors import DataError, SuiteError
from planktonbench.data_manifests.images.store import ImageStore, open_images, reopen_images
from planktonbench.features.measured.objects.segmentation import Segmentation
from planktonbench.features.measured.table import measured_table
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.network_images.store import stored_network_images
from planktonbench.features.preparation import chunk_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from planktonbench.benchmarks.execution.dask_chunks import ClusterTasks
    from planktonbench.data_manifests.files.processes import RunTasks

    from .conftest import Cluster, Lines

COUNT = 23
BLIND = """
from planktonbench.benchmarks.execution import dask_chunks
dask_chunks._has_images = lambda address, state: False
"""
"""Code for a worker that does not see the images."""

STUCK = """
import os, time
from pathlib import Path
from planktonbench.benchmarks.execution import dask_chunks

def sleep(task, is_wanted):
    Path(os.environ["MARK"]).touch()
    time.sleep(600)

dask_chunks.processes.run = sleep
"""
"""Code for a worker that begins a chunk and never finishes it."""


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    """A zip file of ellipses, two of them damaged, in chunks of five."""
    monkeypatch.setattr(chunk_files, "CHUNK", 5)
    with zipfile.ZipFile(tmp_path / "imgs.zip", "w") as archive:
        for number in range(COUNT):
            pixels = np.full((40 + number, 60), 230, np.uint8)
            cv2.ellipse(pixels, (30, 20), (12, 6), 20 * number, 0, 360, 90, -1)
            content = b"damaged" if number in {3, 21} else cv2.imencode(".png", pixels)[1].tobytes()
            archive.writestr(f"imgs/{number:02d}.png", content)
    return open_images(tmp_path / "imgs.zip")


@contextmanager
def runner(cluster: Cluster, images: ImageStore, folder: Path, lines: Lines) -> Iterator[ClusterTasks]:
    """Return the function that runs tasks on the workers."""
    backend = DaskCluster(cluster.address, folder / "out", lines, prepare_inputs)
    try:
        yield backend.task_runner(images)
    finally:
        backend.stop()


def prepared(images: ImageStore, cache: Path, run_tasks: RunTasks | None = None) -> dict[str, bytes]:
    """Return the contents of all cached files, in a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        measured_table(images, Segmentation(background="light"), run_tasks=run_tasks)
        stored_network_images(images, ImageForm(side=32), Source("light"), run_tasks=run_tasks)
    paths = (path for path in sorted(cache.rglob("*")) if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(cache)): path.read_bytes() for path in paths}


def test_workers_give_the_same_bytes(cluster: Cluster, images: ImageStore, tmp_path: Path, lines: Lines) -> None:
    """Table and network images equal those of this process, with the faults; the workers need no cache."""
    cluster.add_worker(threads=2, XDG_CACHE_HOME="/proc/none")
    expected = prepared(images, tmp_path / "here")
    with runner(cluster, images, tmp_path, lines) as run_tasks:
        found = prepared(images, tmp_path / "there", run_tasks)

    assert len(expected) == 3
    assert found == expected
    assert f"1 of 1 Dask workers see {images.source} and compute chunks of it" in lines.logged


def test_a_chunk_of_a_dead_worker_is_computed_by_another(
    cluster: Cluster, images: ImageStore, tmp_path: Path, lines: Lines
) -> None:
    """Nothing is lost."""
    first = cluster.add_worker(preload=STUCK, MARK=str(tmp_path / "mark"))
    cluster.add_worker()
    cluster.wait_for_workers(2)
    with runner(cluster, images, tmp_path, lines) as run_tasks, ThreadPoolExecutor(1) as pool:
        found = pool.submit(network_images, images, run_tasks)
        wait_for(tmp_path / "mark")
        first.kill()

        assert found.result() == network_images(images, None)
    assert f"2 of 2 Dask workers see {images.source} and compute chunks of it" in lines.logged


def test_images_are_prepared_here_if_no_worker_is_left(
    cluster: Cluster, images: ImageStore, tmp_path: Path, lines: Lines
) -> None:
    """The call does not wait for a worker that sees the images; the log says so."""
    first = cluster.add_worker(preload=STUCK, MARK=str(tmp_path / "mark"))
    with runner(cluster, images, tmp_path, lines) as run_tasks, ThreadPoolExecutor(1) as pool:
        found = pool.submit(network_images, images, run_tasks)
        wait_for(tmp_path / "mark")
        first.kill()

        assert found.result() == network_images(images, None)
    assert f"no Dask worker that sees {images.source} is left: computed on this machine" in lines.logged


def test_images_are_prepared_here_if_no_worker_sees_them(
    cluster: Cluster, images: ImageStore, tmp_path: Path, lines: Lines
) -> None:
    """The log says so."""
    cluster.add_worker(preload=BLIND)
    with runner(cluster, images, tmp_path, lines) as run_tasks:
        found = network_images(images, run_tasks)

    assert found == network_images(images, None)
    assert lines.logged[-1] == f"none of 1 Dask workers sees {images.source}: computed on this machine"


def test_an_error_of_a_task_is_raised(cluster: Cluster, images: ImageStore, tmp_path: Path, lines: Lines) -> None:
    """Errors for users are the same as here; others name the images."""
    cluster.add_worker()
    with runner(cluster, images, tmp_path, lines) as run_tasks:
        assert list(run_tasks(partial(int, str(number)) for number in range(9))) == list(range(9))
        with pytest.raises(DataError, match="from which single images cannot be read"):
            list(run_tasks([partial(reopen_images, '["/images.tgz", 1]')]))
        with pytest.raises(SuiteError, match=r"A Dask worker could not compute a chunk of .*imgs\.zip: ProcessDied"):
            list(run_tasks([partial(signal.raise_signal, signal.SIGKILL)]))


def network_images(images: ImageStore, run_tasks: RunTasks | None) -> bytes:
    """Return the pixels of network images, prepared in an empty cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(images.source.parent / f"cache-{run_tasks is None}"))
        return stored_network_images(images, ImageForm(side=32), Source("light"), run_tasks=run_tasks).grey.tobytes()


def wait_for(path: Path) -> None:
    """Wait until a file exists."""
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
