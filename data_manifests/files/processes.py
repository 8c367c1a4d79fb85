"""Work in several processes whose results come in the order of the tasks.

A process that Python spawns runs the script of its parent once more, unless the script guards itself; here it would
begin the same work again, and wait for ever for the lock that its parent holds. Tasks are of modules: nothing of the
script is wanted, and it is kept out of sight while processes start.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Result = TypeVar("Result")


def in_order(tasks: Iterable[Callable[[], Result]], jobs: int) -> Iterator[Result]:
    """Do tasks in so many processes; with one, in this process.

    Only a few results wait to be taken, so that memory does not grow with the number of tasks.

    Args:
        tasks: functions without arguments that can be pickled, such as `functools.partial` of a module's function; not
            of the script that Python was started with.
        jobs: number of processes.

    Yields:
        The results, in the order of the tasks.

    """
    if jobs == 1:
        yield from (task() for task in tasks)
        return
    left = iter(tasks)
    with ProcessPoolExecutor(jobs, mp_context=_WithoutScript(), initializer=_end_with_parent) as pool:
        waiting: deque[Future[Result]] = deque(pool.submit(task) for task in islice(left, 2 * jobs))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(task) for task in islice(left, 1))


class _Process(SpawnProcess):
    """A spawned process that does not run the script of its parent."""

    def start(self) -> None:
        with _script_hidden():
            super().start()


class _WithoutScript(SpawnContext):
    """Spawning without the script of the parent."""

    Process: ClassVar[type[_Process]] = _Process


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Put an empty module in the place of the script."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _end_with_parent() -> None:
    """End this process when its parent is gone; the pool's own processes would wait for it for ever."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
