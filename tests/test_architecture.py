"""Tests of the architecture: layers, packages, names, imports, and installed files."""

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
"""Top-level packages, and the others that each of them may import."""

REPORTS = (
    "run_files", "scoring", "results", "tasks", "comparisons", "figures", "warnings", "analyses", "pictures", "pages",
)  # fmt: skip
"""Packages inside `reports`, bottom to top: each may import those before it."""

MAX_TOP_MODULES = 8  # modules directly in a top-level package
SOURCES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
PACKAGES = [path for path in SOURCES if path.name == "__init__.py"]


def name_of(path: Path) -> str:
    """Return the name of a module without the package name, such as `reports.scoring.score`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in SOURCES}


def imported(path: Path) -> set[str]:
    """Return the modules of the package that a module imports, including imports for type checkers."""
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


def test_modules_and_imports_are_found() -> None:
    """Every top-level package has modules, and relative imports are resolved."""
    assert {name.partition(".")[0] for name in MODULES} == set(LAYERS)
    assert "data_manifests.errors" in GRAPH["models.registry"]


def test_layers_only_import_lower_layers() -> None:
    """A module imports only from its own layer and the layers below."""
    upward = [
        f"{name} imports {other}"
        for name, others in GRAPH.items()
        for other in others
        if other.partition(".")[0] not in LAYERS[name.partition(".")[0]] | {name.partition(".")[0]}
    ]

    assert upward == []


def test_packages_in_reports_only_import_lower_packages() -> None:
    """The order is that of `REPORTS`, from files and scores to pages."""
    rank = {f"reports.{package}": number for number, package in enumerate(REPORTS)}
    within = {name: others for name, others in GRAPH.items() if name.startswith("reports.")}

    def position(name: str) -> int:
        return rank[".".join(name.split(".")[:2])]

    upward = [
        f"{name} imports {other}"
        for name, others in within.items()
        for other in others
        if other.startswith("reports.") and position(other) > position(name)
    ]

    assert within
    assert upward == []


def test_pages_and_commands_know_no_analysis_or_warning_by_name() -> None:
    """They import only the catalogues and the classes that all analyses and warnings share."""
    common = {
        "reports.analyses", "reports.analyses.analysis", "reports.analyses.catalogue",
        "reports.warnings", "reports.warnings.catalogue", "reports.warnings.kind",
    }  # fmt: skip
    users = {name: others for name, others in GRAPH.items() if name.startswith(("reports.pages", "benchmarks."))}
    by_name = [
        f"{name} imports {other}"
        for name, others in users.items()
        for other in others - common
        if other.startswith(("reports.analyses.", "reports.warnings."))
    ]

    assert "reports.analyses.catalogue" in users["reports.pages.write"]
    assert by_name == []


def test_there_are_no_import_cycles() -> None:
    """Imports for type checkers are included."""
    modules = {name: {other for other in others if MODULES[other] not in PACKAGES} for name, others in GRAPH.items()}
    try:
        order = list(TopologicalSorter(modules).static_order())
    except CycleError as cycle:
        pytest.fail(" imports ".join(reversed(cycle.args[1])))
    assert set(order) >= set(MODULES)


def test_names_of_public_classes_are_unique() -> None:
    """No two modules define a public class with the same name."""
    places = defaultdict(list)
    for name, path in MODULES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)

    assert places
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("path", PACKAGES, ids=name_of)
def test_packages_document_their_scope(path: Path) -> None:
    """Each `__init__.py` has only a docstring, with at least two sentences: contents, and limits."""
    tree = ast.parse(path.read_text("utf-8"))
    sentences = re.findall(r"\S.*?\.(?=\s|$)", ast.get_docstring(tree) or "", re.DOTALL)

    assert len(sentences) >= 2
    assert len(tree.body) == 1


@pytest.mark.parametrize("layer", LAYERS)
def test_top_level_packages_have_few_modules(layer: str) -> None:
    """Most modules are in subpackages."""
    modules = [path.name for path in (ROOT / layer).glob("*.py") if path.name != "__init__.py"]

    assert len(modules) <= MAX_TOP_MODULES


def test_models_are_independent_of_the_backend() -> None:
    """Models use Keras only, except where TensorFlow is faster and there is a fallback for other backends."""
    with_fallback = {"batch_normalisation.py"}
    texts = {path: path.read_text("utf-8") for path in (ROOT / "models").rglob("*.py")}

    assert with_fallback <= {path.name for path in texts}
    assert not [
        path
        for path, text in texts.items()
        if path.name not in with_fallback and re.search(r"import tensorflow|from tensorflow", text)
    ]


def test_the_installed_package_is_complete() -> None:
    """It consists of all modules, manifests, suites, templates and reference results, and nothing else."""
    try:
        files = metadata.files("planktonbench") or []
    except metadata.PackageNotFoundError:
        files = []
    if not any(str(file).startswith("planktonbench/") for file in files):
        pytest.skip("planktonbench is not installed from a wheel")
    installed = {str(file).removeprefix("planktonbench/") for file in files if str(file).startswith("planktonbench/")}
    kinds = ("*.py", "*.yaml", "templates/*", "reference/results/**/*")
    sources = {path for layer in LAYERS for kind in kinds for path in (ROOT / layer).rglob(kind) if path.is_file()}
    top = {"__init__.py", "__main__.py", "_version.py", "py.typed"}
    expected = {path.relative_to(ROOT).as_posix() for path in sources} | top

    assert {name for name in installed if "__pycache__" not in name} == expected


def test_public_names_exist() -> None:
    """Every name in `__all__` can be imported and has a docstring."""
    for name in planktonbench.__all__:
        value = getattr(planktonbench, name)

        assert name == "__version__" or value.__doc__


def test_unknown_attributes_raise_attribute_error() -> None:
    """Lazy imports do not change the error."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        planktonbench.nonsense  # noqa: B018 - the access is the test


HEAVY = ("numpy", "pandas", "sklearn", "xgboost", "keras", "tensorflow", "matplotlib", "pydantic", "cv2")


def test_help_imports_no_heavy_libraries() -> None:
    """Printing help imports no large library, which keeps it fast."""
    code = (
        "import sys; from planktonbench.benchmarks.cli.app import main; main(['--help']); "
        f"print('loaded:', sorted(set(sys.modules) & {set(HEAVY)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert "loaded: []" in done.stdout


@pytest.mark.parametrize(
    ("module", "libraries"),
    [
        ("benchmarks.execution.track_run", ["cv2", "numba"]),
        ("benchmarks.run", ["cv2", "keras", "numba", "scipy.stats", "seaborn", "sklearn"]),
    ],
)
def test_runs_start_without_libraries_that_they_may_not_need(module: str, libraries: list[str]) -> None:
    """OpenCV and Numba serve image tracks only, the others reports; imports take up to two seconds of every call."""
    code = f"import sys, planktonbench.{module}; print('loaded:', sorted({set(libraries)} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert "loaded: []" in done.stdout


def test_it_works_from_an_empty_folder(tmp_path: Path) -> None:
    """Manifests are found as package data, regardless of the working directory."""
    command = [sys.executable, "-P", "-m", "planktonbench", "data", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "flowcam" in done.stdout
