"""Recognition of layouts by files, and the message for unknown layouts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.errors import DataError, ManifestError
from planktonbench.data_manifests.manifest import load_manifest, manifest_names, manifest_of_folder
from planktonbench.data_manifests.readers.layouts import READERS, locate

if TYPE_CHECKING:
    from pathlib import Path


def test_the_challenge_layout_is_recognised(challenge: Path) -> None:
    """Its name has a reader, which lists files in the folder."""
    layout, path = locate(challenge)

    assert (layout, path) == ("challenge", challenge)
    assert {file.parent for file in READERS[layout].files(path)} == {challenge}


def test_a_single_subfolder_is_entered(challenge: Path, tmp_path: Path) -> None:
    """Unpacked archives often have one; hidden folders and other files are ignored."""
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


def test_shipped_manifests_name_layouts_that_can_be_read() -> None:
    """Every layout that a manifest states has a reader."""
    stated = {load_manifest(name).layout for name in manifest_names()}

    assert stated <= set(READERS)
    assert len(stated) > 1


@pytest.mark.parametrize(
    ("names", "found"),
    [([], "nothing"), (["b.txt", "a.csv"], "a.csv, b.txt"), ([f"{n:02d}" for n in range(12)], "06, 07, … (12 in all)")],
)
def test_an_unknown_layout_is_an_error(tmp_path: Path, names: list[str], found: str) -> None:
    """The message has the folder, the expected files of each layout, and the first files found."""
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        locate(tmp_path)
    message = str(caught.value)

    assert message.startswith(f"{tmp_path} has no layout that can be read. Expected ")
    assert all(f"{name}: {reader.expected}" in message for name, reader in READERS.items())
    assert message.endswith(f"{found}.")


@pytest.mark.parametrize("name", ["nowhere", "data/meta.csv"])
def test_missing_paths_and_files_are_errors(challenge: Path, name: str) -> None:
    """The message describes the expected folder or archive."""
    with pytest.raises(DataError, match=rf"{name} is not a folder; expected the folder of a data set, or a zip"):
        locate(challenge.parent / name)


def test_a_manifest_with_an_unknown_layout_is_an_error(challenge: Path) -> None:
    """Near matches are suggested before files are read."""
    manifest = manifest_of_folder("made").model_copy(update={"layout": "chalenge"})

    with pytest.raises(ManifestError, match=r"Manifest 'made': layout is 'chalenge'\. Did you mean challenge"):
        open_folder(manifest, challenge)
