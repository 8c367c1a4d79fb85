"""The stopwatch of the benchmarks: seconds of a call, and seconds and memory of code in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TIMED = """
import json, resource, sys, time
from planktonbench.benchmarks.execution.environment import peak_rss_mb
{imports}
start = time.perf_counter()
told = {expression}
seconds = time.perf_counter() - start
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(json.dumps([seconds, max(peak_rss_mb(), children), told]))
"""


@dataclass(frozen=True)
class Measured:
    """What one expression cost.

    Attributes:
        seconds: wall-clock time, without imports.
        peak_mb: most memory of a process, the imports with it; where it started others, of the largest of them.
        told: the expression's value.

    """

    seconds: float
    peak_mb: float
    told: Any


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_own_process(imports: str, expression: str, *arguments: object) -> Measured:
    """Evaluate an expression, whose value is plain data, in a process of its own.

    Args:
        imports: import statements.
        expression: what is timed; it finds its arguments as text in `sys.argv[1:]`.
        arguments: the arguments.

    """
    code = TIMED.format(imports=imports, expression=expression)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own code
    return Measured(*json.loads(done.stdout.splitlines()[-1]))
