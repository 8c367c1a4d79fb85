"""Environment of a run: library versions, machine name, and environment variables of workers."""

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
from typing import TYPE_CHECKING

from ..._version import __version__
from ...data_manifests.files.source_code import PACKAGE, source_sha256
from ...data_manifests.seeds import sha256_text
from ...models.protocol.threads import THREADS_VARIABLE, available_cores

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LIBRARIES = (
    "numpy", "pandas", "scipy", "scikit-learn", "imbalanced-learn", "xgboost", "keras", "tensorflow", "pyarrow",
    "opencv-python-headless", "scikit-image", "numba",
)  # fmt: skip
EVALUATION = (f"{PACKAGE}.benchmarks.execution.track_run", f"{PACKAGE}.reports.results.stored_run")
"""Modules that execute a run and score it."""

PROGRESS_MARK = "\x1e"
"""Prefix of lines in a worker's output that are shown to the user during the run, such as the score after an epoch."""

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
    """Return the library versions that can affect a result, without importing the libraries."""
    own = {"planktonbench": __version__, "python": platform.python_version(), "keras_backend": keras_backend()}
    return own | installed_versions(LIBRARIES)


def installed_versions(libraries: Iterable[str]) -> dict[str, str]:
    """Return the versions of libraries, without importing them."""
    found = {}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def environment_sha256(versions: Mapping[str, str]) -> str:
    """Return the hash of library versions, as stored in cards."""
    return sha256_text(json.dumps(dict(versions), sort_keys=True))


def code_sha256() -> str:
    """Return the hash of the source code that executes and scores runs, without that of the tracks."""
    return source_sha256(*EVALUATION)


def keras_backend() -> str:
    """Return the backend of Keras: `KERAS_BACKEND`, else from its configuration file, else TensorFlow."""
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
    """Return a description of the machine: system, processor, available cores."""
    return f"{platform.system()} {platform.machine()}, {available_cores()} cores"


def now() -> str:
    """Return the current time in UTC in ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


SPIN_COUNT = "3000"
"""Number of spins of GNU OpenMP's threads before they sleep. By default, XGBoost's threads keep spinning while waiting
for a thread that lost its core to another program: with one of two cores taken, 12 rounds of 39 classes take over a
minute instead of 0.3 s; with this value, 2.6 s. With both cores free there is no measurable difference.
"""


def worker_environment(threads: int) -> dict[str, str]:
    """Return the environment variables of a worker: number of threads for every library, and a fixed hash seed.

    Log level and spin count set by the user are kept.
    """
    defaults = {"TF_CPP_MIN_LOG_LEVEL": "2", "GOMP_SPINCOUNT": SPIN_COUNT}
    fixed = {"PYTHONHASHSEED": "0", **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    return {**defaults, **os.environ, **fixed}


def peak_rss_mb() -> float:
    """Return the peak memory of this process, in MiB.

    Linux reports it for the program itself; the value of the POSIX call is never below that of the parent process.
    """
    try:
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024 if sys.platform.startswith("linux") else 1024**2)
