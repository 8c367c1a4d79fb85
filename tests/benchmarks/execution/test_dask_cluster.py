"""A Dask cluster on this machine: results, dying workers, stops, and workers that cannot do a job."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution import dask_cluster, dask_connection
from planktonbench.benchmarks.execution.dask_cluster import DaskCluster
from planktonbench.benchmarks.execution.dask_worker import versions
from planktonbench.benchmarks.execution.scheduler import Stopped
from planktonbench.benchmarks.planning.worker_inputs import prepare_inputs
from planktonbench.data_manifests.errors import SuiteError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Cluster, Deeds, Lines

PATIENCE = 60


def opened(cluster: Cluster, deeds: Deeds, lines: Lines) -> DaskCluster:
    """Open the back end, with the folder of the deeds as results folder."""
    return DaskCluster(cluster.address, deeds.folder, lines, prepare_inputs)


def wait_for(deeds: Deeds, workers: int) -> None:
    """Wait until some worker processes have begun a job."""
    end = time.monotonic() + PATIENCE
    while len(deeds.pids()) < workers and time.monotonic() < end:
        time.sleep(0.05)


def test_jobs_run_on_the_workers(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """A job uses the threads of its worker; endings and progress lines come back."""
    cluster.add_worker(threads=3)
    backend = opened(cluster, deeds, lines)
    jobs = [deeds.job(do) for do in ("threads", "talk", "die", "fail")]
    endings = [backend.submit(deeds.run_one, job).result(PATIENCE) for job in jobs]
    backend.stop()

    assert backend.threads == 3
    assert endings[0].log == ["3 3"]
    assert [ending.code for ending in endings] == [0, 0, -9, 1]
    assert endings[3].log[-1] == "ValueError: boom"
    assert lines.updates == ["deed: half-way"]


def test_a_job_of_a_dead_worker_is_done_by_another(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """The other one may have joined the cluster later; the process of the dead worker ends, too."""
    first = cluster.add_worker()
    backend = opened(cluster, deeds, lines)
    ending = backend.submit(deeds.run_one, deeds.job("sleep first"))
    wait_for(deeds, 1)
    cluster.add_worker()
    first.kill()

    assert ending.result(PATIENCE).code == 0
    backend.stop()
    assert len(deeds.pids()) == 2
    assert not deeds.running()


def test_orders_with_files_are_sent_a_few_at_a_time(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """The scheduler keeps their files in its memory; the others wait here, and end with a stop."""
    cluster.add_worker(
        preload="from planktonbench.benchmarks.execution import dask_worker\n"
        "dask_worker.shares_results = lambda token: False\n"
    )
    backend = opened(cluster, deeds, lines)
    done = [backend.submit(deeds.run_one, deeds.job("nothing")) for _ in range(5)]
    sent = len(backend._tasks)
    codes = [ending.result(PATIENCE).code for ending in done]
    stopped = [backend.submit(deeds.run_one, deeds.job("sleep")) for _ in range(5)]
    backend.stop()

    assert sent <= 2
    assert codes == [0] * 5
    assert all(isinstance(ending.exception(PATIENCE), Stopped) for ending in stopped)


def test_no_process_is_left_after_a_stop(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """One job runs and another waits, since a worker does one at a time."""
    cluster.add_worker(threads=2)
    backend = opened(cluster, deeds, lines)
    endings = [backend.submit(deeds.run_one, deeds.job("sleep")) for _ in range(2)]
    wait_for(deeds, 1)
    time.sleep(1)
    backend.stop()

    assert len(deeds.pids()) == 1
    assert not deeds.running()
    assert all(isinstance(ending.exception(PATIENCE), Stopped) for ending in endings)


def test_no_process_is_left_if_the_client_is_killed(cluster: Cluster, deeds: Deeds, tmp_path: Path) -> None:
    """The cluster cancels the jobs of a client that is gone."""
    cluster.add_worker()
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom types import SimpleNamespace\nimport deeds_of_tests\n"
        "from planktonbench.benchmarks.console.progress import Progress\n"
        "from planktonbench.benchmarks.execution.dask_cluster import DaskCluster\n"
        "folder = Path(sys.argv[2])\n"
        'job = SimpleNamespace(label="deed", model_dump_json=lambda: f\'{{"do": "sleep", "folder": "{folder}"}}\')\n'
        "run = deeds_of_tests.run\n"
        "DaskCluster(sys.argv[1], folder, Progress(), run).submit(run, job)\ntime.sleep(600)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", code, cluster.address, str(deeds.folder)], cwd=tmp_path)
    wait_for(deeds, 1)
    client.kill()
    client.wait()
    end = time.monotonic() + PATIENCE
    while deeds.running() and time.monotonic() < end:
        time.sleep(0.1)

    assert deeds.pids()
    assert not deeds.running()


def test_a_worker_with_other_versions_is_named(
    cluster: Cluster, deeds: Deeds, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has its address and the difference; no file is left."""
    found = versions()["numpy"]
    monkeypatch.setattr(dask_cluster, "versions", lambda: {**versions(), "numpy": "0.1"})
    cluster.add_worker()

    with pytest.raises(SuiteError, match=rf"Dask worker tcp://\S+ has numpy {found} instead of 0\.1\. Install"):
        opened(cluster, deeds, lines)
    assert not list(deeds.folder.rglob("*.token"))


