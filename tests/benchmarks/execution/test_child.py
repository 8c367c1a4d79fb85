"""Children of workers: how they end, and that they end with their worker."""

from __future__ import annotations

import importlib
import json
import os
import platform
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.execution.child import Child
from planktonbench.benchmarks.execution.processes import WorkerProcess

from .conftest import _is_running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULE = "family_of_tests"
CODE = """
import json, multiprocessing, os, subprocess, sys, time
from pathlib import Path
from planktonbench.benchmarks.execution.child import end_as

def in_child(message):
    deed = json.loads(message)
    stdin = Path("/proc/self/fd/0").readlink() if sys.platform == "linux" else ""
    known = {"data": os.environ.get("PLANKTONBENCH_DATA"), "stdin": str(stdin)}
    new = Path(deed["folder"], "new")
    new.write_text(json.dumps(known))
    if deed["do"] in {"sleep", "leave"}:
        known["pids"] = [os.getpid(), subprocess.Popen(["sleep", "600"]).pid]
        new.write_text(json.dumps(known))
    new.rename(Path(deed["folder"], "child.json"))
    print("the child speaks")
    if deed["do"] == "sleep":
        time.sleep(600)
    elif deed["do"] == "fork":
        time.sleep(0.3)  # until the thread that waits for the end of the parent does so
        process = multiprocessing.get_context("fork").Process(target=os.getpid)
        process.start()
        process.join(20)
        os._exit(process.exitcode if process.exitcode is not None else 9)
    elif deed["do"] == "die":
        os.kill(os.getpid(), 9)
    elif deed["do"] == "exit":
        os._exit(3)

def run(message, child):
    Path(json.loads(message)["folder"], "worker.json").write_text(str(Path("/proc/self/fd/0").readlink()))
    code = child.run(message)
    if code:
        end_as(code)
"""


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module whose function has a child, and the folder of its deeds."""
    (tmp_path / f"{MODULE}.py").write_text(CODE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PLANKTONBENCH_DATA", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    (tmp_path / "deeds").mkdir()
    return tmp_path / "deeds"


def worker(folder: Path, do: str) -> WorkerProcess:
    """Start a worker whose child does one thing."""
    return WorkerProcess(f"{MODULE}:run", json.dumps({"folder": str(folder), "do": do}), 1)


DEEDS = [("nothing", 0), ("die", -signal.SIGKILL), ("exit", 3), ("fork", 0)]
"""What a child does, and its exit code."""


@pytest.mark.parametrize(("do", "code"), DEEDS)
def test_a_worker_ends_as_its_child(family: Path, do: str, code: int) -> None:
    """The log has what the child printed; the child has neither the job of the worker nor the folder of the data."""
    ending = worker(family, do).follow(lambda _: None)
    known = json.loads((family / "child.json").read_text())

    assert ending.code == code
    assert ending.log == ["the child speaks"]
    assert known["data"] is None
    assert known["stdin"] == os.devnull != (family / "worker.json").read_text()


def wait_until(condition: Callable[[], bool]) -> bool:
    """Return whether a condition holds within half a minute."""
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("how", ["kill", "close"])
def test_a_child_ends_with_its_worker(family: Path, how: str) -> None:
    """A worker that is killed, or whose own parent has ended, leaves no process, nor any that its child has started."""
    process = worker(family, "sleep")
    process._send()

    assert wait_until((family / "child.json").is_file)
    pids = json.loads((family / "child.json").read_text())["pids"]
    assert all(map(_is_running, pids))
    if how == "kill":
        process.kill()
    process._process.stdin.close()
    assert wait_until(lambda: not any(map(_is_running, pids)))
    process._process.wait()
    process._log.close()


def test_processes_of_a_child_end_with_the_run(family: Path) -> None:
    """What the child has started and left behind does not outlive the job."""
    ending = worker(family, "leave").follow(lambda _: None)
    pids = json.loads((family / "child.json").read_text())["pids"]

    assert ending.code == 0
    assert wait_until(lambda: not any(map(_is_running, pids)))


@pytest.mark.parametrize(("do", "code"), DEEDS)
def test_a_new_process_as_child(family: Path, monkeypatch: pytest.MonkeyPatch, do: str, code: int) -> None:
    """Where a worker does not fork, its child ends in the same ways."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    with Child(importlib.import_module(MODULE).in_child) as child:
        assert child.run(json.dumps({"folder": str(family), "do": do})) == code
    known = json.loads((family / "child.json").read_text())

    assert known["data"] is None
    assert known["stdin"] == os.devnull


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_a_child_that_is_not_needed_is_killed(family: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:  # noqa: ARG001 - its path
    """At the end of the context, on every platform."""
    monkeypatch.setattr(platform, "system", lambda: system)
    with Child(importlib.import_module(MODULE).in_child) as child:
        pass

    assert child._process.exitcode == -signal.SIGKILL
