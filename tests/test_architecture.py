"""The architecture: layers, packages, names, and what is installed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from importlib import metadata
from pathlib import Path

import planktonbench
import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {
    "benchmarks": {"models", "features", "reports", "data_manifests"},
    "models": {"features", "data_manifests"},
    "features": {"data_manifests"},
    "reports": {"data_manifests"},
    "data_manifests": set(),
}
"""What each top-level package may import."""

REPORTS = ("run_files", "scoring", "results", "comparisons", "figures", "analyses", "pictures", "pages")
"""Packages inside `reports`, bottom to top: each may import those before it."""

MOST_AT_THE_TOP = 8  # modules beside the packages
SOURCES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
PACKAGES = [path for path in SOURCES if path.name == "__init__.py"]


def name_of(path: Path) -> str:
    """Return the name of a module below the package, such as `reports.scoring.score`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in SOURCES}


def imported(path: Path) -> set[str]:
    """Return the modules of the package that a module imports, those for type checkers included."""
    name, found = name_of(path), set()
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])]).removeprefix("planktonbench.")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("planktonbench.") for alias in node.names}
    return (found & set(MODULES)) - {name}


GRAPH = {name: imported(path) for name, path in MODULES.items()}


def test_there_is_something_to_look_at() -> None:
    """Every top-level package has modules, and they import each other."""
    assert {name.partition(".")[0] for name in MODULES} == set(LAYERS)
    assert "data_manifests.errors" in GRAPH["models.registry"]


def test_imports_run_downward_only() -> None:
    """A module imports from its own layer and from those below."""
    upward = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if other.partition(".")[0] not in LAYERS[name.partition(".")[0]] | {name.partition(".")[0]}
    ]

    assert upward == []


def test_imports_inside_reports_run_downward_only() -> None:
    """From files and scores to pages, never back."""
    rank = {f"reports.{package}": position for position, package in enumerate(REPORTS)}
    within = {name: others for name, others in GRAPH.items() if name.startswith("reports.")}

    def place(name: str) -> int:
        return rank[".".join(name.split(".")[:2])]

    upward = [
        f"{name} imports {other}"
        for name, others in within.items()
        for other in others
        if other.startswith("reports.") and place(other) > place(name)
    ]

    assert within
    assert upward == []


def test_no_modules_import_each_other() -> None:
    """There is no import circle, imports for type checkers included."""
    modules = {name: {other for other in others if MODULES[other] not in PACKAGES} for name, others in GRAPH.items()}
    try:
        order = list(TopologicalSorter(modules).static_order())
    except CycleError as circle:
        pytest.fail(" imports ".join(reversed(circle.args[1])))
    assert set(order) >= set(MODULES)


def test_no_two_public_classes_have_the_same_name() -> None:
    """A class can be found, and spoken of, by its name."""
    places = defaultdict(list)
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)

    assert places
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_a_package_states_what_belongs_in_it_and_what_does_not(path: Path) -> None:
    """Its `__init__.py` is a docstring of two sentences, and nothing else."""
    tree = ast.parse(path.read_text("utf-8"))
    sentences = re.findall(r"\S.*?\.(?=\s|$)", ast.get_docstring(tree) or "", re.DOTALL)

    assert len(sentences) >= 2
    assert len(tree.body) == 1


@pytest.mark.parametrize("layer", LAYERS)
def test_few_modules_lie_beside_the_packages(layer: str) -> None:
    """What is at the top of a folder can be seen at a glance."""
    beside = [path.name for path in (ROOT / layer).glob("*.py") if path.name != "__init__.py"]

    assert len(beside) <= MOST_AT_THE_TOP


def test_models_are_independent_of_the_backend() -> None:
    """Models use Keras alone, so that every backend runs them; where TensorFlow is quicker there is another way too."""
    with_another_way = {"batch_normalisation.py"}
    texts = {path: path.read_text("utf-8") for path in (ROOT / "models").rglob("*.py")}

    assert with_another_way <= {path.name for path in texts}
    assert not [
        path
        for path, text in texts.items()
        if path.name not in with_another_way and re.search(r"import tensorflow|from tensorflow", text)
    ]


def test_what_is_installed_is_what_is_here() -> None:
    """Modules, manifests, suites, templates and reference results are in the installed package, and nothing else is."""
    try:
        files = metadata.files("planktonbench") or []
    except metadata.PackageNotFoundError:
        files = []
    if not any(str(file).startswith("planktonbench/") for file in files):
        pytest.skip("planktonbench is not installed from a wheel")
    installed = {str(file).removeprefix("planktonbench/") for file in files if str(file).startswith("planktonbench/")}
    kinds = ("*.py", "*.yaml", "templates/*", "reference/results/**/*")
    here = {path for layer in LAYERS for kind in kinds for path in (ROOT / layer).rglob(kind) if path.is_file()}
    top = {"__init__.py", "__main__.py", "_version.py", "py.typed"}
    expected = {path.relative_to(ROOT).as_posix() for path in here} | top

    assert {name for name in installed if "__pycache__" not in name} == expected


def test_every_public_name_exists() -> None:
    """What `__all__` promises can be imported, and is documented."""
    for name in planktonbench.__all__:
        value = getattr(planktonbench, name)

        assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The package answers like any module, although it imports lazily."""
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


def test_a_worker_starts_without_what_only_image_tracks_need() -> None:
    """Numba and OpenCV take half a second, which a suite of many small runs would pay for each."""
    code = (
        "import sys, planktonbench.benchmarks.execution.worker; "
        "print('loaded:', sorted({'numba', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert "loaded: []" in done.stdout


def test_it_works_from_an_empty_folder(tmp_path: Path) -> None:
    """Manifests and suites are found as package data, wherever the command is started."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "flowcam" in done.stdout
