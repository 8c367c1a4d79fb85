"""The stopwatch: values come back, time and memory are of the expression's own process."""

from __future__ import annotations

import subprocess

import pytest
from planktonbench.benchmarks.speed.stopwatch import in_own_process


def test_an_expression_is_measured_in_its_own_process() -> None:
    """Its value comes back, its arguments are text, and its time is without the imports."""
    found = in_own_process("import time\ntime.sleep(1)", "[time.sleep(0.05), sys.argv[1:]]", 3, "a b")

    assert found.told == [None, ["3", "a b"]]
    assert 0.05 <= found.seconds < 1


def test_memory_of_the_largest_process_counts() -> None:
    """200 MB that a process of the process takes for a moment are seen."""
    child = "subprocess.run([sys.executable, '-c', 'len(bytearray(b\"1\") * 200_000_000)'], check=True).returncode"
    small = in_own_process("import subprocess", "0").peak_mb
    large = in_own_process("import subprocess", child).peak_mb

    assert large > 190
    assert large > small


def test_code_that_fails_is_no_measurement() -> None:
    """An expression that raises gives no figure."""
    with pytest.raises(subprocess.CalledProcessError):
        in_own_process("", "1 / 0")
