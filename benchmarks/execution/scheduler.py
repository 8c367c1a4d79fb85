"""Scheduler: each job is released once the jobs it is built on have ended."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from ...data_manifests.files.processes import RunTasks
    from ...data_manifests.images.store import ImageStore

CHECK_SECONDS = 60
"""Time without an ended job after which the back end is checked."""


class Schedulable(Protocol):
    """A job as the scheduler sees it; it can be sent to a worker as JSON."""

    @property
    def key(self) -> str:
        """Unique name of the job."""

    @property
    def inputs(self) -> frozenset[str]:
        """Keys of the jobs that must end first; keys of no job in the plan are ignored."""

    @property
    def label(self) -> str:
        """Name for users."""

    def model_dump_json(self) -> str:
        """Return the job as one line of JSON."""


AnyJob = TypeVar("AnyJob", bound=Schedulable)


@dataclass(frozen=True)
class Ending:
    """Outcome of the worker process of a job.

    Attributes:
        code: its exit code; negative if it was killed by a signal.
        log: the last lines of its output, without progress lines.
        files: contents of the files of the run, by name, if its worker does not share the results folder.

    """

    code: int
    log: list[str]
    files: Mapping[str, bytes] = field(default_factory=dict)


class Stopped(Exception):  # noqa: N818 - not an error, and never shown: the jobs are no longer wanted
    """The back end was stopped before a job could start."""


class Backend(Protocol):
    """Back end that runs jobs, such as worker processes."""

    description: str
    """Number of workers and of their threads, for users."""

    def task_runner(self, images: ImageStore) -> RunTasks | None:
        """Return the function that runs tasks which read these images; None if processes of this machine should."""

    def inspect(self, jobs: Sequence[Schedulable]) -> None:
        """Check that jobs can be done, before the first is submitted.

        Raises:
            SuiteError: a worker lacks something.

        """

    def submit(self, run_one: Callable[..., None], job: Schedulable) -> Future[Ending]:
        """Call a module-level function with the JSON of a job, and its child if it has one, once a worker is free."""

    def stop(self) -> None:
        """Stop all jobs; when it returns, nothing is running, and nothing will start."""

    def check(self) -> None:
        """Log why no job may have ended for a while, if there is a reason."""


def run_jobs(jobs: Sequence[AnyJob], run_one: Callable[..., None], backend: Backend) -> Iterator[tuple[AnyJob, Ending]]:
    """Run jobs on a back end, each as soon as the jobs it is built on have ended, in any way.

    Args:
        jobs: the jobs; those that can start together start in this order.
        run_one: module-level function that runs a job, given as JSON.
        backend: where the jobs run; whoever opened it stops it, also if the iteration is left early.

    Yields:
        Each job with its ending, as soon as it has ended.

    Raises:
        ValueError: jobs depend on each other in a cycle.

    """
    waiting = {job.key: job for job in jobs}
    inputs = {key: job.inputs & waiting.keys() for key, job in waiting.items()}
    running: dict[Future[Ending], AnyJob] = {}
    while waiting or running:
        pending = waiting.keys() | {job.key for job in running.values()}
        for key in [key for key in waiting if pending.isdisjoint(inputs[key])]:
            job = waiting.pop(key)
            running[backend.submit(run_one, job)] = job
        if not running:
            message = f"jobs are built on each other: {', '.join(sorted(waiting))}"
            raise ValueError(message)
        ended, _ = wait(running, CHECK_SECONDS, return_when=FIRST_COMPLETED)
        if not ended:
            backend.check()
        for future in [future for future in running if future in ended]:
            yield running.pop(future), future.result()
