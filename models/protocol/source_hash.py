"""Hash of a track's source code, so that runs are repeated when the method changed and reused when it did not."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.files.source_code import LIBRARIES, PACKAGE, source_sha256
from ...data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from .track import Track

OBJECTS_MODULE = f"{PACKAGE}.models.protocol.objects"
"""Module of the objects that every track receives."""

INPUT_MODULES = {
    "native": f"{PACKAGE}.data_manifests.dataset",
    "images": f"{PACKAGE}.features.network_images.store",
}
"""Modules that prepare the inputs of a track, by input: tables are cleaned, images decoded and prepared."""


def track_sha256(track: type[Track]) -> str:
    """Return the hash of the source code that the results of a track depend on.

    It covers the modules of the class and its base classes, the modules that prepare its inputs, and all modules of
    planktonbench that these import, directly or indirectly. For a user-supplied track it also covers what its file
    imports from its own folder or package. For a track defined in a notebook, the source of its class is hashed; for a
    track made by a function such as `from_sklearn`, its `definition` and the modules in `made_of` are hashed as well.
    """
    modules = track_modules(track)
    roots: dict[str, Path] = {}
    for name in modules:
        roots |= _roots(name, is_own=name == track.__module__)
    texts = [str(getattr(track, "definition", "")), source_sha256(*modules, roots=roots)]
    if _file_of(track.__module__) is None:
        texts.append(_source_of(track))
    return sha256_text(*texts)


def track_modules(track: type[Track]) -> list[str]:
    """Return the modules that the hash of a track covers together with all their imports, sorted."""
    classes = [base.__module__ for base in track.__mro__]
    inputs = (INPUT_MODULES[name] for name in track.inputs)
    return sorted({*classes, *getattr(track, "made_of", ()), OBJECTS_MODULE, *inputs})


def _file_of(module: str) -> Path | None:
    path = getattr(sys.modules.get(module), "__file__", None)
    return None if path is None else Path(path)


def _roots(module: str, *, is_own: bool) -> dict[str, Path]:
    """Return the location of user-supplied code: the package of a module, or its file and all modules beside it.

    Installed libraries are excluded unless the track itself comes from one.
    """
    path, (top, *below) = _file_of(module), module.split(".")
    if path is None or top == PACKAGE or not (is_own or not str(path).startswith(LIBRARIES)):
        return {}
    if below or path.name == "__init__.py":
        return {top: path.parents[len(below) - (path.name != "__init__.py")]}
    files = {one.stem: one for one in path.parent.glob("*.py")}
    packages = {one.parent.name: one.parent for one in path.parent.glob("*/__init__.py")}
    return {**packages, **files, top: path}


def _source_of(track: type[Track]) -> str:
    try:
        return inspect.getsource(track)
    except (OSError, TypeError):
        return repr(sorted(vars(track)))
