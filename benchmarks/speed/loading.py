"""Loading and pruning of a data set, timed by `bench-speed` in a process that imports nothing else."""

from __future__ import annotations

from ...data_manifests.dataset import load
from ...features.native.pipeline import native_pipeline


def load_and_prune(folder: str) -> int:
    """Load a challenge folder and fit the preparation on its native table; return the number of objects."""
    data = load("flowcam", folder)
    if data.native is not None:
        native_pipeline().fit(data.native)
    return len(data)
