"""The source code that a module depends on: what is followed, what is not, and that edits are noticed."""

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
REACHED = {
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
    assert set(source_files("mine.start", roots={"mine": package})) == REACHED


def test_an_edit_changes_the_hash_exactly_where_it_is_reached(package: Path) -> None:
    """Each file is edited in turn."""
    before = source_sha256("mine.start", roots={"mine": package})
    for name, text in FILES.items():
        (package / name).write_text(f"{text}\n# edited\n")
        module = ".".join(("mine", *Path(name).with_suffix("").parts)).removesuffix(".__init__")

        assert (source_sha256("mine.start", roots={"mine": package}) != before) == (module in REACHED), name
        (package / name).write_text(text)
    assert source_sha256("mine.start", roots={"mine": package}) == before


@pytest.mark.parametrize(
    "module",
    [
        "models.image_tracks",
        "features.measured.table",
    ],
)
def test_an_edit_of_any_file_of_the_package_is_noticed_where_it_matters(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a copy of planktonbench, the hash changes with each reached file and with no other."""
    source, copy = Path(planktonbench.__file__).parent, tmp_path / "planktonbench"
    kept = ("benchmarks", "data_manifests", "features", "models", "reports")
    for path in [*source.glob("*.py"), *(path for name in kept for path in (source / name).rglob("*.py"))]:
        place = copy / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    monkeypatch.setattr(source_code, "FOLDER", copy)
    reached = {path: name for name, path in source_files(f"planktonbench.{module}").items()}
    before = source_sha256(f"planktonbench.{module}")
    noticed = set()
    for path in sorted(copy.rglob("*.py")):
        text = path.read_text()
        path.write_text(f"{text}\n# edited\n")
        if source_sha256(f"planktonbench.{module}") != before:
            noticed.add(path)
        path.write_text(text)

    assert noticed == set(reached)
    assert 1 < len(noticed) < len(list(copy.rglob("*.py")))


def test_a_module_elsewhere_is_not_found(package: Path) -> None:
    """Only what lies under the roots has files."""
    assert not source_files("numpy.linalg", "mine.nothing", roots={"mine": package})
