"""planktonbench: which method recognises plankton best, by how much, and is the difference real?

    import planktonbench as pb

    data = pb.load("flowcam", data_dir="…")
    pb.run("flowcam", tracks=["xgb-native"], data_dir="…", out="results/flowcam")
    pb.score(truth, predicted).macro_f1
    pb.compare(truth, a, b).delta

Everything is imported when it is first used, so that `planktonbench --help` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .benchmarks.mining.mine import mine
    from .benchmarks.run import run
    from .data_manifests.dataset import load
    from .data_manifests.errors import (
        DataError,
        ManifestError,
        PlanktonbenchError,
        SubmissionError,
        SuiteError,
        TrackError,
    )
    from .features.measured.extractor import NativeExtractor, measure
    from .models.image_tracks.user_keras import from_keras
    from .models.kept.kept_model import KeptModel, load_model
    from .models.protocol.objects import Objects
    from .models.protocol.track import Track
    from .models.protocol.trials import LearningCurve, Trial
    from .models.registry import register
    from .models.table_tracks.sklearn_tracks import from_sklearn
    from .reports.comparisons.comparison import Comparison
    from .reports.comparisons.paired_evaluation import compare
    from .reports.scoring.score import Score, score

_HOMES = {
    "load": "data_manifests.dataset",
    "run": "benchmarks.run",
    "score": "reports.scoring.score",
    "compare": "reports.comparisons.paired_evaluation",
    "Comparison": "reports.comparisons.comparison",
    "Score": "reports.scoring.score",
    "Track": "models.protocol.track",
    "Objects": "models.protocol.objects",
    "Trial": "models.protocol.trials",
    "LearningCurve": "models.protocol.trials",
    "NativeExtractor": "features.measured.extractor",
    "measure": "features.measured.extractor",
    "mine": "benchmarks.mining.mine",
    "KeptModel": "models.kept.kept_model",
    "load_model": "models.kept.kept_model",
    "register": "models.registry",
    "from_keras": "models.image_tracks.user_keras",
    "from_sklearn": "models.table_tracks.sklearn_tracks",
    "PlanktonbenchError": "data_manifests.errors",
    "ManifestError": "data_manifests.errors",
    "SuiteError": "data_manifests.errors",
    "DataError": "data_manifests.errors",
    "SubmissionError": "data_manifests.errors",
    "TrackError": "data_manifests.errors",
}

__all__ = [
    "Comparison",
    "DataError",
    "KeptModel",
    "LearningCurve",
    "ManifestError",
    "NativeExtractor",
    "Objects",
    "PlanktonbenchError",
    "Score",
    "SubmissionError",
    "SuiteError",
    "Track",
    "TrackError",
    "Trial",
    "__version__",
    "compare",
    "from_keras",
    "from_sklearn",
    "load",
    "load_model",
    "measure",
    "mine",
    "register",
    "run",
    "score",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
