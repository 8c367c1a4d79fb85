"""Hash of a track's source code, so that runs are repeated if the method has changed and reused if it has not."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.files.source_code import FOLDER, LIBRARIES, PACKAGE, source_files, source_sha256
from ...data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from types import CodeType

    from .track import Track

OBJECTS_MODULE = f"{PACKAGE}.models.protocol.objects"
"""Module of the objects that every track receives."""

IDS_MODULE = f"{PACKAGE}.data_manifests.blinding.opaque_ids"
"""Module of the ids of these objects, which determine the order of the rows."""

INPUT_MODULES = {
    "native": f"{PACKAGE}.data_manifests.dataset",
    "images": f"{PACKAGE}.features.network_images.store",
}
"""Modules that prepare the inputs of a track, by input: tables are cleaned, images decoded and prepared."""

UNDEFINED = frozenset({"__abstractmethods__", "__dict__", "__weakref__", "_abc_impl"})
"""Members of a class that Python adds; some have a memory address in their representation."""


def track_sha256(track: type[Track]) -> str:
    """Return the hash of the source code that the results of a track depend on.

    It covers the modules of the class and its base classes, the modules that prepare its inputs, and all modules of
    planktonbench that these import, directly or indirectly. For a user-supplied track it also covers what its file
    imports from its own folder or package. For a track defined in a notebook, the source of its class is hashed; for a
    track made by a function such as `from_sklearn`, its `definition` and the modules in `made_of` are hashed as well.
    """
    texts = [str(getattr(track, "definition", "")), source_sha256(*track_modules(track), roots=_user_roots(track))]
    if _file_of(track.__module__) is None:
        texts.append(_source_of(track))
    return sha256_text(*texts)


def user_files(track: type[Track]) -> list[Path]:
    """Return the files of a user-supplied track: its own, and those that it imports from beside it, sorted."""
    files = source_files(*track_modules(track), roots=_user_roots(track)).values()
    return sorted(path for path in files if not path.is_relative_to(FOLDER))


def track_modules(track: type[Track]) -> list[str]:
    """Return the modules that the hash of a track covers together with all their imports, sorted."""
    classes = [base.__module__ for base in track.__mro__]
    inputs = (INPUT_MODULES[name] for name in track.inputs)
    return sorted({*classes, *getattr(track, "made_of", ()), OBJECTS_MODULE, IDS_MODULE, *inputs})


def _file_of(module: str) -> Path | None:
    path = getattr(sys.modules.get(module), "__file__", None)
    return None if path is None else Path(path)


def _user_roots(track: type[Track]) -> dict[str, Path]:
    """Return the location of user-supplied code that a track depends on, by module or package."""
    modules = track_modules(track)
    return {name: path for one in modules for name, path in _roots(one, is_own=one == track.__module__).items()}


def _roots(module: str, *, is_own: bool) -> dict[str, Path]:
    """Return the location of user-supplied code: the package of a module, or its file and all modules next to it.

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
    """Return the source of a class without a file, else the definitions of its members, as in a notebook."""
    try:
        return inspect.getsource(track)
    except (OSError, TypeError):
        return repr(
            [(name, _definition(value)) for name, value in sorted(vars(track).items()) if name not in UNDEFINED]
        )


def _definition(member: object) -> str:
    """Return the source of a function, else its compiled code; of any other member its representation."""
    function = inspect.unwrap(getattr(member, "__func__", member))  # type: ignore[arg-type]  # others pass unchanged
    if not inspect.isfunction(function):
        return repr(member)
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return _code_text(function.__code__)


def _code_text(code: CodeType) -> str:
    """Return bytecode, names and constants; nested functions have a memory address in their representation."""
    constants = [_code_text(one) if inspect.iscode(one) else repr(one) for one in code.co_consts]
    return repr((code.co_code, code.co_names, code.co_varnames, constants))
