"""Jobs that do one thing, for tests of back ends."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import re
import runpy
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.console.progress import Progress
from planktonbench.benchmarks.execution.environment import PROGRESS_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.process import BaseProcess

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


PATIENCE = 60


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    folder: Path
    scheduler: BaseProcess
    workers: list[BaseProcess] = field(default_factory=list)

    def wait_for_workers(self, count: int) -> None:
        """Wait until workers have joined the scheduler."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:  # type: ignore[no-untyped-call]  # Dask has few types
            client.wait_for_workers(count, timeout=PATIENCE)

    def temporary_files(self) -> list[Path]:
        """Return the temporary folders of jobs on the workers."""
        return list((self.folder / "scratch").rglob("planktonbench-*"))

    def add_worker(self, threads: int = 1, *, preload: str = "", **environment: str) -> BaseProcess:
        """Start a worker that does not restart itself.

        Args:
            threads: its number of threads.
            preload: code that it executes first.
            environment: environment variables to change.

        """
        options = ["--nthreads", str(threads), "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        options += ["--local-directory", str(self.folder / "scratch")]
        if preload:
            script = self.folder / f"preload-{len(self.workers)}.py"
            script.write_text(preload)
            options += ["--preload", str(script)]
        log = self.folder / f"worker-{len(self.workers)}.log"
        self.workers.append(start_dask("dask_worker", [self.address, *options], log, environment))
        return self.workers[-1]


COMMAND = """
import os, sys, warnings

os.environ.clear()
os.environ.update({environment!r})
os.chdir({folder!r})
for number in (1, 2):
    os.dup2(os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
warnings.resetwarnings()
sys.argv = {words!r}
from distributed.cli import {command}

{command}.main()
"""
PRELOADED = [
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "planktonbench.benchmarks.execution.dask_worker",
    "planktonbench.benchmarks.execution.dask_chunks",
]


def start_dask(
    command: str, options: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> BaseProcess:
    """Start a command of Dask as a fork of a process that has imported Dask, since imports take most of its time.

    Args:
        command: `dask_scheduler` or `dask_worker`.
        options: words of the command line.
        log: receives the output.
        environment: environment variables to change.

    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    script = log.with_suffix(".py")
    words = {"environment": {**os.environ, **(environment or {})}, "folder": str(log.parent), "log": str(log)}
    script.write_text(COMMAND.format(**words, words=[command, *options], command=command))
    process = context.Process(target=runpy.run_path, args=(str(script),))
    process.start()
    return process


@contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """Start a scheduler without workers, and kill all at the end."""
    folder.mkdir()
    log = folder / "scheduler.log"
    log.touch()
    scheduler = start_dask("dask_scheduler", ["--no-dashboard", "--port", "0", "--host", "127.0.0.1"], log)
    end = time.monotonic() + PATIENCE
    while not (found := re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    assert found, log.read_text()
    cluster = Cluster(found.group(), folder, scheduler)
    try:
        yield cluster
    finally:
        for process in [*cluster.workers, scheduler]:
            process.kill()
            process.join()


@pytest.fixture
def cluster(tmp_path: Path, deeds: Deeds) -> Iterator[Cluster]:  # noqa: ARG001 - workers import the deeds
    """A scheduler without workers."""
    with started(tmp_path / "cluster") as made:
        yield made
