"""Back end of a Dask cluster: each job is done by a worker process on one of its machines.

A Dask worker does one job at a time, in a new process, with as many threads as the worker was started with. It must
share the results folder, the data and the cache with this machine, and have the same versions of the libraries.
"""

from __future__ import annotations

import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from distributed import Client, Reschedule, get_worker

from ...data_manifests.errors import SuiteError
from .environment import library_versions
from .processes import Ending, Stopped, WorkerProcess, reference_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..console.progress import Progress
    from .scheduler import Schedulable

CONNECT_SECONDS, WORKER_SECONDS, STOP_SECONDS = 20, 600, 30
"""Longest waits: for the scheduler, for its first worker, and for the end of stopped jobs."""

BUSY_SECONDS = 0.5
"""Wait of a task on a worker that does another job, before the scheduler looks for a free worker again."""

busy = Lock()
"""Held, in a Dask worker, while it does a job, so that jobs do not share its threads."""

running: set[str] = set()
"""Keys of the Dask tasks whose jobs run in this process, a Dask worker."""


class DaskCluster:
    """Workers of a Dask cluster.

    Args:
        address: address of the Dask scheduler, such as `tcp://127.0.0.1:8786`.
        folder: the results folder, which must exist.
        progress: receives the starts of jobs and their progress lines.

    Raises:
        SuiteError: no scheduler answers, it has no worker, or a worker cannot do a job.

    """

    def __init__(self, address: str, folder: Path, progress: Progress) -> None:
        self.progress = progress
        self._client = _connect(address)
        self._topic = f"planktonbench-{uuid.uuid4().hex}"
        self._futures: list[Any] = []
        self._token = folder.resolve() / ".locks" / f"{self._topic}.token"
        try:
            self._token.parent.mkdir(parents=True, exist_ok=True)
            self._token.touch()
            self._wait_for_workers(address)
            self._client.run(check_worker, str(self._token), library_versions())
            threads = self._client.nthreads().values()
            self.threads = min(threads)
            self.description = f"{len(threads)} Dask workers at {address} × {self.threads} threads"
            self._client.subscribe_topic(self._topic, self._show)
        except BaseException:
            self._close()
            raise

    def submit(self, run_one: Callable[[str], None], job: Schedulable) -> Future[Ending]:
        """Run a job on the next free worker; if that dies, on another one."""
        ending: Future[Ending] = Future()
        task = self._client.submit(
            do_job, Order(reference_of(run_one), job.model_dump_json(), job.label, self.threads, self._topic,
                          str(self._token), library_versions()),
            key=f"planktonbench-{job.label}-{uuid.uuid4().hex}",
            pure=False,
        )  # fmt: skip
        self._futures.append(task)
        task.add_done_callback(lambda done: _pass_on(done, ending))
        return ending

    def stop(self) -> None:
        """Cancel all jobs, and wait for the end of their processes."""
        unfinished = [task for task in self._futures if not task.done()]
        if unfinished:
            self._client.cancel(unfinished, force=True)
            end = time.monotonic() + STOP_SECONDS
            keys = {task.key for task in unfinished}
            while time.monotonic() < end and any(self._client.run(runs_any, keys, on_error="ignore").values()):
                time.sleep(0.2)
        self._futures.clear()
        self._close()

    def _close(self) -> None:
        self._token.unlink(missing_ok=True)
        if self._client.status == "running":
            self._client.close()

    def _wait_for_workers(self, address: str) -> None:
        if not self._client.nthreads():
            self.progress.log(f"waiting for a worker of the Dask scheduler at {address}")
        try:
            self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as fault:
            message = (
                f"The Dask scheduler at {address} got no worker within {WORKER_SECONDS} seconds. "
                "Start one: dask worker ADDRESS"
            )
            raise SuiteError(message) from fault

    def _show(self, event: tuple[float, Mapping[str, str]]) -> None:
        """Pass on a line that a worker logged."""
        message = event[1]
        if "line" in message:
            self.progress.update(message["label"], message["line"])
        else:
            self.progress.job_started(message["label"])


def _connect(address: str) -> Any:  # noqa: ANN401 - Dask has few types
    try:
        client: Any = Client
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as fault:
        message = (
            f"No Dask scheduler answers at {address}: {fault}. Expected an address such as tcp://127.0.0.1:8786, "
            "as 'dask scheduler' prints it."
        )
        raise SuiteError(message) from fault


def _pass_on(task: Any, ending: Future[Ending]) -> None:  # noqa: ANN401 - Dask has few types
    """Set the result of a Dask task as that of a future."""
    if task.status == "finished":
        ending.set_result(task.result())
    elif task.status == "cancelled":
        ending.set_exception(Stopped())
    elif isinstance(task.exception(), SuiteError):
        ending.set_exception(task.exception())
    else:
        ending.set_result(Ending(1, [str(task.exception())]))


@dataclass(frozen=True)
class Order:
    """Job as it is sent to a Dask worker.

    Attributes:
        reference: function that does the job, as `module:name`.
        message: the job as JSON.
        label: name of the job for users.
        threads: number of threads of every library.
        topic: topic of the events with its progress.
        token: file in the results folder.
        versions: library versions that the worker must have.

    """

    reference: str
    message: str
    label: str
    threads: int
    topic: str
    token: str
    versions: dict[str, str]


def check_worker(token: str, versions: dict[str, str], dask_worker: Any = None) -> None:  # noqa: ANN401 - few types
    """Check, on a Dask worker, that it can do a job.

    Raises:
        SuiteError: it does not see the results folder, or has other library versions.

    """
    worker = dask_worker or get_worker()
    if not Path(token).is_file():
        folder = Path(token).parents[1]
        message = f"Dask worker {worker.address} does not see the folder {folder}. Share it, or choose another --out."
        raise SuiteError(message)
    own = library_versions()
    different = [
        f"{name} {own.get(name)} instead of {version}" for name, version in versions.items() if own.get(name) != version
    ]
    if different:
        message = f"Dask worker {worker.address} has {', '.join(different)}. Install the same versions."
        raise SuiteError(message)


def runs_any(keys: set[str]) -> bool:
    """Return, on a Dask worker, whether one of these tasks runs."""
    return not running.isdisjoint(keys)


def do_job(order: Order) -> Ending:
    """Do a job, on a Dask worker, in a new process; it is killed if the task is cancelled or the client is gone.

    Raises:
        Reschedule: the worker does another job.
        SuiteError: the worker cannot do a job.

    """
    worker: Any = get_worker()
    check_worker(order.token, order.versions, worker)
    if not busy.acquire(blocking=False):
        time.sleep(BUSY_SECONDS)
        raise Reschedule
    key = str(worker.get_current_task())

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in {"executing", "long-running"}

    def update(line: str) -> None:
        worker.log_event(order.topic, {"label": order.label, "line": line})

    running.add(key)
    try:
        worker.log_event(order.topic, {"label": order.label})
        return WorkerProcess(order.reference, order.message, order.threads).follow(update, is_wanted)
    finally:
        running.discard(key)
        busy.release()
