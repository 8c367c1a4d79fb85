"""Jobs that do one thing, for tests of back ends."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.console.progress import Progress
from planktonbench.benchmarks.execution.environment import PROGRESS_MARK

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "deeds_of_tests"
CODE = f"""
import json, os, sys, time
from pathlib import Path
from planktonbench.benchmarks.execution.store import RefusedWriteError

def run(message):
    deed = json.loads(message)
    began = len([path for path in Path(deed["folder"]).iterdir() if path.name.isdigit()])
    Path(deed["folder"], f"{{os.getpid()}}").touch()
    if deed["do"] == "sleep" or (deed["do"] == "sleep first" and not began):
        time.sleep(600)
    elif deed["do"] == "die":
        os.kill(os.getpid(), 9)
    elif deed["do"] == "full":
        raise RefusedWriteError("no space left")
    elif deed["do"] == "fail":
        raise ValueError("boom")
    elif deed["do"] == "talk":
        for k in range(100):
            print(f"line {{k}}")
        print({PROGRESS_MARK!r} + "half-way", flush=True)
    elif deed["do"] == "threads":
        print(os.environ["PLANKTONBENCH_THREADS"], os.environ["OMP_NUM_THREADS"])
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


@dataclass(frozen=True)
class Deeds:
    """Function that does jobs, the jobs, and the processes that began one."""

    run_one: Callable[[str], None]
    folder: Path

    def job(self, do: str) -> Deed:
        """Return a job: nothing, sleep, sleep first (once), die, full, fail, talk or threads."""
        return Deed(do, self.folder)

    def pids(self) -> list[int]:
        """Return the process ids of all workers that began a job."""
        return [int(path.name) for path in self.folder.iterdir() if path.name.isdigit()]

    def running(self) -> list[int]:
        """Return the process ids of workers that have not ended."""
        return [pid for pid in self.pids() if _is_running(pid)]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def deeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deeds:
    """Jobs whose function is in a module that workers can import."""
    (tmp_path / "deeds").mkdir()
    (tmp_path / f"{MODULE}.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return Deeds(importlib.import_module(MODULE).run, tmp_path / "deeds")


class Lines(Progress):
    """Progress that stores its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[str] = []
        self.updates: list[str] = []

    def log(self, line: str) -> None:
        """Store a line."""
        self.logged.append(line)

    def update(self, label: str, line: str) -> None:
        """Store a progress line."""
        self.updates.append(f"{label}: {line}")


@pytest.fixture
def lines() -> Lines:
    """Progress that stores its lines."""
    return Lines()
