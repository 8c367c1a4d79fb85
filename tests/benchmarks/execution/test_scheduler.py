"""Order in which jobs are released, on a back end that ends them one by one."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.benchmarks.execution import scheduler
from planktonbench.benchmarks.execution.scheduler import Ending, run_jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(frozen=True)
class Step:
    """A job without content."""

    key: str
    inputs: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Its key."""
        return self.key

    def model_dump_json(self) -> str:
        """Return its key."""
        return self.key


@dataclass
class OneByOne:
    """Back end that ends one job, chosen by the next number, whenever the scheduler waits."""

    choices: Iterator[int]
    description: str = "by hand"
    running: dict[str, Future[Ending]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)

    def submit(self, run_one: object, job: scheduler.Schedulable) -> Future[Ending]:  # noqa: ARG002 - as a back end
        """Start a job."""
        self.events.append(("start", job.key))
        self.running[job.key] = Future()
        return self.running[job.key]

    def check(self) -> None:
        """Do nothing."""

    def wait(
        self, futures: Collection[Future[Ending]], *_: object, **__: object
    ) -> tuple[set[Future[Ending]], set[Future[Ending]]]:
        """End one of the running jobs, instead of `concurrent.futures.wait`."""
        key = sorted(self.running)[next(self.choices) % len(self.running)]
        self.events.append(("end", key))
        ended = self.running.pop(key)
        ended.set_result(Ending(0, [key]))
        return {ended}, set(futures) - {ended}

    def stop(self) -> None:
        """Do nothing."""


def nothing(message: str) -> None:
    """Do nothing."""


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    """Jobs in any order, each built on some others, and on a job that ended before this plan."""
    built_on = [draw(st.sets(st.integers(0, k - 1))) if k else set() for k in range(draw(st.integers(1, 8)))]
    steps = [Step(str(k), frozenset({"ended before", *map(str, inputs)})) for k, inputs in enumerate(built_on)]
    return draw(st.permutations(steps))


@given(plan=plans(), numbers=st.lists(st.integers(0, 99), min_size=8, max_size=8))
def test_a_job_starts_as_soon_as_its_inputs_have_ended(plan: list[Step], numbers: list[int]) -> None:
    """Before each wait, the jobs whose inputs have ended have started, and no others; each is yielded with a result."""
    backend = OneByOne(iter(numbers))
    with patch.object(scheduler, "wait", backend.wait):
        yielded = list(run_jobs(plan, nothing, backend))
    started: set[str] = set()
    ended: set[str] = set()
    for kind, key in backend.events:
        if kind == "start":
            started.add(key)
            continue
        assert started == {step.key for step in plan if step.inputs - {"ended before"} <= ended}
        ended.add(key)

    assert [(job.key, ending.log) for job, ending in yielded] == [
        (key, [key]) for kind, key in backend.events if kind == "end"
    ]
    assert ended == {step.key for step in plan}


def test_jobs_that_can_start_together_start_in_order() -> None:
    """The order of the plan is kept."""
    backend = OneByOne(iter([0] * 3))
    with patch.object(scheduler, "wait", backend.wait):
        list(run_jobs([Step("c"), Step("a"), Step("b")], nothing, backend))

    assert [key for kind, key in backend.events if kind == "start"] == ["c", "a", "b"]


def test_a_circle_is_an_error() -> None:
    """Jobs that wait for each other would never start."""
    plan = [Step("a", frozenset("b")), Step("b", frozenset("a"))]

    with pytest.raises(ValueError, match="built on each other: a, b"):
        list(run_jobs(plan, nothing, OneByOne(iter([]))))


def test_the_back_end_is_checked_if_no_job_ends() -> None:
    """It may log a reason, such as a cluster without workers."""

    class Slow(OneByOne):
        """Back end whose first wait ends without a job."""

        def wait(
            self, futures: Collection[Future[Ending]], *_: object, **__: object
        ) -> tuple[set[Future[Ending]], set[Future[Ending]]]:
            """End no job at first."""
            return super().wait(futures) if ("check", "") in self.events else (set(), set(futures))

        def check(self) -> None:
            """Record the call."""
            self.events.append(("check", ""))

    backend = Slow(iter([0]))
    with patch.object(scheduler, "wait", backend.wait):
        list(run_jobs([Step("a")], nothing, backend))

    assert backend.events == [("start", "a"), ("check", ""), ("end", "a")]
