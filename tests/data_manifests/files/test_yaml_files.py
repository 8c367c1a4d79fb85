"""YAML files behind a schema: errors name file, field and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.errors import SuiteError
from planktonbench.data_manifests.files.yaml_files import Schema, checked, read_yaml
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path


class Net(Schema):
    """A part of a cruise."""

    mesh: int = 200


class Cruise(Schema):
    """Something to read."""

    name: str
    days: int = 1
    net: Net = Net()
    spares: tuple[Net, ...] = ()


def fault_of(path: Path) -> str:
    """Return the message that a file gives."""
    with pytest.raises(SuiteError) as caught:
        read_yaml(path, Cruise, SuiteError)
    return str(caught.value)


def test_a_file_becomes_its_schema(tmp_path: Path) -> None:
    """Keys become fields, defaults fill in, and nothing can be changed afterwards."""
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
        (b"- name", "should hold a mapping of keys to values, but holds list."),
        (b"", "should hold a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    """A file that is missing, no text, no YAML or no mapping is named, with what was expected, on one line."""
    path = tmp_path / "cruise.yaml"
    if content is not None:
        path.write_bytes(content)
    message = fault_of(path)

    assert message.startswith(f"{path} {words}")
    assert "\n" not in message


def test_every_fault_is_told_at_once() -> None:
    """One message lists each fault with its field and value, and near matches for an unknown key."""
    content = {"dayz": 2, "days": "many", "net": {"mesh": -0.5}}
    with pytest.raises(SuiteError) as caught:
        checked(content, Cruise, "here.yaml", SuiteError)
    head, *faults = str(caught.value).split("\n  ")

    assert head == "here.yaml: does not follow its schema:"
    assert sorted(line.split(":")[0] for line in faults) == [
        "field 'days' is 'many'",
        "field 'dayz' is unknown. Did you mean days?",
        "field 'name' is missing.",
        "field 'net.mesh' is -0.5",
    ]


@pytest.mark.parametrize(
    ("content", "field"), [({"net": {"mash": 1}}, "net.mash"), ({"spares": [{"mash": 1}]}, "spares.0.mash")]
)
def test_an_unknown_key_inside_gets_the_near_matches_of_its_place(content: dict[str, object], field: str) -> None:
    """Near matches are those of the part in which the key stands, be it alone or in a list."""
    with pytest.raises(SuiteError, match=rf"field '{field}' is unknown\. Did you mean mesh\?"):
        checked({"name": "a", **content}, Cruise, "here.yaml", SuiteError)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Of two values of one key neither is taken in silence."""
    path = tmp_path / "cruise.yaml"
    path.write_text("name: a\ndays: 1\ndays: 2\n", "utf-8")

    assert "days" in fault_of(path)
