"""Work in several processes whose results come in the order of the tasks."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Result = TypeVar("Result")


def in_order(tasks: Iterable[Callable[[], Result]], jobs: int) -> Iterator[Result]:
    """Do tasks in so many processes; with one, in this process.

    Only a few results wait to be taken, so that memory does not grow with the number of tasks.

    Args:
        tasks: functions without arguments that can be pickled, such as `functools.partial` of a module's function.
        jobs: number of processes.

    Yields:
        The results, in the order of the tasks.

    """
    if jobs == 1:
        yield from (task() for task in tasks)
        return
    left = iter(tasks)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        waiting: deque[Future[Result]] = deque(pool.submit(task) for task in islice(left, 2 * jobs))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(task) for task in islice(left, 1))


def _end_with_parent() -> None:
    """End this process when its parent is gone; the pool's own processes would wait for it for ever."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
