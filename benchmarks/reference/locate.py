"""Lookup of reference results: runs on real data that are distributed with the package, for comparison.

They form an ordinary results folder, `reference/results`, so that `report` and `compare` can read it;
`python -m planktonbench.benchmarks.reference.export` writes it.
"""

from __future__ import annotations

from pathlib import Path

from ...data_manifests.errors import SuiteError, did_you_mean

REFERENCE = "reference:"
FOLDER = Path(__file__).parent / "results"
RUNS = "runs"


def reference_names() -> list[str]:
    """Return the names of the reference results, `<dataset>/<track>`, sorted."""
    return sorted(path.relative_to(FOLDER / RUNS).as_posix() for path in (FOLDER / RUNS).glob("*/*") if path.is_dir())


def resolved(path: Path) -> Path:
    """Return the folder of reference results such as `reference:ndsb/xgb-native`; other paths are returned unchanged.

    Raises:
        SuiteError: if there are no reference results with this name; the message lists near matches.

    """
    text = path.as_posix()
    if not text.startswith(REFERENCE):
        return path
    name = text.removeprefix(REFERENCE)
    if name not in reference_names():
        message = f"There are no reference results named '{name}'. {did_you_mean(name, reference_names())}"
        raise SuiteError(message)
    return FOLDER / RUNS / name
