"""Worker processes: their results, their output, and their end."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.execution.processes import LOG_LINES, Processes
from planktonbench.benchmarks.execution.scheduler import Stopped
from planktonbench.benchmarks.execution.store import CANNOT_WRITE

if TYPE_CHECKING:
    from .conftest import Deeds, Lines


@pytest.mark.parametrize(
    ("do", "code", "last"),
    [
        ("nothing", 0, None),
        ("threads", 0, "3 3"),
        ("talk", 0, "line 99"),
        ("die", -signal.SIGKILL, None),
        ("full", CANNOT_WRITE, "no space left"),
        ("fail", 1, "ValueError: boom"),
    ],
)
def test_how_a_worker_ends(deeds: Deeds, lines: Lines, do: str, code: int, last: str | None) -> None:
    """The result has the exit code and the last lines of the output, without progress lines."""
    backend = Processes(1, 3, lines)
    ending = backend.submit(deeds.run_one, deeds.job(do)).result(60)
    backend.stop()

    assert ending.code == code
    assert (ending.log[-1] if ending.log else None) == last
    assert len(ending.log) <= LOG_LINES
    assert lines.updates == (["deed: half-way"] if do == "talk" else [])


def test_no_process_is_left_after_a_stop(deeds: Deeds, lines: Lines) -> None:
    """Whenever the stop comes, also between two starts, all workers have ended when it returns."""
    for delay in (0.0, 0.05, 0.3, 60.0):
        backend = Processes(3, 1, lines)
        for _ in range(6):
            backend.submit(deeds.run_one, deeds.job("sleep"))
        end = time.monotonic() + delay
        while time.monotonic() < end and not (delay > 1 and deeds.pids()):  # at last, until a job has begun
            time.sleep(0.01)
        backend.stop()

        assert not backend._running
        assert not deeds.running()
    assert deeds.pids()


def test_no_process_starts_after_a_stop(deeds: Deeds, lines: Lines) -> None:
    """A thread that is about to start a process when the stop comes starts none."""
    backend = Processes(1, 1, lines)
    with backend._lock:
        waiting = backend.submit(deeds.run_one, deeds.job("sleep"))
        stopping = threading.Thread(target=backend.stop)
        stopping.start()
        time.sleep(0.2)
        backend._stopped = True  # as if `stop` had got the lock first
    stopping.join(10)

    assert isinstance(waiting.exception(10), Stopped)
    assert not deeds.pids()


@pytest.mark.parametrize("fault", [BrokenPipeError, ValueError])
def test_progress_that_cannot_be_shown(
    deeds: Deeds, lines: Lines, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    """A closed terminal does not affect the job; after any other error its process has ended."""

    def raises(*_: str) -> None:
        raise fault

    monkeypatch.setattr(lines, "update", raises)
    backend = Processes(1, 1, lines)
    ending = backend.submit(deeds.run_one, deeds.job("talk"))

    if fault is BrokenPipeError:
        assert ending.result(60).code == 0
    else:
        assert isinstance(ending.exception(60), fault)
    assert not deeds.running()
    backend.stop()
