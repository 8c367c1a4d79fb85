"""Tests of the sampled memory, in a process of its own: in this one, other tests' memory comes and goes."""

from __future__ import annotations

import subprocess
import sys

ALLOCATED_MB = 100
ALLOCATE = f"""
import time
import numpy as np
from planktonbench.benchmarks.speed.memory import anonymous_mb, monitor_memory

before = anonymous_mb()
with monitor_memory() as samples:
    array = np.ones({ALLOCATED_MB} * 2**20, np.uint8)
    before_sampling = len(samples)
    while len(samples) < before_sampling + 2:
        time.sleep(0.05)
    del array
print(max(samples) - before, anonymous_mb() - before)
"""


def test_temporary_allocations_are_recorded() -> None:
    """Memory that is allocated and released is in the samples, and no longer counted afterwards."""
    done = subprocess.run([sys.executable, "-c", ALLOCATE], stdout=subprocess.PIPE, text=True, check=True)
    peak, after = map(float, done.stdout.split())

    assert 0.9 * ALLOCATED_MB < peak < 1.5 * ALLOCATED_MB
    assert after < 0.5 * ALLOCATED_MB
