"""Scheduler: each job is released once the jobs it is built on have ended."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from concurrent.futures import Future


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


class Backend(Protocol):
    """Back end that runs jobs, such as worker processes."""

    def submit(self, run_one: Callable[[str], None], job: Schedulable) -> Future[Any]:
        """Call a module-level function with the JSON of a job as soon as a worker is free."""

    def stop(self) -> None:
        """Stop all jobs; when it returns, nothing is running, and nothing will start."""

    def check(self) -> None:
        """Log why no job may have ended for a while, if there is a reason."""


def run_jobs(
    jobs: Sequence[AnyJob], run_one: Callable[[str], None], backend: Backend
) -> Generator[tuple[AnyJob, Any], None, None]:
    """Run jobs on a back end, each as soon as the jobs it is built on have ended, in any way.

    Args:
        jobs: the jobs; those that can start together start in this order.
        run_one: module-level function that runs a job, given as JSON.
        backend: where the jobs run; it is stopped at the end, and if the iteration is left early.

    Yields:
        Each job with the result of the back end, as soon as it has ended.

    Raises:
        ValueError: jobs depend on each other in a cycle.

    """
    waiting = {job.key: job for job in jobs}
    running: dict[Future[Any], AnyJob] = {}
    try:
        while waiting or running:
            pending = waiting.keys() | {job.key for job in running.values()}
            for job in [job for job in waiting.values() if pending.isdisjoint(job.inputs)]:
                running[backend.submit(run_one, waiting.pop(job.key))] = job
            if not running:
                message = f"jobs are built on each other: {', '.join(sorted(waiting))}"
                raise ValueError(message)
            ended, _ = wait(running, CHECK_SECONDS, return_when=FIRST_COMPLETED)
            if not ended:
                backend.check()
            for future in [future for future in running if future in ended]:
                yield running.pop(future), future.result()
    finally:
        backend.stop()
