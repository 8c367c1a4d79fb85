"""Number of threads that a track may use."""

from __future__ import annotations

import os

THREADS_VARIABLE = "PLANKTONBENCH_THREADS"
ROWS_A_THREAD = 4000


def available_cores() -> int:
    """Return the number of processor cores available to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def permitted_threads() -> int:
    """Return the number of threads of a worker, `cores // workers` as set by its parent; elsewhere one per core."""
    return int(os.environ.get(THREADS_VARIABLE) or available_cores())


def threads_for(rows: int) -> int:
    """Return a reasonable number of threads for a table of `rows` training rows, at most those permitted.

    Boosting synchronises all threads at each level of each tree. With few rows an additional thread gains almost
    nothing, and if it shares its core with another program, all threads wait for it.
    """
    return max(1, min(permitted_threads(), rows // ROWS_A_THREAD))
