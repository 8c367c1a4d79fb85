"""Tests of source hashes: which imports are followed, and which edits change the hash."""

from __future__ import annotations

import shutil
from pathlib import Path

import planktonbench
import pytest
from planktonbench.data_manifests.files import source_code
from planktonbench.data_manifests.files.source_code import source_files, source_sha256

FILES = {
    "__init__.py": "",
    "start.py": """
from __future__ import annotations
import typing
from typing import TYPE_CHECKING
import json
import numpy
from . import named
from .package import inner, value
if TYPE_CHECKING:
    from .types_only import Shape
if typing.TYPE_CHECKING:
    from . import types_too
else:
    from . import otherwise
def later():
    import mine.late.module
    from .. import outside
""",
    "named.py": "from . import start",
    "package/__init__.py": "from .face import value",
    "package/face.py": "value = 1",
    "package/inner.py": "",
    "package/unused.py": "",
    "types_only.py": "",
    "types_too.py": "",
    "otherwise.py": "",
    "late/__init__.py": "",
    "late/module.py": "",
    "unused.py": "",
}
DEPENDENCIES = {
    "mine",
    "mine.start",
    "mine.named",
    "mine.package",
    "mine.package.face",
    "mine.package.inner",
    "mine.otherwise",
    "mine.late",
    "mine.late.module",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with every kind of import."""
    for name, text in FILES.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "mine"


def test_imported_modules_are_followed_and_type_checking_imports_are_not(package: Path) -> None:
    """Modules named in `from . import`, imports inside functions and `else` branches count; libraries do not."""
    assert set(source_files("mine.start", roots={"mine": package})) == DEPENDENCIES


def test_only_edits_of_dependencies_change_the_hash(package: Path) -> None:
    """Each file is edited in turn."""
    before = source_sha256("mine.start", roots={"mine": package})
    for name, text in FILES.items():
        (package / name).write_text(f"{text}\n# edited\n")
        module = ".".join(("mine", *Path(name).with_suffix("").parts)).removesuffix(".__init__")

        assert (source_sha256("mine.start", roots={"mine": package}) != before) == (module in DEPENDENCIES), name
        (package / name).write_text(text)
    assert source_sha256("mine.start", roots={"mine": package}) == before


@pytest.mark.parametrize(
    "module",
    [
        "models.image_tracks",
        "features.measured.table",
    ],
)
def test_only_edits_of_dependencies_in_planktonbench_change_the_hash(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file in a copy of planktonbench is edited in turn."""
    source, copy = Path(planktonbench.__file__).parent, tmp_path / "planktonbench"
    packages = ("benchmarks", "data_manifests", "features", "models", "reports")
    for path in [*source.glob("*.py"), *(path for name in packages for path in (source / name).rglob("*.py"))]:
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    monkeypatch.setattr(source_code, "FOLDER", copy)
    dependencies = set(source_files(f"planktonbench.{module}").values())
    before = source_sha256(f"planktonbench.{module}")
    changing = set()
    for path in sorted(copy.rglob("*.py")):
        text = path.read_text()
        path.write_text(f"{text}\n# edited\n")
        if source_sha256(f"planktonbench.{module}") != before:
            changing.add(path)
        path.write_text(text)

    assert changing == dependencies
    assert 1 < len(changing) < len(list(copy.rglob("*.py")))


def test_modules_outside_the_roots_are_not_found(package: Path) -> None:
    """Installed packages and missing modules have no source files."""
    assert not source_files("numpy.linalg", "mine.nothing", roots={"mine": package})
