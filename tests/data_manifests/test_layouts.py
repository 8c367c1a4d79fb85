"""Layouts: a folder is recognised by its files, or told what was expected and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.layouts import EXPECTED, READERS, recognise
from planktonbench.data_manifests.manifest import Layout

if TYPE_CHECKING:
    from pathlib import Path


def test_a_challenge_is_recognised(challenge: Path) -> None:
    """The name of the layout is one that has a reader, whose files are in the folder."""
    name = recognise(challenge)

    assert name == "challenge"
    assert {path.parent for path in READERS[name].files(challenge)} == {challenge}


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
        recognise(tmp_path)
    message = str(caught.value)

    assert message.startswith(f"{tmp_path} has no layout that can be read. Expected challenge: meta.csv and features_")
    assert "imgs.zip or imgs/" in message
    assert message.endswith(f"{found}.")


@pytest.mark.parametrize("name", ["nowhere", "data/meta.csv"])
def test_what_is_no_folder_is_told(challenge: Path, name: str) -> None:
    """A path that is missing, or a file, is no data set."""
    with pytest.raises(DataError, match=rf"{name} is not a folder; expected the folder of a data set\."):
        recognise(challenge.parent / name)
