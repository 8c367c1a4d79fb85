"""Formats of kept models: files that are, or contain, a pickle are refused."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.kept.file_formats import check_formats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OBJECTS = np.array([{"a": 1}, None], dtype=object)


def zipped(path: Path) -> None:
    """Write an archive with a pickle, as PyTorch does."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([1]))


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a.pkl": (lambda path: path.write_bytes(b"x"), "has the suffix '.pkl'"),
    "model": (lambda path: path.write_bytes(b"x"), "has the suffix ''"),
    "b.json": (lambda path: path.write_bytes(pickle.dumps([1])), "contains a pickle"),
    "c.npy": (lambda path: np.save(path, OBJECTS, allow_pickle=True), "contains a pickle"),
    "d.npz": (lambda path: np.savez(path, good=np.arange(3), bad=OBJECTS), "contains a pickle"),
    "e.keras": (zipped, "contains a pickle"),
    "f.json": (lambda path: path.symlink_to("/etc/hostname"), "is not a plain file"),
    "track.json": (lambda path: path.write_text("{}"), "is a name that is reserved"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_unsafe_files_are_refused(tmp_path: Path, name: str) -> None:
    """The message has the file, in a sub-folder too, and the formats that are expected."""
    write, problem = REFUSED[name]
    folder = tmp_path if name == "track.json" else tmp_path / "inner"
    folder.mkdir(exist_ok=True)
    write(folder / name)

    with pytest.raises(TrackError) as fault:
        check_formats(tmp_path, "mine")
    assert str(fault.value).startswith(f"save of track 'mine' wrote {(folder / name).relative_to(tmp_path)}, which ")
    assert problem in str(fault.value)
    assert ".npz" in str(fault.value)


def test_arrays_texts_and_empty_files_are_accepted(tmp_path: Path) -> None:
    """Numbers and text in NumPy's formats, JSON, and the reserved name in a sub-folder."""
    np.savez(tmp_path / "a.npz", numbers=np.arange(3), names=np.array(["ä", "b"]))
    np.save(tmp_path / "b.npy", np.zeros((0, 3)))
    (tmp_path / "c.json").write_text('{"ä": "\\u0080"}', "utf-8")
    (tmp_path / "d.txt").touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "track.json").write_text("{}")

    check_formats(tmp_path, "mine")
