"""Wall-clock time of a call, and time and memory of an expression evaluated in a subprocess."""

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
value = {expression}
seconds = time.perf_counter() - start
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
print(json.dumps([seconds, max(peak_rss_mb(), children), value]))
"""


@dataclass(frozen=True)
class Measured:
    """Value and cost of an expression.

    Attributes:
        seconds: wall-clock time, without imports.
        peak_mb: peak memory in MiB including imports, of the largest process if the expression started others.
        value: value of the expression.

    """

    seconds: float
    peak_mb: float
    value: Any


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_subprocess(imports: str, expression: str, *arguments: object) -> Measured:
    """Evaluate an expression in a subprocess.

    Args:
        imports: import statements.
        expression: expression to time, with a JSON-serialisable value; arguments are strings in `sys.argv[1:]`.
        arguments: values passed to the expression as strings.

    """
    code = TIMED.format(imports=imports, expression=expression)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own code
    return Measured(*json.loads(done.stdout.splitlines()[-1]))
