"""Worker processes: their results, their output, and their end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from planktonbench.benchmarks.console.progress import Progress
from planktonbench.benchmarks.execution.environment import PROGRESS_MARK
from planktonbench.benchmarks.execution.processes import LOG_LINES, Processes, Stopped
from planktonbench.benchmarks.execution.store import CANNOT_WRITE

MODULE = "jobs_of_test_processes"
CODE = f"""
import json, os, sys, time
from pathlib import Path
from planktonbench.benchmarks.execution.store import RefusedWriteError

def run(message):
    job = json.loads(message)
    Path(job["folder"], f"{{os.getpid()}}").touch()
    if job["do"] == "sleep":
        time.sleep(600)
    elif job["do"] == "die":
        os.kill(os.getpid(), 9)
    elif job["do"] == "full":
        raise RefusedWriteError("no space left")
    elif job["do"] == "fail":
        raise ValueError("boom")
    elif job["do"] == "talk":
        for k in range(100):
            print(f"line {{k}}")
        print({PROGRESS_MARK!r} + "half-way", flush=True)
"""


@dataclass(frozen=True)
class Deed:
    """A job that does one thing."""

    do: str
    folder: Path
    key: str = ""
    inputs: frozenset[str] = frozenset()
    label: str = "deed"

    def model_dump_json(self) -> str:
        """Return the job as JSON."""
        return f'{{"do": "{self.do}", "folder": "{self.folder}"}}'


class Lines(Progress):
    """Progress that stores its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[str] = []

    def update(self, label: str, line: str) -> None:
        """Store a progress line."""
        self.updates.append(f"{label}: {line}")


@pytest.fixture
def run_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A function of a module that workers can import."""
    (tmp_path / f"{MODULE}.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return __import__(MODULE).run


def pids(folder: Path) -> list[int]:
    """Return the process ids of all workers that began a job."""
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]


def is_running(pid: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("do", "code", "last"),
    [
        ("nothing", 0, None),
        ("talk", 0, "line 99"),
        ("die", -signal.SIGKILL, None),
        ("full", CANNOT_WRITE, "no space left"),
        ("fail", 1, "ValueError: boom"),
    ],
)
def test_how_a_worker_ends(tmp_path: Path, run_one: object, do: str, code: int, last: str | None) -> None:
    """The result has the exit code and the last lines of the output, without progress lines."""
    progress = Lines()
    backend = Processes(1, 1, progress)
    ending = backend.submit(run_one, Deed(do, tmp_path)).result(60)  # type: ignore[arg-type]
    backend.stop()

    assert ending.code == code
    assert (ending.log[-1] if ending.log else None) == last
    assert len(ending.log) <= LOG_LINES
    assert progress.updates == (["deed: half-way"] if do == "talk" else [])


def test_no_process_is_left_after_a_stop(tmp_path: Path, run_one: object) -> None:
    """Whenever the stop comes, also between two starts, all workers have ended when it returns."""
    for delay in (0.0, 0.05, 0.3, 1.0):
        backend = Processes(3, 1, Progress())
        for _ in range(6):
            backend.submit(run_one, Deed("sleep", tmp_path))  # type: ignore[arg-type]
        time.sleep(delay)
        backend.stop()

        assert not backend._running
        assert not [pid for pid in pids(tmp_path) if is_running(pid)]
    assert pids(tmp_path)


def test_no_process_starts_after_a_stop(tmp_path: Path, run_one: object) -> None:
    """A thread that is about to start a process when the stop comes starts none."""
    backend = Processes(1, 1, Progress())
    with backend._lock:
        waiting = backend.submit(run_one, Deed("sleep", tmp_path))  # type: ignore[arg-type]
        stopping = threading.Thread(target=backend.stop)
        stopping.start()
        time.sleep(0.2)
        backend._stopped = True  # as if `stop` had got the lock first
    stopping.join(10)

    assert isinstance(waiting.exception(10), Stopped)
    assert not pids(tmp_path)
