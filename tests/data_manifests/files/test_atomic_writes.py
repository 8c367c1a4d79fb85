"""Errors of the operating system: refused writes and missing inputs have different messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench import DataError
from planktonbench.data_manifests.files.atomic_writes import atomic_write, write_errors

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_input_is_no_refused_write(tmp_path: Path) -> None:
    """The message names the file and does not advise to free space."""
    with (
        pytest.raises(DataError, match=r"valid\.txt does not exist, but is needed\.") as caught,
        write_errors(tmp_path, "Free some space."),
    ):
        (tmp_path / "valid.txt").read_text()

    assert "space" not in str(caught.value)


@pytest.mark.parametrize("name", ["gone/new.txt", "file/new.txt"])
def test_a_file_that_cannot_be_created_is_a_refused_write(tmp_path: Path, name: str) -> None:
    """Its folder does not exist, or is a file."""
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(DataError, match=r"cannot be written: .* Free some space\."),
        write_errors(tmp_path, "Free some space."),
    ):
        (tmp_path / name).write_text("content")


def test_missing_files_elsewhere_are_passed_on(tmp_path: Path) -> None:
    """They are not those of the folder that is written."""
    with pytest.raises(FileNotFoundError), write_errors(tmp_path / "a" / "out", "Free some space."):
        (tmp_path / "other.txt").read_text()


def test_a_failed_write_leaves_the_file(tmp_path: Path) -> None:
    """Neither the old content is lost nor a temporary file left."""
    path = tmp_path / "a.txt"
    atomic_write(path, lambda new: new.write_text("old"))

    def fail(new: Path) -> None:
        new.write_text("half")
        raise OSError(28, "No space left on device", str(new))

    with pytest.raises(DataError, match=r"cannot be written: .*No space left"), write_errors(tmp_path, "Free it."):
        atomic_write(path, fail)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.txt", "old")]
