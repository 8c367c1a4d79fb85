"""The hash of a track's source, so that a changed method is run again and an unchanged one is not."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from .track import Track

PACKAGE = __name__.split(".", 1)[0]


def track_sha256(track: type[Track]) -> str:
    """Return the hash of a track's source.

    For a shipped track: its module and every module of planktonbench that it imports, directly or not. For a track in
    anybody's file: that file. For one that was made in a session: its class, and the definition that it states.
    """
    module = sys.modules.get(track.__module__)
    definition = str(getattr(track, "definition", ""))
    if track.__module__.startswith(f"{PACKAGE}."):
        return sha256_text(definition, *(path.read_text("utf-8") for path in _reached(track.__module__)))
    path = getattr(module, "__file__", None)
    if path is not None:
        return sha256_text(definition, Path(path).read_text("utf-8"))
    try:
        return sha256_text(definition, inspect.getsource(track))
    except (OSError, TypeError):
        return sha256_text(definition, repr(sorted(vars(track))))


def _reached(name: str) -> list[Path]:
    """Return the files of a module and of all modules of this package that it imports, sorted by module name."""
    waiting, found = [name], {}
    while waiting:
        current = waiting.pop()
        spec = importlib.util.find_spec(current)
        if current in found or spec is None or spec.origin is None:
            continue
        found[current] = Path(spec.origin)
        waiting += _imports(found[current], current)
    return [found[key] for key in sorted(found)]


def _imports(path: Path, name: str) -> list[str]:
    """Return the modules of this package that a file imports by relative imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = name.rsplit(".", node.level)[0]
            found.append(f"{base}.{node.module}" if node.module else base)
    return found
