"""Reading of YAML files with validation by a pydantic schema; errors name file, field and value."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import PlanktonbenchError, did_you_mean

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from pydantic_core import ErrorDetails
    from yaml import SafeLoader


if not TYPE_CHECKING:  # the C parser is many times faster; some builds of PyYAML lack it
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Schema(BaseModel):
    """Base class of all schemas for YAML and JSON files: instances are frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(SafeLoader):
    """Safe loader that rejects duplicate keys; by default, the last value is used without a warning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        duplicate = next((key for key in keys if keys.count(key) > 1), None)
        if duplicate is not None:
            message = f"duplicate key '{duplicate}'"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep=deep)


Model = TypeVar("Model", bound=BaseModel)
MISSING = "missing"  # type of an error of pydantic


def read_yaml(path: Path, model: type[Model], error: type[PlanktonbenchError]) -> Model:
    """Read a YAML file and validate it by a schema.

    Raises:
        error: the file is missing, is not a YAML mapping, or does not follow the schema; all errors are listed.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - derived from SafeLoader
    except (OSError, UnicodeDecodeError) as fault:
        message = f"{path} cannot be read: {fault}"
        raise error(message) from fault
    except yaml.YAMLError as fault:
        message = f"{path} is not valid YAML: {' '.join(str(fault).split())}"
        raise error(message) from fault
    if not isinstance(content, dict):
        message = f"{path} should contain a mapping of keys to values, not {type(content).__name__}."
        raise error(message)
    return validated(content, model, str(path), error)


def shipped_names(folder: Traversable) -> list[str]:
    """Return the names of YAML files shipped in a folder of a package, sorted, without suffix."""
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_shipped(
    name: str, folder: Traversable, kind: str, model: type[Model], error: type[PlanktonbenchError]
) -> Model:
    """Read a YAML file shipped with a package by name.

    Raises:
        error: the name is unknown (the message lists close matches), or the file does not follow the schema.

    """
    known = shipped_names(folder)
    if name not in known:
        message = f"There is no {kind} named '{name}'. {did_you_mean(name, known)}"
        raise error(message)
    with resources.as_file(folder.joinpath(f"{name}.yaml")) as path:
        return read_yaml(path, model, error)


def is_yaml(name: str) -> bool:
    """Return whether a name is the path of a YAML file."""
    return name.endswith((".yaml", ".yml"))


def validated(content: dict[str, Any], model: type[Model], where: str, error: type[PlanktonbenchError]) -> Model:
    """Validate a mapping by a schema; `where` is its origin for error messages."""
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        places = [(detail, _place(content, detail)) for detail in fault.errors()]
        lines = [
            _error_line(detail, place, model)
            for detail, place in places
            if not any(len(other) > len(place) and other[: len(place)] == place for _, other in places)
        ]
        raise error(f"{where}: " + "\n  ".join(["does not follow its schema:", *lines])) from fault


def _place(content: Any, detail: ErrorDetails) -> tuple[int | str, ...]:  # noqa: ANN401 - any YAML
    """Return the keys to the place of an error, without pydantic's names of the alternatives of a union."""
    place: list[int | str] = []
    for key in detail["loc"]:
        known = range(len(content)) if isinstance(content, list) else content if isinstance(content, dict) else ()
        if key in known:
            content = content[key]
            place.append(key)
    return (*place, detail["loc"][-1]) if detail["type"] == MISSING else tuple(place)


def _error_line(detail: ErrorDetails, place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    field = ".".join(map(str, place)) or "(whole file)"
    if detail["type"] == "extra_forbidden":
        return f"field '{field}' is unknown. {did_you_mean(str(place[-1]), _fields_at(model, place[:-1]))}"
    if detail["type"] == MISSING:
        return f"field '{field}' is missing."
    return f"field '{field}' is {detail['input']!r}: {detail['msg']}."


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Return the names of the fields that a schema allows at a location."""
    current = model
    for key in location:
        field = current.model_fields.get(str(key))
        current = _schema_in(field.annotation) or current if field is not None else current
    return list(current.model_fields)


def _schema_in(annotation: object) -> type[BaseModel] | None:
    """Return the first schema in an annotation, also within a list, tuple, dict or union; None without a schema."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_schema_in, get_args(annotation))), None)
