"""Parallel execution of tasks in worker processes, with results in task order.

A spawned process imports the main script of its parent, which runs it again unless it has a `__main__` guard. It would
then start the same work and wait forever for a lock held by the parent. Tasks are functions of importable modules and
do not need the script, so it is hidden while processes start.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Result = TypeVar("Result")


class RunTasks(Protocol):
    """Function that runs tasks somewhere in parallel, such as in processes of this machine or on a cluster."""

    def __call__(self, tasks: Iterable[Callable[[], Result]], /) -> Iterator[Result]:
        """Yield the results of picklable functions without arguments, in the order of the tasks."""


def in_processes(jobs: int) -> RunTasks:
    """Return the function that runs tasks in this number of processes, and a single one in the current process."""

    def run_tasks(tasks: Iterable[Callable[[], Result]]) -> Iterator[Result]:
        remaining = iter(tasks)
        first, second = list(islice(remaining, 1)), list(islice(remaining, 1))
        return in_order(chain(first, second, remaining), jobs if second else 1)

    return run_tasks


def in_order(tasks: Iterable[Callable[[], Result]], jobs: int) -> Iterator[Result]:
    """Run tasks in parallel and yield their results in task order.

    Few tasks are submitted ahead of the results, so that memory does not grow with the number of tasks.

    Args:
        tasks: picklable functions without arguments, such as `functools.partial` of a module's function; functions
            defined in the main script are not supported.
        jobs: number of processes; 1 runs the tasks in the current process.

    Yields:
        The results, in the order of the tasks.

    """
    if jobs == 1:
        yield from (task() for task in tasks)
        return
    remaining = iter(tasks)
    with ProcessPoolExecutor(jobs, mp_context=_ScriptlessContext(), initializer=_exit_with_parent) as pool:
        pending: deque[Future[Result]] = deque(pool.submit(task) for task in islice(remaining, 2 * jobs))
        while pending:
            yield pending.popleft().result()
            pending.extend(pool.submit(task) for task in islice(remaining, 1))


class _Process(SpawnProcess):
    """Spawned process that does not run the main script of its parent."""

    def start(self) -> None:
        with _hidden_script():
            super().start()


class _ScriptlessContext(SpawnContext):
    """Context that spawns processes without the main script of the parent."""

    Process: ClassVar[type[_Process]] = _Process


@contextmanager
def _hidden_script() -> Iterator[None]:
    """Replace the main script temporarily by an empty module."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _exit_with_parent() -> None:
    """Exit this process when its parent ends; by default, processes of a pool would wait forever for tasks."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
