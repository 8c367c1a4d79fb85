"""Tests of parallel execution: order of results, lazy submission of tasks, errors and worker processes."""

from __future__ import annotations

import operator
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.files.processes import in_order, in_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_are_in_task_order(jobs: int) -> None:
    """Results are ordered also with more processes than cores and more tasks than processes."""
    tasks = [partial(operator.mul, number, number) for number in range(20)]

    assert list(in_order(tasks, jobs)) == [number * number for number in range(20)]


def test_results_wait_for_a_slow_task() -> None:
    """The first result is yielded first although its task finishes last."""
    tasks: list[Callable[[], object]] = [partial(time.sleep, 0.3), *(partial(abs, -number) for number in range(1, 5))]

    assert list(in_order(tasks, 2)) == [None, 1, 2, 3, 4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_tasks_give_no_results(jobs: int) -> None:
    """An empty list of tasks is not an error."""
    assert list(in_order([], jobs)) == []


def test_a_single_job_runs_in_the_current_process() -> None:
    """With several jobs, no task runs in the current process."""
    tasks = [os.getpid] * 4

    assert set(in_order(tasks, 1)) == {os.getpid()}
    assert os.getpid() not in set(in_order(tasks, 2))


def test_a_single_task_runs_in_the_current_process() -> None:
    """Starting a process would take longer; several tasks run in other processes."""
    run_tasks = in_processes(2)

    assert list(run_tasks([])) == []
    assert list(run_tasks([os.getpid])) == [os.getpid()]
    assert os.getpid() not in set(run_tasks([os.getpid] * 3))


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 5)])
def test_tasks_are_consumed_lazily(jobs: int, most: int) -> None:
    """At most two tasks per process are submitted ahead of the current result."""
    consumed: list[int] = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(1000):
            consumed.append(number)
            yield partial(abs, number)

    results = in_order(tasks(), jobs)

    assert next(results) == 0
    assert len(consumed) <= most


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_raised_in_task_order(jobs: int) -> None:
    """Earlier results are yielded; then the exception of the task is raised unchanged."""
    results = in_order([partial(int, "7"), partial(int, "seven"), partial(int, "8")], jobs)

    assert next(results) == 7
    with pytest.raises(ValueError, match="'seven'"):
        next(results)


def test_a_script_without_main_guard_runs_only_once(tmp_path: Path) -> None:
    """Worker processes do not run the main script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom functools import partial\n"
        "from planktonbench.data_manifests.files.processes import in_order\n"
        "print('started', flush=True)\n"
        "print(list(in_order([partial(abs, -number) for number in range(4)], 2)))\n"
        "print(sys.modules['__main__'].__file__ == __file__)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines() == ["started", "[0, 1, 2, 3]", "True"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are listed in /proc")
def test_workers_exit_when_their_parent_is_killed() -> None:
    """No worker process keeps waiting for tasks."""
    code = (
        "import os, sys, time\nfrom functools import partial\n"
        "from planktonbench.data_manifests.files.processes import in_order\n"
        "if __name__ == '__main__':\n"
        "    for pid in in_order([os.getpid, os.getpid, *[partial(time.sleep, 60)] * 9], 2):\n"
        "        print(pid, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = {parent.stdout.readline().strip() for _ in range(2)}
        parent.kill()
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").is_dir() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [pid for pid in pids if Path(f"/proc/{pid}").is_dir()] == []
