"""Back end of a Dask cluster: each job is done by a worker process on one of its machines.

A Dask worker does one job at a time, in a new process, with as many threads as the worker was started with. It must
have the same versions of the libraries. Runs are stored by the workers that see the results folder; those of the others
are sent back to this machine. A worker that does not see the inputs of a job either finds or prepares its own.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter, deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import RLock
from typing import TYPE_CHECKING, Any

import dask
from distributed import KilledWorker
from distributed.client import FutureCancelledError

from ...data_manifests.errors import SuiteError
from ...data_manifests.files.atomic_writes import write_errors
from .dask_chunks import ClusterTasks
from .dask_connection import ask_workers, connected, lost_connections, threads_of_workers
from .dask_worker import (
    Call,
    FilesNeeded,
    NeededInputs,
    Order,
    Refusal,
    do_job,
    greet,
    inspect_inputs,
    runs_any,
    versions,
)
from .job import Job
from .processes import reference_of
from .remote_run import needed_files
from .scheduler import Ending, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ...data_manifests.images.store import ImageStore
    from ..console.progress import Progress
    from .scheduler import Schedulable

WORKER_SECONDS, STOP_SECONDS, CLOSE_SECONDS = 600, 30, 5
"""Longest waits: for the first worker, for the end of stopped jobs, and for that of the client."""

DEATHS = 4
"""Number of workers that may die during a job before it is given up."""

QUIET = {"distributed.admin.large-graph-warning-threshold": "1TB"}
"""Configuration in which Dask does not warn that an order with files is large."""


@dataclass(frozen=True)
class _Submission:
    """A job that was submitted: its order without files, and the future of its ending."""

    order: Order
    job: Schedulable
    ending: Future[Ending]


class DaskCluster:
    """Workers of a Dask cluster.

    Args:
        address: address of the Dask scheduler, such as `tcp://127.0.0.1:8786`.
        folder: the results folder.
        progress: receives the starts of jobs and their progress lines.
        prepare_inputs: module-level function that prepares the inputs of an `InputRequest`, given as JSON.
        jobs: number of processes on this machine for images that no worker sees.

    Raises:
        SuiteError: no scheduler answers, it has no worker, or a worker cannot do a job.
        DataError: the results folder cannot be written.

    """

    def __init__(
        self, address: str, folder: Path, progress: Progress, prepare_inputs: Callable[[str], None], *, jobs: int = 1
    ) -> None:
        self.address = address
        self.progress = progress
        self._jobs = jobs
        self._client = connected(address)
        self._tasks: dict[str, Any] = {}
        self._waiting: deque[_Submission] = deque()
        self._lock = RLock()
        self._starts: Counter[str] = Counter()
        self._deaths: Counter[str] = Counter()
        self._greeted: frozenset[str] = frozenset()
        self._n_workers = 1
        self._unfit: set[str] = set()
        self._checked: frozenset[str] = frozenset()
        self._stopping = False
        topic = f"planktonbench-{uuid.uuid4().hex}"
        self._token = folder.resolve() / ".locks" / f"{topic}.token"
        try:
            with write_errors(folder, "Choose another folder with --out."):
                self._token.parent.mkdir(parents=True, exist_ok=True)
                self._token.touch()
            self._wait_for_workers()
            self._files_travel = not self._greet_workers()
            threads = list(threads_of_workers(self._client).values())
            self.threads = min(threads, default=1)
            self._n_workers = len(threads)
            self.description = f"{len(threads)} Dask workers at {address} × {self.threads} threads"
            self._call = Call(topic, self._token, self.threads, versions(), reference_of(prepare_inputs))
            self._client.subscribe_topic(topic, self._show)
        except BaseException:
            self._close()
            raise

    def task_runner(self, images: ImageStore) -> ClusterTasks:
        """Return the function that runs tasks on the workers that see these images."""
        return ClusterTasks(self._client, images, self._greeted, self._jobs, self.progress)

    def inspect(self, jobs: Sequence[Schedulable]) -> None:
        """Check that each worker sees the inputs of jobs or finds the same data.

        Raises:
            SuiteError: a worker does not.

        """
        found: dict[str, NeededInputs] = {}
        for inputs in filter(None, map(_inputs_of, jobs)):
            recipe = inputs.recipe.data_only()
            name = recipe.model_dump_json()
            before = found.get(name, NeededInputs(recipe))
            paths = tuple(sorted({*before.paths, *inputs.paths}))
            found[name] = NeededInputs(recipe, paths, before.images or inputs.images)
        asked = tuple(found.values())
        if asked and self._files_travel:
            self.progress.log("looking for the same data on the Dask workers")
        answers = ask_workers(self._client, inspect_inputs, self._call, asked, workers=self._greeted)
        self._checked = frozenset(answers)
        for worker, fault in answers.items():
            if fault:
                message = f"Dask worker {worker} {fault}"
                raise SuiteError(message)

    def submit(self, run_one: Callable[..., None], job: Schedulable) -> Future[Ending]:
        """Run a job on the next free worker; if that dies, on another one."""
        order = Order(
            call=self._call,
            key=f"planktonbench-{job.label}-{uuid.uuid4().hex}",
            reference=reference_of(run_one),
            message=job.model_dump_json(),
            label=job.label,
            inputs=_inputs_of(job),
            files=None,
            checked=self._checked,
        )
        ending: Future[Ending] = Future()
        self._send(_Submission(order, job, ending))
        return ending

    def stop(self) -> None:
        """Cancel all jobs, and wait for the end of their processes."""
        with self._lock:
            self._stopping = True
            while self._waiting:
                self._waiting.popleft().ending.set_exception(Stopped())
            unfinished = dict(self._tasks)
        try:
            if unfinished:
                self._client.cancel(list(unfinished.values()), force=True)
                self._wait_for_end(set(unfinished))
        except Exception as fault:  # noqa: BLE001 - the scheduler is gone, of which Dask has many; its workers end the jobs
            self.progress.log(f"the jobs on the Dask cluster could not be cancelled: {fault}")
        finally:
            self._close()

    def check(self) -> None:
        """Log that no worker is left that can do jobs, and send jobs to workers that have joined."""
        with suppress(SuiteError, RuntimeError):  # the connection is lost, which the tasks will report
            workers = threads_of_workers(self._client).keys() - self._unfit
            self._n_workers = len(workers)
            if not workers:
                self.progress.log(f"no worker of the Dask scheduler at {self.address} can do jobs; waiting for one")
        self._send_waiting()

    def _send(self, submission: _Submission) -> None:
        with self._lock:
            if self._stopping:
                submission.ending.set_exception(Stopped())
            else:
                self._waiting.append(submission)
                self._send_waiting()

    def _send_waiting(self) -> None:
        """Send jobs; with files only a few at a time, since the scheduler keeps these in its memory."""
        with self._lock:
            while self._waiting:
                submission = self._waiting[0]
                try:
                    if self._files_travel and len(self._tasks) > self._n_workers:
                        return
                    self._send_now(submission)
                except Exception as fault:  # noqa: BLE001 - nothing may be lost in the thread of a callback
                    submission.ending.set_exception(self._failure(submission, fault))
                self._waiting.popleft()

    def _send_now(self, submission: _Submission) -> None:
        order = submission.order
        if self._files_travel:
            files = needed_files(submission.job) if isinstance(submission.job, Job) else {}
            order = replace(order, files=files)
        with dask.config.set(QUIET):
            task = self._client.submit(do_job, order, key=f"{order.key}-{uuid.uuid4().hex}", pure=False)
        self._tasks[task.key] = task
        task.add_done_callback(lambda done: self._pass_on(done, submission))

    def _pass_on(self, task: Any, submission: _Submission) -> None:  # noqa: ANN401 - Dask has few types
        """Set the result of a Dask task as that of a future, always; release it, or a dead worker would repeat it."""
        again, ending = False, submission.ending
        try:
            result = task.result()
        except FutureCancelledError:
            message = f"The connection to the Dask scheduler at {self.address} was lost. Finished runs are kept."
            ending.set_exception(Stopped() if self._stopping else SuiteError(message))
        except KilledWorker:
            key = submission.order.key
            self._deaths[key] += 1  # it may not have begun: other jobs killed the workers on which it waited
            again = max(self._starts[key], self._deaths[key]) < DEATHS
            if not again:
                ending.set_result(Ending(1, [f"{DEATHS} Dask workers died during this run"]))
        except BaseException as fault:  # noqa: BLE001 - nothing may be lost in this thread
            ending.set_exception(self._failure(submission, fault))
        else:
            again = isinstance(result, FilesNeeded)
            if isinstance(result, Refusal):
                ending.set_exception(SuiteError(f"Dask worker {result.worker} {result.fault}"))
            elif isinstance(result, Ending):
                ending.set_result(result)
            else:
                self._files_travel = True
        finally:
            with self._lock:
                self._tasks.pop(task.key, None)
            with suppress(RuntimeError):  # the client was closed
                task.release()
        if again:
            self._send(submission)
        else:
            self._send_waiting()

    def _failure(self, submission: _Submission, fault: BaseException) -> SuiteError:
        label = submission.order.label
        message = (
            f"The Dask cluster at {self.address} could not do {label}: {type(fault).__name__}: {fault}. "
            "The scheduler and all workers need planktonbench and a temporary folder."
        )
        return SuiteError(message)

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
        if not threads_of_workers(self._client):
            self.progress.log(f"waiting for a worker of the Dask scheduler at {self.address}")
        try:
            with lost_connections():
                self._client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as fault:
            message = (
                f"The Dask scheduler at {self.address} got no worker within {WORKER_SECONDS} seconds. "
                f"Start one: dask worker {self.address}"
            )
            raise SuiteError(message) from fault

    def _greet_workers(self) -> bool:
        """Check all workers, so that the call ends at once if one of them cannot do jobs.

        Returns:
            Whether all workers share the results folder.

        Raises:
            SuiteError: a worker lacks planktonbench, or a version.

        """
        answers = ask_workers(self._client, greet, versions(), self._token)
        self._greeted = frozenset(answers)
        for worker, (fault, _) in answers.items():
            if fault:
                message = f"Dask worker {worker} {fault}"
                raise SuiteError(message)
        apart = sum(not shares for _, shares in answers.values())
        if apart:
            folder = self._token.parents[1]
            self.progress.log(f"{apart} of {len(answers)} Dask workers do not see {folder}: their runs are sent back")
        return not apart

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


def _inputs_of(job: Schedulable) -> NeededInputs | None:
    if not isinstance(job, Job) or job.recipe is None:
        return None
    return NeededInputs(job.recipe, tuple(job.input_paths), job.images)
