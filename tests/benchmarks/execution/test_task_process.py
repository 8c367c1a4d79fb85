"""Processes of tasks: results, exceptions, deaths and ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

import pytest
from planktonbench.benchmarks.execution import task_process
from planktonbench.benchmarks.execution.task_process import ProcessDiedError, TaskProcesses
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.store import reopen_images


def wanted() -> bool:
    """Return that a task is wanted."""
    return True


def test_a_process_runs_one_task_after_another() -> None:
    """What a task prints does not mix with the results."""
    processes = TaskProcesses()
    found = [processes.run(task, wanted) for task in (os.getpid, partial(print, "words"), partial(int, "7"), os.getpid)]
    processes.end()

    assert found[1:3] == [None, 7]
    assert found[0] == found[3] != os.getpid()


def test_an_exception_is_raised_again() -> None:
    """The process continues."""
    processes = TaskProcesses()
    with pytest.raises(ValueError, match="seven"):
        processes.run(partial(int, "seven"), wanted)
    with pytest.raises(DataError, match=r"\.tgz is an archive from which single images cannot be read"):
        processes.run(partial(reopen_images, '["/images.tgz", 1]'), wanted)

    assert processes.run(partial(int, "7"), wanted) == 7
    processes.end()


def test_a_dead_process_is_replaced() -> None:
    """Its task fails, the next one is run."""
    processes = TaskProcesses()
    with pytest.raises(ProcessDiedError, match="ended with code -9"):
        processes.run(partial(signal.raise_signal, signal.SIGKILL), wanted)

    assert processes.run(partial(int, "7"), wanted) == 7
    processes.end()


def test_a_task_that_is_no_longer_wanted_is_killed() -> None:
    """It does not run to its end."""
    begun = time.monotonic()
    with pytest.raises(ProcessDiedError):
        TaskProcesses().run(partial(time.sleep, 60), lambda: False)

    assert time.monotonic() - begun < 30


def test_idle_processes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not occupy memory after the last task."""
    monkeypatch.setattr(task_process, "IDLE_SECONDS", 0.2)
    processes = TaskProcesses()
    pid = processes.run(os.getpid, wanted)
    ended = threading.Event()
    for _ in range(1000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            ended.set()
            break
        time.sleep(0.05)

    assert ended.is_set()
