"""YAML files behind a pydantic schema, with errors that name file, field and value."""

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


if not TYPE_CHECKING:  # the parser in C is many times as quick; some builds of PyYAML lack it
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Schema(BaseModel):
    """Base of everything that is read from YAML or JSON: frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Loader(SafeLoader):
    """A safe loader that refuses a key that stands twice, of which YAML would take the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            message = f"the key '{twice}' occurs twice"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep=deep)


Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path, model: type[Model], error: type[PlanktonbenchError]) -> Model:
    """Read one YAML file and check it against its schema.

    Raises:
        error: the file is missing, is no YAML mapping, or breaks the schema; every fault is listed.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader that is stricter
    except (OSError, UnicodeDecodeError) as fault:
        message = f"{path} cannot be read: {fault}"
        raise error(message) from fault
    except yaml.YAMLError as fault:
        message = f"{path} is not valid YAML: {' '.join(str(fault).split())}"
        raise error(message) from fault
    if not isinstance(content, dict):
        message = f"{path} should hold a mapping of keys to values, but holds {type(content).__name__}."
        raise error(message)
    return checked(content, model, str(path), error)


def shipped_names(folder: Traversable) -> list[str]:
    """Names of the YAML files that a package ships in a folder, sorted, without suffix."""
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_shipped(
    name: str, folder: Traversable, noun: str, model: type[Model], error: type[PlanktonbenchError]
) -> Model:
    """Read a YAML file that a package ships, by its name.

    Raises:
        error: there is none of that name (near matches are told), or it breaks the schema.

    """
    known = shipped_names(folder)
    if name not in known:
        message = f"There is no {noun} named '{name}'. {did_you_mean(name, known)}"
        raise error(message)
    with resources.as_file(folder.joinpath(f"{name}.yaml")) as path:
        return read_yaml(path, model, error)


def is_yaml(name: str) -> bool:
    """Tell whether a name is the path of a YAML file."""
    return name.endswith((".yaml", ".yml"))


def checked(content: dict[str, Any], model: type[Model], where: str, error: type[PlanktonbenchError]) -> Model:
    """Check a mapping against a schema; `where` names its origin in the message."""
    try:
        return model.model_validate(content)
    except ValidationError as fault:
        lines = [_fault_line(detail, model) for detail in fault.errors()]
        raise error(f"{where}: " + "\n  ".join(["does not follow its schema:", *lines])) from fault


def _fault_line(detail: ErrorDetails, model: type[BaseModel]) -> str:
    field = ".".join(str(part) for part in detail["loc"]) or "(whole file)"
    if detail["type"] == "extra_forbidden":
        known = _fields_at(model, detail["loc"][:-1])
        return f"field '{field}' is unknown. {did_you_mean(str(detail['loc'][-1]), known)}"
    if detail["type"] == "missing":
        return f"field '{field}' is missing."
    return f"field '{field}' is {detail['input']!r}: {detail['msg']}."


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that a schema allows at a location."""
    current = model
    for part in location:
        field = current.model_fields.get(str(part))
        current = _schema_in(field.annotation) or current if field is not None else current
    return list(current.model_fields)


def _schema_in(annotation: object) -> type[BaseModel] | None:
    """Return the schema that an annotation holds, alone or inside of a list, tuple, dict or union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_schema_in, get_args(annotation))), None)
