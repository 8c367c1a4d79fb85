"""How many threads a track may use."""

from __future__ import annotations

import os

THREADS_VARIABLE = "PLANKTONBENCH_THREADS"
ROWS_A_THREAD = 4000


def available_cores() -> int:
    """Count the processor cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def permitted_threads() -> int:
    """Return the threads of this worker, `cores // workers`, as its parent set them; all cores outside of a worker."""
    return int(os.environ.get(THREADS_VARIABLE) or available_cores())


def threads_for(rows: int) -> int:
    """Return the threads that pay for a table of so many training rows, at most those permitted.

    Boosting waits for all threads at each level of each tree; with few rows a further thread gains next to nothing,
    and where it must share its core with another program everything waits for it.
    """
    return max(1, min(permitted_threads(), rows // ROWS_A_THREAD))
