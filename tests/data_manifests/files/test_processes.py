"""Work in several processes: results in the order of the tasks, few of them waiting, faults told where they belong."""

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
from planktonbench.data_manifests.files.processes import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_tasks(jobs: int) -> None:
    """With more processes than cores, and more tasks than processes."""
    tasks = [partial(operator.mul, number, number) for number in range(20)]

    assert list(in_order(tasks, jobs)) == [number * number for number in range(20)]


def test_a_slow_task_is_not_overtaken() -> None:
    """The first ends last, and comes first all the same."""
    tasks: list[Callable[[], object]] = [partial(time.sleep, 0.3), *(partial(abs, -number) for number in range(1, 5))]

    assert list(in_order(tasks, 2)) == [None, 1, 2, 3, 4]


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_tasks_are_no_results(jobs: int) -> None:
    """Nothing to do is no fault."""
    assert list(in_order([], jobs)) == []


def test_one_job_works_in_this_process_and_several_in_others() -> None:
    """A single job starts no other process; of two jobs none works here."""
    tasks = [os.getpid] * 4

    assert set(in_order(tasks, 1)) == {os.getpid()}
    assert os.getpid() not in set(in_order(tasks, 2))


@pytest.mark.parametrize(("jobs", "most"), [(1, 1), (2, 5)])
def test_tasks_are_taken_as_results_are(jobs: int, most: int) -> None:
    """A million tasks are not made before the first result is used: two for each process are ahead of it."""
    drawn: list[int] = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(1000):
            drawn.append(number)
            yield partial(abs, number)

    results = in_order(tasks(), jobs)

    assert next(results) == 0
    assert len(drawn) <= most


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_of_a_task_comes_in_its_place(jobs: int) -> None:
    """Results before it are had; then it is raised as in this process."""
    results = in_order([partial(int, "7"), partial(int, "seven"), partial(int, "8")], jobs)

    assert next(results) == 7
    with pytest.raises(ValueError, match="'seven'"):
        next(results)


def test_a_script_without_a_guard_is_not_run_again(tmp_path: Path) -> None:
    """Newcomers write scripts of a few lines; each line of theirs is run once."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom functools import partial\n"
        "from planktonbench.data_manifests.files.processes import in_order\n"
        "print('began', flush=True)\n"
        "print(list(in_order([partial(abs, -number) for number in range(4)], 2)))\n"
        "print(sys.modules['__main__'].__file__ == __file__)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines() == ["began", "[0, 1, 2, 3]", "True"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the processes of the system are read from /proc")
def test_processes_end_when_their_parent_is_killed() -> None:
    """Nobody is left who waits for tasks that will never come."""
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
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").is_dir() for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)

    assert [pid for pid in pids if Path(f"/proc/{pid}").is_dir()] == []
