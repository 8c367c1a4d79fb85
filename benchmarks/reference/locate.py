"""Reference results: runs on real data that come with the package, to compare with before anything was run here.

They are a results folder like any other, `reference/`, so that scores can be made again from it and `compare` reads it;
`python -m planktonbench.benchmarks.reference.export` fills it.
"""

from __future__ import annotations

from pathlib import Path

from ...data_manifests.errors import SuiteError, did_you_mean

REFERENCE = "reference:"
FOLDER = Path(__file__).parent / "results"
RUNS = "runs"


def reference_names() -> list[str]:
    """Names of the reference results, `<dataset>/<track>`, sorted."""
    return sorted(path.relative_to(FOLDER / RUNS).as_posix() for path in (FOLDER / RUNS).glob("*/*") if path.is_dir())


def resolved(path: Path) -> Path:
    """Return the folder of reference results that are named as `reference:ndsb/xgb-native`; any other path as it is.

    Raises:
        SuiteError: there are none of that name; near matches are told.

    """
    text = path.as_posix()
    if not text.startswith(REFERENCE):
        return path
    name = text.removeprefix(REFERENCE)
    if name not in reference_names():
        message = f"There are no reference results called '{name}'. {did_you_mean(name, reference_names())}"
        raise SuiteError(message)
    return FOLDER / RUNS / name
