"""Environment variables and peak memory of a worker."""

from __future__ import annotations

import subprocess
import sys

import pytest
from planktonbench.benchmarks.execution.environment import SPIN_COUNT, THREAD_VARIABLES, peak_rss_mb, worker_environment


def test_every_library_gets_the_same_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's variables are overridden, since the card records the number of threads."""
    monkeypatch.setenv(THREAD_VARIABLES[0], "17")

    assert {worker_environment(3)[name] for name in THREAD_VARIABLES} == {"3"}


@pytest.mark.parametrize(("name", "default"), [("TF_CPP_MIN_LOG_LEVEL", "2"), ("GOMP_SPINCOUNT", SPIN_COUNT)])
def test_settings_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch, name: str, default: str) -> None:
    """Log level and spin count are defaults that the user can override."""
    monkeypatch.delenv(name, raising=False)
    by_default = worker_environment(1)[name]
    monkeypatch.setenv(name, "7")

    assert by_default == default
    assert worker_environment(1)[name] == "7"


def test_the_memory_of_a_process_is_its_own() -> None:
    """The peak memory of a small process does not include that of its large parent."""
    load = bytearray(b"1") * 400_000_000
    code = "from planktonbench.benchmarks.execution.environment import peak_rss_mb; print(peak_rss_mb())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert peak_rss_mb() > len(load) / 2**20 > 300 > float(done.stdout)
