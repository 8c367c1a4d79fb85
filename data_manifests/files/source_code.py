"""Hash of the source code that a module depends on, used to identify results and caches by the code that made them.

A module depends on itself, on every module of its own package and of planktonbench that it imports, directly or
indirectly, and on the packages that contain these, since importing a module runs the `__init__.py` of each package.
Imports for type checking only are skipped. Dependencies are read from the source files; nothing is imported.
"""

from __future__ import annotations

import ast
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = __name__.partition(".")[0]
FOLDER = Path(__file__).resolve().parents[__name__.count(".") - 1]
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
"""Folders of the standard library and of installed packages."""


class Import(NamedTuple):
    """One import statement: number of leading dots, module name, and imported names."""

    level: int
    module: str
    names: tuple[str, ...]


class SourceFile(NamedTuple):
    """Hash of the text of a source file, and its imports at run time."""

    sha256: str
    imports: tuple[Import, ...]


def source_sha256(*modules: str, roots: Mapping[str, Path] | None = None) -> str:
    """Return the hash of the source code that modules depend on.

    Args:
        modules: full names of modules, such as `planktonbench.models.registry`.
        roots: other packages whose imports are followed, see `source_files`.

    """
    files = source_files(*modules, roots=roots)
    return sha256_text(*(_read(files[name]).sha256 for name in sorted(files)))


def source_files(*modules: str, roots: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """Return the source files that modules depend on, including their own, by module name.

    Args:
        modules: full names of modules.
        roots: folder of each top-level package, or file of each top-level module, whose imports are followed in
            addition to those of planktonbench. Other imports, such as NumPy, are ignored.

    """
    all_roots = {**(roots or {}), PACKAGE: FOLDER}
    pending, found = list(modules), dict[str, Path]()
    while pending:
        name = pending.pop()
        path = None if name in found else _find(name, all_roots)
        if path is not None:
            found[name] = path
            pending += [*_parents(name), *_imported(name, path)]
    return found


def _find(name: str, roots: Mapping[str, Path]) -> Path | None:
    """Return the file of a module or package; None if it does not exist or is outside the roots."""
    top, *rest = name.split(".")
    if top not in roots:
        return None
    base = roots[top].joinpath(*rest)
    module = base.with_name(f"{base.name}.py") if rest else base
    candidates = (module, base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _parents(name: str) -> list[str]:
    """Return the packages that contain a module."""
    components = name.split(".")
    return [".".join(components[:depth]) for depth in range(1, len(components))]


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield the names of imported modules; for `from a import b` both `a` and `a.b`, which may not be a module."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for statement in _read(path).imports:
        base = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
        module = ".".join([*base, *([statement.module] if statement.module else [])])
        yield module
        yield from (f"{module}.{imported}" for imported in statement.names)


def _read(path: Path) -> SourceFile:
    state = path.stat()
    return _parsed(path, state.st_mtime_ns, state.st_size)


@cache
def _parsed(path: Path, mtime_ns: int, size: int) -> SourceFile:  # noqa: ARG001 - a changed file is parsed again
    text = path.read_text("utf-8")
    return SourceFile(sha256_text(text), tuple(_imports(ast.parse(text))))


def _imports(node: ast.AST) -> Iterator[Import]:
    """Yield the imports below a node, except those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            yield Import(child.level, child.module or "", tuple(alias.name for alias in child.names))
        elif isinstance(child, ast.Import):
            yield from (Import(0, alias.name, ()) for alias in child.names)
        elif isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.orelse:
                yield from _imports(ast.Module([statement], []))
        else:
            yield from _imports(child)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
