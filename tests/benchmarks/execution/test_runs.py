"""Opening and stopping a back end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from planktonbench.benchmarks.execution.runs import opened_backend
from planktonbench.benchmarks.execution.settings import Settings

if TYPE_CHECKING:
    from .conftest import Deeds, Lines


def test_the_back_end_is_stopped_after_an_error(deeds: Deeds, lines: Lines) -> None:
    """Jobs that are still running, and those that have not started, end with the block."""
    endings = []

    def submit_and_fail() -> None:
        with opened_backend(deeds.folder, Settings(jobs=2, progress=lines), deeds.run_one) as backend:
            endings.extend(backend.submit(deeds.run_one, deeds.job("sleep")) for _ in range(4))
            end = time.monotonic() + 60
            while len(deeds.pids()) < 2 and time.monotonic() < end:
                time.sleep(0.05)
            raise OSError("disk full")  # noqa: EM101, TRY003 - as of the operating system

    with pytest.raises(OSError, match="disk full"):
        submit_and_fail()

    assert len(deeds.pids()) == 2
    assert not deeds.running()
    assert all(ending.done() for ending in endings)
