"""Tests of timing and memory measurement in subprocesses."""

from __future__ import annotations

import subprocess

import pytest
from planktonbench.benchmarks.speed.stopwatch import in_subprocess


def test_an_expression_is_timed_in_a_subprocess() -> None:
    """Its value is returned, its arguments are strings, and imports are not timed."""
    found = in_subprocess("import time\ntime.sleep(1)", "[time.sleep(0.05), sys.argv[1:]]", 3, "a b")

    assert found.value == [None, ["3", "a b"]]
    assert 0.05 <= found.seconds < 1


def test_peak_memory_includes_child_processes() -> None:
    """200 MB allocated by a child process are recorded."""
    child = "subprocess.run([sys.executable, '-c', 'len(bytearray(b\"1\") * 200_000_000)'], check=True).returncode"
    small = in_subprocess("import subprocess", "0").peak_mb
    large = in_subprocess("import subprocess", child).peak_mb

    assert large > 190
    assert large > small


def test_exceptions_are_raised() -> None:
    """An expression that fails has no result."""
    with pytest.raises(subprocess.CalledProcessError):
        in_subprocess("", "1 / 0")
