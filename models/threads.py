"""How many threads a track may use."""

from __future__ import annotations

import os

THREADS_VARIABLE = "PLANKTONBENCH_THREADS"


def available_cores() -> int:
    """Count the processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def permitted_threads() -> int:
    """Return the threads of this worker, `cores // workers`, as its parent set them; all cores outside of a worker."""
    return int(os.environ.get(THREADS_VARIABLE) or available_cores())
