"""Layouts: a folder is recognised by its files, or told what was expected and what was found."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, get_args

import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.manifest import Layout, manifest_of_folder
from planktonbench.data_manifests.readers.layouts import EXPECTED, READERS, locate

if TYPE_CHECKING:
    from pathlib import Path


def test_a_challenge_is_recognised(challenge: Path) -> None:
    """The name of the layout is one that has a reader, whose files are in the folder."""
    layout, place = locate(challenge)

    assert (layout, place) == ("challenge", challenge)
    assert {path.parent for path in READERS[layout].files(place)} == {challenge}


def test_a_folder_inside_a_folder_is_entered(challenge: Path, tmp_path: Path) -> None:
    """An unpacked archive leaves one folder in another; hidden folders and files beside it do not matter."""
    outer = tmp_path / "outer"
    for name in ("__MACOSX", ".git"):
        (outer / name).mkdir(parents=True)
    (outer / "README.txt").touch()
    shutil.move(challenge, outer / "data")

    assert locate(outer) == ("challenge", outer / "data")
    assert len(open_folder(manifest_of_folder("made"), outer)) == 107

    (outer / "more").mkdir()
    with pytest.raises(DataError, match=r"outer has no layout that can be read\."):
        locate(outer)


def test_manifests_may_name_each_layout() -> None:
    """Readers, their descriptions and the manifest's schema know the same layouts."""
    assert set(READERS) == set(EXPECTED) == set(get_args(Layout))


@pytest.mark.parametrize(
    ("names", "found"),
    [([], "nothing"), (["b.txt", "a.csv"], "a.csv, b.txt"), ([f"{n:02d}" for n in range(12)], "06, 07, … (12 in all)")],
)
def test_another_folder_is_told_what_was_expected_and_found(tmp_path: Path, names: list[str], found: str) -> None:
    """The message names the folder, the files of each layout, and the first files that are there."""
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        locate(tmp_path)
    message = str(caught.value)

    assert message.startswith(f"{tmp_path} has no layout that can be read. Expected ")
    assert all(f"{name}: {text}" in message for name, text in EXPECTED.items())
    assert message.endswith(f"{found}.")


@pytest.mark.parametrize("name", ["nowhere", "data/meta.csv"])
def test_what_is_no_folder_is_told(challenge: Path, name: str) -> None:
    """A path that is missing, or a file, is no data set."""
    with pytest.raises(DataError, match=rf"{name} is not a folder; expected the folder of a data set, or a zip"):
        locate(challenge.parent / name)
