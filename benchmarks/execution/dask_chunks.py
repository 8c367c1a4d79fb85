"""Chunks of images measured or prepared by Dask workers, which return the results."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from distributed import CancelledError, KilledWorker

from ...data_manifests.errors import PlanktonbenchError, SuiteError
from ...data_manifests.files.processes import in_order
from ...data_manifests.images.store import reopen_images
from ...data_manifests.seeds import sha256_text
from .dask_connection import ask_workers, threads_of_workers
from .dask_worker import fault_of_worker, versions, wanted_check
from .task_process import TaskProcesses

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ...data_manifests.images.store import ImageStore
    from ..console.progress import Progress

Result = TypeVar("Result")

CHECK_SECONDS = 2
"""Time without a result after which the workers are counted."""

ATTEMPTS = 4
"""Number of times a chunk is tried if the process that computes it dies."""

processes = TaskProcesses()
"""Processes of this Dask worker that compute chunks, one per thread."""


class ClusterTasks:
    """Function that runs tasks on the Dask workers that see the same images, or here if there are none.

    Args:
        client: client of the Dask scheduler.
        images: the images that the tasks read.
        known: addresses of the workers that may be used.
        jobs: number of processes on this machine if no worker sees the images.
        progress: receives a line on where the tasks are run.

    """

    def __init__(
        self,
        client: Any,  # noqa: ANN401 - Dask has few types
        images: ImageStore,
        known: Collection[str],
        jobs: int,
        progress: Progress,
    ) -> None:
        self._client = client
        self._images = images
        self._known = known
        self._jobs = jobs
        self._progress = progress

    def __call__(self, tasks: Iterable[Callable[[], Result]], /) -> Iterator[Result]:
        """Yield the results in the order of the tasks.

        Raises:
            SuiteError: the connection to the scheduler was lost, or workers died repeatedly during a task.

        """
        workers, threads = self._seeing(), threads_of_workers(self._client)
        count = len(threads)
        source = self._images.source
        if not workers:
            self._progress.log(f"none of {count} Dask workers sees {source}: computed on this machine")
            yield from in_order(tasks, self._jobs)
            return
        self._progress.log(f"{len(workers)} of {count} Dask workers see {source} and compute chunks of it")
        remaining = iter(tasks)
        ahead = 2 * sum(threads.get(worker, 0) for worker in workers)
        pending = deque((task, self._submit(task, workers)) for task in islice(remaining, max(ahead, 1)))
        deaths = 0
        try:
            while pending:
                task, future = pending[0]
                if not self._wait(future, workers):
                    self._progress.log(f"no Dask worker that sees {source} is left: computed on this machine")
                    yield from in_order(chain((one for one, _ in pending), remaining), self._jobs)
                    return
                try:
                    result = self._result(future)
                except KilledWorker as fault:  # perhaps by other chunks
                    deaths += 1
                    if deaths == ATTEMPTS:
                        message = f"{ATTEMPTS} Dask workers died while they computed a chunk of {source}."
                        raise SuiteError(message) from fault
                    pending[0] = (task, self._submit(task, workers))
                    continue
                yield result
                deaths = 0
                pending.popleft()
                future.release()
                pending.extend((task, self._submit(task, workers)) for task in islice(remaining, 1))
        finally:
            if pending and self._client.status == "running":
                self._client.cancel([future for _, future in pending], force=True)

    def _seeing(self) -> list[str]:
        """Return the addresses of the workers that see the same images and have the same versions."""
        wanted = fingerprint(self._images)
        address = self._images.address
        answers = ask_workers(self._client, sees_images, versions(), address, wanted, workers=self._known)
        return [worker for worker, sees in answers.items() if sees]

    def _submit(self, task: Callable[[], object], workers: list[str]) -> Any:  # noqa: ANN401 - Dask has few types
        key = f"planktonbench-chunk-{uuid.uuid4().hex}"
        return self._client.submit(
            run_chunk, task, key=key, pure=False, workers=workers, allow_other_workers=False, retries=ATTEMPTS - 1
        )

    def _wait(self, future: Any, workers: list[str]) -> bool:  # noqa: ANN401 - Dask has few types
        """Wait for a result; return False if none of the workers is left."""
        while True:
            try:
                future.exception(timeout=CHECK_SECONDS)
            except TimeoutError:
                with suppress(SuiteError):  # the connection is lost, which the future will report
                    if threads_of_workers(self._client).keys().isdisjoint(workers) and not future.done():
                        return False
            else:
                return True

    def _result(self, future: Any) -> Any:  # noqa: ANN401 - of any task
        try:
            return future.result()
        except (PlanktonbenchError, KilledWorker):
            raise
        except CancelledError as fault:
            message = "The connection to the Dask scheduler was lost. Finished chunks are kept; run again."
            raise SuiteError(message) from fault
        except Exception as fault:
            message = (
                f"A Dask worker could not compute a chunk of {self._images.source}: {type(fault).__name__}: {fault}"
            )
            raise SuiteError(message) from fault


def fingerprint(images: ImageStore) -> str:
    """Return a hash of images and of their positions in an archive, by which their chunks are read."""
    return sha256_text(images.state(), *(str(images.location_of(object_id)) for object_id in images.members))


async def sees_images(wanted: Mapping[str, str], address: str, state: str) -> bool:
    """Return, on a Dask worker, whether it has the same versions and sees the same images at an address."""
    return not fault_of_worker(wanted) and await asyncio.to_thread(_has_images, address, state)


def _has_images(address: str, state: str) -> bool:
    try:
        return fingerprint(reopen_images(address)) == state
    except (PlanktonbenchError, OSError):
        return False


def run_chunk(task: Callable[[], Result]) -> Result:
    """Compute a chunk, on a Dask worker, in a process of its own."""
    result: Result = processes.run(task, wanted_check())
    return result
