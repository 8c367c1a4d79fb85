"""The house itself: imports run downward only, the wheel holds all of it, and importing it is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import planktonbench
import pytest

ROOT = Path(__file__).resolve().parents[1]
BELOW = {
    "benchmarks": {"models", "features", "reports", "data_manifests"},
    "models": {"features", "data_manifests"},
    "features": {"data_manifests"},
    "reports": {"data_manifests"},
    "data_manifests": set(),
}
SOURCES = [path for wing in BELOW for path in sorted((ROOT / wing).rglob("*.py"))]


def wings_imported(path: Path) -> set[str]:
    """Return the top folders that a module imports, by relative imports or by name."""
    package = ("planktonbench", *path.relative_to(ROOT).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            found.add(".".join((*base, node.module or "")).split(".")[1])
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("planktonbench.")}
            found |= {name.split(".")[0] for name in names if name.split(".")[0] in BELOW}
    return found & set(BELOW)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downward_only(path: Path) -> None:
    """A room imports from its own floor and those below."""
    wing = path.relative_to(ROOT).parts[0]

    assert wings_imported(path) <= BELOW[wing] | {wing}


def test_models_know_no_backend() -> None:
    """Models use Keras alone, so that every backend runs them; where TensorFlow is quicker there is another way too."""
    with_another_way = {"normalisation.py"}
    rest = [path for path in (ROOT / "models").rglob("*.py") if path.name not in with_another_way]
    texts = [path.read_text("utf-8") for path in rest]

    assert not [text for text in texts if "import tensorflow" in text or "from tensorflow" in text]


def test_what_is_installed_is_what_is_here() -> None:
    """Modules, manifests, suites and templates are all in the installed package, and nothing else is."""
    try:
        files = metadata.files("planktonbench") or []
    except metadata.PackageNotFoundError:
        files = []
    if not any(str(file).startswith("planktonbench/") for file in files):
        pytest.skip("planktonbench is not installed from a wheel")
    installed = {str(file).removeprefix("planktonbench/") for file in files if str(file).startswith("planktonbench/")}
    kinds = ("*.py", "*.yaml", "templates/*", "suites/*.yaml", "reference/**/*")
    here = {path for wing in BELOW for kind in kinds for path in (ROOT / wing).rglob(kind) if path.is_file()}
    expected = {path.relative_to(ROOT).as_posix() for path in here} | {"__init__.py", "__main__.py", "py.typed"}

    assert {name for name in installed if "__pycache__" not in name} == expected


def test_every_public_name_is_there() -> None:
    """What `__all__` promises can be had, and is documented."""
    for name in planktonbench.__all__:
        value = getattr(planktonbench, name)

        assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The lazy face answers like any module."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        planktonbench.nonsense  # noqa: B018 - the access is the test


HEAVY = ("numpy", "pandas", "sklearn", "xgboost", "keras", "tensorflow", "matplotlib", "pydantic", "cv2")


def test_help_imports_nothing_heavy() -> None:
    """Printing help loads no heavy library, which is what keeps it quick."""
    code = (
        "import sys; from planktonbench.benchmarks.cli.app import main; main(['--help']); "
        f"print('loaded:', sorted(set(sys.modules) & {set(HEAVY)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert "loaded: []" in done.stdout


def test_a_worker_of_native_features_begins_without_what_images_need() -> None:
    """Numba and OpenCV take half a second, which a suite of many small runs would pay for each."""
    code = (
        "import sys, planktonbench.benchmarks.execution.worker; "
        "print('loaded:', sorted({'numba', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert "loaded: []" in done.stdout


def test_it_works_from_an_empty_folder(tmp_path: Path) -> None:
    """Manifests and suites are found as package data, wherever the command is called."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "flowcam" in done.stdout
