"""The machine a run is done on: versions, names, and the variables a worker starts with."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..._version import __version__
from ...models.protocol.threads import THREADS_VARIABLE, available_cores

LIBRARIES = ("numpy", "pandas", "scikit-learn", "imbalanced-learn", "xgboost", "keras", "tensorflow", "pyarrow")
PROGRESS_MARK = "\x1e"
"""Begins a line of a worker's output that is for the user while it works, such as a score after an epoch."""

THREAD_VARIABLES = (
    THREADS_VARIABLE,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


@cache
def library_versions() -> dict[str, str]:
    """Return the versions that can change a result, without importing the libraries."""
    found = {"planktonbench": __version__, "python": platform.python_version(), "keras_backend": keras_backend()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def keras_backend() -> str:
    """Return the backend that Keras will use: `KERAS_BACKEND`, else its configuration file, else TensorFlow."""
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"]
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        settings = json.loads((home / "keras.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "tensorflow"
    return str(settings.get("backend", "tensorflow"))


@cache
def machine_name() -> str:
    """Describe the machine: system, processor, cores that may be used."""
    return f"{platform.system()} {platform.machine()}, {available_cores()} cores"


def now() -> str:
    """Return the time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


SPIN_COUNT = "3000"
"""How often GNU OpenMP's threads look before they sleep. By default XGBoost's spin on while they wait for one that lost
its core to another program: with one of two cores taken, 12 rounds of 39 classes take over a minute instead of 0.3 s,
with this 2.6 s; with both cores free the difference cannot be measured.
"""


def worker_environment(threads: int) -> dict[str, str]:
    """Return the variables of a worker: its number of threads for every library, and a fixed order of sets.

    What the user has set of log level and spinning stays.
    """
    defaults = {"TF_CPP_MIN_LOG_LEVEL": "2", "GOMP_SPINCOUNT": SPIN_COUNT}
    fixed = {"PYTHONHASHSEED": "0", **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    return {**defaults, **os.environ, **fixed}


def peak_rss_mb() -> float:
    """Return the most memory that this process has held, in MiB.

    Linux tells it for the program itself; the number of the POSIX call is no smaller than that of the process that
    started it.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 if sys.platform.startswith("linux") else 1024**2)
