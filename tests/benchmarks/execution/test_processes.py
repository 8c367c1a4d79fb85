"""Worker processes: their results, their output, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
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


CALL = """
import importlib, json, signal, sys
from types import SimpleNamespace
from planktonbench.benchmarks.console.progress import Progress
from planktonbench.benchmarks.execution.processes import Processes
from planktonbench.benchmarks.execution.scheduler import run_jobs

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes its background processes ignore the signal
module, folder = sys.argv[1:]
text = json.dumps({"do": "sleep", "folder": folder})
jobs = [SimpleNamespace(key=key, inputs=set(), label=key, model_dump_json=lambda: text) for key in "ab"]
backend = Processes(2, 1, Progress())
try:
    list(run_jobs(jobs, importlib.import_module(module).run, backend))
finally:
    backend.stop()
"""


def test_an_interrupted_call_ends_its_workers(deeds: Deeds) -> None:
    """Ctrl-C reaches the call alone, which kills its workers before it ends."""
    words = [sys.executable, "-P", "-c", CALL, deeds.run_one.__module__, str(deeds.folder)]
    with subprocess.Popen(words, process_group=0, stderr=subprocess.PIPE, text=True) as call:
        end = time.monotonic() + 60
        while len(deeds.pids()) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        groups = [os.getpgid(pid) for pid in deeds.pids()]
        os.killpg(call.pid, signal.SIGINT)
        _, errors = call.communicate(timeout=60)

    assert sorted(groups) == sorted(deeds.pids())
    assert errors.endswith("KeyboardInterrupt\n")
    assert not deeds.running()


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