def test_a_worker_without_the_package_is_named(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """Its environment lacks planktonbench."""
    cluster.add_worker(
        preload="import sys\n"
        "for name in [name for name in sys.modules if name.split('.')[0] == 'planktonbench']:\n"
        "    del sys.modules[name]\n"
        "sys.modules['planktonbench'] = None\n"
    )

    with pytest.raises(SuiteError, match=r"Dask worker tcp://\S+ cannot do jobs: .*ModuleNotFoundError.*planktonbench"):
        opened(cluster, deeds, lines)


def test_a_worker_that_joins_later_is_checked(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """It gets no jobs and is named; the others go on."""
    cluster.add_worker(threads=2)
    backend = opened(cluster, deeds, lines)
    first = backend.submit(deeds.run_one, deeds.job("sleep first"))
    wait_for(deeds, 1)
    cluster.add_worker(
        preload="from planktonbench.benchmarks.execution import dask_worker\ndask_worker.UNFIT_SECONDS = 0.5\n"
    )
    second = backend.submit(deeds.run_one, deeds.job("nothing"))
    end = time.monotonic() + PATIENCE
    while not (unfit := [line for line in lines.logged if "gets no jobs" in line]) and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(deeds.pids()[0], signal.SIGKILL)

    assert (first.result(PATIENCE).code, second.result(PATIENCE).code) == (-signal.SIGKILL, 0)
    backend.stop()
    assert re.fullmatch(r"Dask worker tcp://\S+ gets no jobs: it has 1 threads instead of 2\.", unfit[0])
    assert len([line for line in lines.logged if "gets no jobs" in line]) == 1


def test_a_finished_job_is_not_repeated_if_its_worker_dies(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """Its result is no longer needed on the cluster."""
    first = cluster.add_worker()
    backend = opened(cluster, deeds, lines)

    assert backend.submit(deeds.run_one, deeds.job("nothing")).result(PATIENCE).code == 0
    cluster.add_worker()
    time.sleep(1)
    first.kill()
    assert backend.submit(deeds.run_one, deeds.job("nothing")).result(PATIENCE).code == 0
    time.sleep(1)
    backend.stop()
    assert len(deeds.pids()) == 2


def test_a_lost_scheduler_ends_the_call(cluster: Cluster, deeds: Deeds, lines: Lines) -> None:
    """The message names it, and the job's process ends."""
    cluster.add_worker()
    backend = opened(cluster, deeds, lines)
    ending = backend.submit(deeds.run_one, deeds.job("sleep"))
    wait_for(deeds, 1)
    cluster.scheduler.kill()

    with pytest.raises(SuiteError, match=f"The connection to the Dask scheduler at {cluster.address} was lost"):
        ending.result(PATIENCE)
    backend.stop()
    end = time.monotonic() + PATIENCE
    while deeds.running() and time.monotonic() < end:
        time.sleep(0.1)
    assert not deeds.running()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "localhost", "nonsense", "carrier-pigeon://roof"])
def test_no_scheduler(address: str, challenge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the address, and nothing is run."""
    monkeypatch.setattr(dask_connection, "CONNECT_SECONDS", 1)

    with pytest.raises(SuiteError, match=f"No Dask scheduler answers at {address}"):
        pb.run("flowcam", tracks=["majority"], seeds=[0], data_dir=challenge, out=tmp_path / "out", scheduler=address)

    assert not list((tmp_path / "out").rglob("card.json"))


def test_another_program_answers(deeds: Deeds, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """A web server is not a scheduler; the message has its address."""
    monkeypatch.setattr(dask_connection, "CONNECT_SECONDS", 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        address = f"tcp://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever).start()
        try:
            with pytest.raises(SuiteError, match=f"No Dask scheduler answers at {address}"):
                DaskCluster(address, deeds.folder, lines, prepare_inputs)
        finally:
            server.shutdown()
