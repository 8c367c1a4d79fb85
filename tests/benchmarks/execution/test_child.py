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
from planktonbench.benchmarks.execution.child import Child, NewChild
from planktonbench.benchmarks.execution.processes import WorkerProcess

from .conftest import _is_running

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "family_of_tests"
CODE = """
import json, os, sys, time
from pathlib import Path
from planktonbench.benchmarks.execution.child import end_as

def in_child(message):
    deed = json.loads(message)
    stdin = Path("/proc/self/fd/0").readlink() if sys.platform == "linux" else ""
    known = {"data": os.environ.get("PLANKTONBENCH_DATA"), "stdin": str(stdin), "pid": os.getpid()}
    new = Path(deed["folder"], "new")
    new.write_text(json.dumps(known))
    new.rename(Path(deed["folder"], "child.json"))
    print("the child speaks", flush=True)
    if deed["do"] == "sleep":
        time.sleep(600)
    elif deed["do"] == "die":
        os.kill(os.getpid(), 9)
    elif deed["do"] == "exit":
        os._exit(3)

def run(message, child):
    Path(json.loads(message)["folder"], "worker.json").write_text(str(Path("/proc/self/fd/0").readlink()))
    with child:
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


@pytest.mark.parametrize(("do", "code"), [("nothing", 0), ("die", -signal.SIGKILL), ("exit", 3)])
def test_a_worker_ends_as_its_child(family: Path, do: str, code: int) -> None:
    """The log has what the child printed; the child has neither the job of the worker nor the folder of the data."""
    ending = worker(family, do).follow(lambda _: None)
    known = json.loads((family / "child.json").read_text())

    assert ending.code == code
    assert ending.log == ["the child speaks"]
    assert known["data"] is None
    assert known["stdin"] != (family / "worker.json").read_text()


def test_a_child_ends_with_its_worker(family: Path) -> None:
    """A killed worker leaves no process."""
    process = worker(family, "sleep")
    process._send()
    end = time.monotonic() + 30
    while not (family / "child.json").is_file() and time.monotonic() < end:
        time.sleep(0.05)
    pid = json.loads((family / "child.json").read_text())["pid"]

    assert _is_running(pid)
    process.kill()
    while _is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_running(pid)
    process.follow(lambda _: None)


@pytest.mark.parametrize(("do", "code"), [("nothing", 0), ("die", -signal.SIGKILL), ("exit", 3)])
def test_a_new_worker_as_child(family: Path, do: str, code: int) -> None:
    """Where a worker does not fork, its child ends in the same ways."""
    with NewChild(f"{MODULE}:in_child") as child:
        assert child.run(json.dumps({"folder": str(family), "do": do})) == code
    assert json.loads((family / "child.json").read_text())["data"] is None


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
def test_a_child_that_is_not_needed_is_killed(family: Path, monkeypatch: pytest.MonkeyPatch, system: str) -> None:  # noqa: ARG001 - its path
    """At the end of the context, on every platform."""
    monkeypatch.setattr(platform, "system", lambda: system)
    with Child.started(importlib.import_module(MODULE).in_child) as child:
        pass

    assert child.wait() == -signal.SIGKILL
