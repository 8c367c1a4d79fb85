"""Source code that a module depends on, as one hash: results and caches are named after the code that made them.

A module depends on itself, on every module of its own package and of planktonbench that it imports, directly or
indirectly, and on the packages that contain these, since importing a module runs the `__init__.py` of each package.
Imports that only a type checker sees are skipped. Modules are found by their files, so nothing is imported.
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
"""Where Python and installed packages lie."""


class Import(NamedTuple):
    """What one import statement names: dots in front, the module behind them, and the names taken from it."""

    level: int
    module: str
    names: tuple[str, ...]


class SourceFile(NamedTuple):
    """The text of a source file, as a hash, and what it imports when it runs."""

    sha256: str
    imports: tuple[Import, ...]


def source_sha256(*modules: str, roots: Mapping[str, Path] | None = None) -> str:
    """Return the hash of the source code that some modules depend on.

    Args:
        modules: full names of modules, such as `planktonbench.models.registry`.
        roots: where other code lies, see `source_files`.

    """
    files = source_files(*modules, roots=roots)
    return sha256_text(*(_read(files[name]).sha256 for name in sorted(files)))


def source_files(*modules: str, roots: Mapping[str, Path] | None = None) -> dict[str, Path]:
    """Return the files that some modules depend on, themselves included, by module name.

    Args:
        modules: full names of modules.
        roots: the folder of each other top-level package whose imports are followed, or the file of a top-level module;
            that of planktonbench is known. Imports of anything else, such as NumPy, are not followed.

    """
    known = {**(roots or {}), PACKAGE: FOLDER}
    waiting, found = list(modules), dict[str, Path]()
    while waiting:
        name = waiting.pop()
        path = None if name in found else _find(name, known)
        if path is not None:
            found[name] = path
            waiting += [*_parents(name), *_imported(name, path)]
    return found


def _find(name: str, roots: Mapping[str, Path]) -> Path | None:
    """Return the file of a module or package; None when it is neither or lies outside the roots."""
    top, *below = name.split(".")
    if top not in roots:
        return None
    place = roots[top].joinpath(*below)
    candidates = (
        (place.with_name(f"{place.name}.py"), place / "__init__.py") if below else (place, place / "__init__.py")
    )
    return next((path for path in candidates if path.is_file()), None)


def _parents(name: str) -> list[str]:
    """Return the packages that a module lies in."""
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield what a module imports; of `from a import b` both `a` and `a.b`, which is a module or not."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for one in _read(path).imports:
        base = package.split(".")[: len(package.split(".")) - one.level + 1] if one.level else []
        module = ".".join([*base, *([one.module] if one.module else [])])
        yield module
        yield from (f"{module}.{imported}" for imported in one.names)


def _read(path: Path) -> SourceFile:
    state = path.stat()
    return _parsed(path, state.st_mtime_ns, state.st_size)


@cache
def _parsed(path: Path, mtime_ns: int, size: int) -> SourceFile:  # noqa: ARG001 - a file with another state is read again
    text = path.read_text("utf-8")
    return SourceFile(sha256_text(text), tuple(_imports(ast.parse(text))))


def _imports(node: ast.AST) -> Iterator[Import]:
    """Yield the imports below a node, without those under `if TYPE_CHECKING:`."""
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
