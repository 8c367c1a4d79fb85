"""Back end of a Dask cluster: each job is done by a worker process on one of its machines.

A Dask worker does one job at a time, in a new process, with as many threads as the worker was started with. It must
share the results folder, the data and the cache with this machine, and have the same versions of the libraries.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from distributed import Client, KilledWorker, Reschedule, get_worker
from distributed.client import FutureCancelledError
from distributed.comm.core import connect
from distributed.security import Security

from ...data_manifests.errors import SuiteError
from ...data_manifests.files.atomic_writes import write_errors
from ...data_manifests.files.source_code import source_sha256
from ...models import registry
from .environment import library_versions
from .processes import WorkerProcess, reference_of
from .scheduler import Ending, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..console.progress import Progress
    from .scheduler import Schedulable

CONNECT_SECONDS, WORKER_SECONDS, STOP_SECONDS, CLOSE_SECONDS = 20, 600, 30, 5
"""Longest waits: for the scheduler, for its first worker, for the end of stopped jobs, and for that of the client."""

BUSY_SECONDS, UNFIT_SECONDS = 0.5, 5
"""Waits of a task on a worker that does another job, or cannot do jobs, before it is scheduled again."""

DEATHS = 4
"""Number of workers that may die during a job before it is given up."""

busy = Lock()
"""Held, in a Dask worker, while it does a job, so that jobs do not share its threads."""


class DaskCluster:
    """Workers of a Dask cluster.

    Args:
        address: address of the Dask scheduler, such as `tcp://127.0.0.1:8786`.
        folder: the results folder.
        progress: receives the starts of jobs and their progress lines.

    Raises:
        SuiteError: no scheduler answers, it has no worker, or a worker cannot do a job.
        DataError: the results folder cannot be written.

    """

    def __init__(self, address: str, folder: Path, progress: Progress) -> None:
        self.address = address
        self.progress = progress
        self._client = _connect(address)
        self._topic = f"planktonbench-{uuid.uuid4().hex}"
        self._tasks: dict[str, Any] = {}
        self._starts: Counter[str] = Counter()
        self._unfit: set[str] = set()
        self._stopping = False
        self._token = folder.resolve() / ".locks" / f"{self._topic}.token"
        try:
            with write_errors(folder, "Choose another folder with --out."):
                self._token.parent.mkdir(parents=True, exist_ok=True)
                self._token.touch()
            self._wait_for_workers()
            self._check_workers()
            threads = list(self._client.nthreads().values())
            self.threads = min(threads, default=1)
            self.description = f"{len(threads)} Dask workers at {address} × {self.threads} threads"
            self._client.subscribe_topic(self._topic, self._show)
        except BaseException:
            self._close()
            raise

    def submit(self, run_one: Callable[[str], None], job: Schedulable) -> Future[Ending]:
        """Run a job on the next free worker; if that dies, on another one."""
        order = Order(
            key=f"planktonbench-{job.label}-{uuid.uuid4().hex}",
            reference=reference_of(run_one),
            message=job.model_dump_json(),
            label=job.label,
            threads=self.threads,
            topic=self._topic,
            token=str(self._token),
            versions=versions(),
        )
        ending: Future[Ending] = Future()
        self._send(order, ending)
        return ending

    def stop(self) -> None:
        """Cancel all jobs, and wait for the end of their processes."""
        self._stopping = True
        try:
            unfinished = dict(self._tasks)
            if unfinished:
                self._client.cancel(list(unfinished.values()), force=True)
                self._wait_for_end(set(unfinished))
        except (OSError, RuntimeError) as fault:  # the scheduler is gone; its workers end the jobs
            self.progress.log(f"the jobs on the Dask cluster could not be cancelled: {fault}")
        finally:
            self._close()

    def check(self) -> None:
        """Log that no worker is left."""
        with suppress(OSError, RuntimeError):
            if not self._client.nthreads():
                self.progress.log(f"the Dask scheduler at {self.address} has no worker left; waiting for one")

    def _send(self, order: Order, ending: Future[Ending]) -> None:
        task = self._client.submit(do_job, order, key=f"{order.key}-{uuid.uuid4().hex}", pure=False)
        self._tasks[task.key] = task
        task.add_done_callback(lambda done: self._pass_on(done, order, ending))

    def _pass_on(self, task: Any, order: Order, ending: Future[Ending]) -> None:  # noqa: ANN401 - Dask has few types
        """Set the result of a Dask task as that of a future, always; release it, or a dead worker would repeat it."""
        try:
            result = task.result()
        except FutureCancelledError:
            message = f"The connection to the Dask scheduler at {self.address} was lost. Finished runs are kept."
            ending.set_exception(Stopped() if self._stopping else SuiteError(message))
        except KilledWorker:
            if self._starts[order.key] < DEATHS:  # other jobs killed the workers on which it waited
                self._send(order, ending)
            else:
                ending.set_result(Ending(1, [f"{DEATHS} Dask workers died during this run"]))
        except BaseException as fault:  # noqa: BLE001 - nothing may be lost in this thread
            message = (
                f"The Dask cluster at {self.address} could not do {order.label}: {type(fault).__name__}: {fault}. "
                "The scheduler and all workers need planktonbench and a temporary folder."
            )
            ending.set_exception(SuiteError(message))
        else:
            ending.set_result(result)
        finally:
            self._tasks.pop(task.key, None)
            task.release()

    def _wait_for_end(self, keys: set[str]) -> None:
        end = time.monotonic() + STOP_SECONDS
        while any(self._client.run(runs_any, keys, on_error="ignore").values()):
            if time.monotonic() > end:
                self.progress.log(f"some jobs on the Dask cluster did not end within {STOP_SECONDS} seconds")
                return
            time.sleep(0.2)

    def _close(self) -> None:
        with suppress(OSError):
            self._token.unlink(missing_ok=True)
        if self._client.status != "closed":
            self._client.close(timeout=CLOSE_SECONDS)

    def _wait_for_workers(self) -> None:
        if not self._client.nthreads():
            self.progress.log(f"waiting for a worker of the Dask scheduler at {self.address}")
        try:
            self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as fault:
            message = (
                f"The Dask scheduler at {self.address} got no worker within {WORKER_SECONDS} seconds. "
                f"Start one: dask worker {self.address}"
            )
            raise SuiteError(message) from fault

    def _check_workers(self) -> None:
        """Check all workers, so that the call ends at once if one of them cannot do jobs.

        Raises:
            SuiteError: a worker lacks planktonbench, the results folder, or a version.

        """
        answers = self._client.run(fault_of_worker, str(self._token), versions(), on_error="return")
        for worker, answer in answers.items():
            if isinstance(answer, BaseException):
                message = f"Dask worker {worker} cannot do jobs: {type(answer).__name__}: {answer}."
                raise SuiteError(message)
            if answer:
                message = f"Dask worker {worker} {answer}"
                raise SuiteError(message)

    def _show(self, event: tuple[float, Mapping[str, str]]) -> None:
        """Pass on what a worker logged: the start of a job, a progress line, or why it cannot do jobs."""
        message = event[1]
        if "fault" in message:
            if message["worker"] not in self._unfit:
                self._unfit.add(message["worker"])
                self.progress.log(f"Dask worker {message['worker']} gets no jobs: it {message['fault']}")
        elif "line" in message:
            self.progress.update(message["label"], message["line"])
        else:
            self._starts[message["key"]] += 1
            self.progress.job_started(message["label"])


def _connect(address: str) -> Any:  # noqa: ANN401 - Dask has few types
    """Return a client of a scheduler.

    Another connection comes first, since a client that cannot connect hangs when it is garbage-collected.
    """
    client: Any = Client
    try:
        with ThreadPoolExecutor(1) as pool:  # the event loop of a notebook runs in this thread
            pool.submit(asyncio.run, _greet(address)).result()
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except Exception as fault:  # any error, if the address is that of another program
        message = (
            f"No Dask scheduler answers at {address}: {str(fault) or 'another program does'}. "
            "Expected an address such as tcp://127.0.0.1:8786, as 'dask scheduler' prints it."
        )
        raise SuiteError(message) from fault


async def _greet(address: str) -> None:
    """Connect to a scheduler and end the connection."""
    open_connection: Any = connect
    security: Any = Security
    opening = open_connection(address, timeout=CONNECT_SECONDS, **security().get_connection_args("client"))
    comm = await asyncio.wait_for(opening, CONNECT_SECONDS + 1)  # Dask's limit does not cover a silent program
    comm.abort()


@dataclass(frozen=True)
class Order:
    """Job as it is sent to a Dask worker.

    Attributes:
        key: name that no other job has.
        reference: function that does the job, as `module:name`.
        message: the job as JSON.
        label: name of the job for users.
        threads: number of threads of every library.
        topic: topic of the events with its progress.
        token: file in the results folder.
        versions: versions that the worker must have.

    """

    key: str
    reference: str
    message: str
    label: str
    threads: int
    topic: str
    token: str
    versions: dict[str, str]


@cache
def versions() -> dict[str, str]:
    """Return the versions of all libraries, and a hash of the source code of a run and of all shipped tracks."""
    models = registry.__name__.rpartition(".")[0]
    tracks = {f"{models}.{reference.partition(':')[0]}" for reference in registry.SHIPPED.values()}
    return {
        **library_versions(),
        "planktonbench source": source_sha256(f"{__package__}.track_run", *sorted(tracks))[:12],
    }


def fault_of_worker(token: str, wanted: dict[str, str]) -> str:
    """Return, on a Dask worker, why it cannot do a job, beginning with a verb; empty if it can."""
    if not Path(token).is_file():
        return f"does not see the folder {Path(token).parents[1]}. Share it, or choose another --out."
    own = versions()
    different = [f"{name} {own.get(name)} instead of {version}" for name, version in wanted.items()
                 if own.get(name) != version]  # fmt: skip
    return f"has {', '.join(different)}. Install the same versions, and restart it." if different else ""


def runs_any(keys: set[str], dask_worker: Any = None) -> bool:  # noqa: ANN401 - Dask has few types
    """Return, on a Dask worker, whether it runs one of these tasks."""
    return not dask_worker.active_keys.isdisjoint(keys)


def do_job(order: Order) -> Ending:
    """Do a job, on a Dask worker, in a new process; it is killed if the task is cancelled or the client is gone.

    Raises:
        Reschedule: the worker does another job, or cannot do jobs.

    """
    worker: Any = get_worker()
    key = worker.get_current_task()

    def is_wanted() -> bool:
        """Return whether the task was not cancelled, and the worker is not closing."""
        task = worker.state.tasks.get(key)
        return worker.status.name == "running" and task is not None and task.state in {"executing", "long-running"}

    def update(line: str) -> None:
        """Send a progress line to the client."""
        worker.log_event(order.topic, {"label": order.label, "line": line})

    fault = fault_of_worker(order.token, order.versions)
    if worker.state.nthreads < order.threads:
        fault = f"has {worker.state.nthreads} threads instead of {order.threads}."
    if fault:  # it joined later; the workers of the beginning were checked
        worker.log_event(order.topic, {"worker": worker.address, "fault": fault})
        time.sleep(UNFIT_SECONDS)
        raise Reschedule
    if not busy.acquire(blocking=False):
        time.sleep(BUSY_SECONDS)
        raise Reschedule
    try:
        if not is_wanted():
            return Ending(1, ["stopped before it began"])
        worker.log_event(order.topic, {"key": order.key, "label": order.label})
        return WorkerProcess(order.reference, order.message, order.threads).follow(update, is_wanted)
    finally:
        busy.release()
