"""The variables of a worker, and the memory it takes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from planktonbench.benchmarks.execution.environment import SPIN_COUNT, THREAD_VARIABLES, peak_rss_mb, worker_environment


def test_every_library_gets_the_same_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the user's shell says, since the card names that number."""
    monkeypatch.setenv(THREAD_VARIABLES[0], "17")

    assert {worker_environment(3)[name] for name in THREAD_VARIABLES} == {"3"}


@pytest.mark.parametrize(("name", "default"), [("TF_CPP_MIN_LOG_LEVEL", "2"), ("GOMP_SPINCOUNT", SPIN_COUNT)])
def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch, name: str, default: str) -> None:
    """Log level and spinning have defaults, no more."""
    monkeypatch.delenv(name, raising=False)
    by_default = worker_environment(1)[name]
    monkeypatch.setenv(name, "7")

    assert by_default == default
    assert worker_environment(1)[name] == "7"


def test_the_memory_of_a_process_is_its_own() -> None:
    """A large process that starts a small one does not make it large."""
    load = bytearray(b"1") * 400_000_000
    code = "from planktonbench.benchmarks.execution.environment import peak_rss_mb; print(peak_rss_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert peak_rss_mb() > len(load) / 2**20 > 300 > float(done.stdout)
