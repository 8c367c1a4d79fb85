"""Tests of YAML files with a schema: validation and error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import pytest
from planktonbench.data_manifests.errors import SuiteError
from planktonbench.data_manifests.files.yaml_files import Schema, read_yaml, validated
from pydantic import Field, ValidationError

if TYPE_CHECKING:
    from pathlib import Path


class Net(Schema):
    """A nested schema."""

    mesh: int = 200


class Stop(Schema):
    """An alternative to a name in a list."""

    at: str
    hours: int = 1


class Cruise(Schema):
    """A schema with required, optional and nested fields."""

    name: str
    days: int = 1
    net: Net = Net()
    spares: tuple[Net, ...] = ()
    stops: Annotated[tuple[str | Stop, ...], Field(min_length=1)] = ("harbour",)


def error_message(path: Path) -> str:
    """Return the error message for an invalid file."""
    with pytest.raises(SuiteError) as caught:
        read_yaml(path, Cruise, SuiteError)
    return str(caught.value)


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    """Missing fields have default values, and the result is immutable."""
    path = tmp_path / "cruise.yaml"
    path.write_text("name: Méduse\nnet: {mesh: 50}\n", "utf-8")
    cruise = read_yaml(path, Cruise, SuiteError)

    assert Cruise(name="Méduse", days=1, net=Net(mesh=50)) == cruise
    with pytest.raises(ValidationError, match="frozen"):
        cruise.days = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"name: [", "is not valid YAML"),
        (b"- name", "should contain a mapping of keys to values, not list."),
        (b"", "should contain a mapping"),
    ],
)
def test_an_unreadable_file_is_reported(tmp_path: Path, content: bytes | None, words: str) -> None:
    """A message of one line names a file that is missing, not text, not YAML or not a mapping."""
    path = tmp_path / "cruise.yaml"
    if content is not None:
        path.write_bytes(content)
    message = error_message(path)

    assert message.startswith(f"{path} {words}")
    assert "\n" not in message


def test_all_errors_are_reported_together() -> None:
    """A single message lists each error with field and value, and close matches of unknown keys."""
    content = {"dayz": 2, "days": "many", "net": {"mesh": -0.5}}
    with pytest.raises(SuiteError) as caught:
        validated(content, Cruise, "here.yaml", SuiteError)
    head, *errors = str(caught.value).split("\n  ")

    assert head == "here.yaml: does not follow its schema:"
    assert sorted(line.split(":")[0] for line in errors) == [
        "field 'days' is 'many'",
        "field 'dayz' is unknown. Did you mean days?",
        "field 'name' is missing.",
        "field 'net.mesh' is -0.5",
    ]


@pytest.mark.parametrize(
    ("content", "field"), [({"net": {"mash": 1}}, "net.mash"), ({"spares": [{"mash": 1}]}, "spares.0.mash")]
)
def test_close_matches_of_nested_keys(content: dict[str, object], field: str) -> None:
    """An unknown key is compared with the fields of its own schema, also within a list."""
    with pytest.raises(SuiteError, match=rf"field '{field}' is unknown\. Did you mean mesh\?"):
        validated({"name": "a", **content}, Cruise, "here.yaml", SuiteError)


@pytest.mark.parametrize(
    ("stop", "line"),
    [
        ({"at": "quay", "hour": 2}, "field 'stops.0.hour' is unknown. Did you mean hours?"),
        ({"hours": 2}, "field 'stops.0.at' is missing."),
        ({"at": "quay", "hours": "two"}, "field 'stops.0.hours' is 'two': Input should be a valid integer, unable to"),
    ],
)
def test_one_mistake_in_an_alternative_is_one_line(stop: dict[str, object], line: str) -> None:
    """Neither the other alternative is named, nor the list that is too short without the entry."""
    with pytest.raises(SuiteError) as caught:
        validated({"name": "a", "stops": [stop]}, Cruise, "here.yaml", SuiteError)
    _, *lines = str(caught.value).split("\n  ")

    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_duplicate_keys_are_rejected(tmp_path: Path) -> None:
    """A duplicate key is an error even if its values are valid."""
    path = tmp_path / "cruise.yaml"
    path.write_text("name: a\ndays: 1\ndays: 2\n", "utf-8")

    assert "duplicate key 'days'" in error_message(path)
