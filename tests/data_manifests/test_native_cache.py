"""Tests of the cache of native tables: written once, atomically, and never out of date."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.atomic_writes import atomic_write
from planktonbench.data_manifests.files.cache import cache_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.data_manifests.native_cache import prepared_native

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(challenge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Open a data set with an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return open_folder(manifest_of_folder("made"), challenge)


def prepared(data: Dataset) -> Path:
    """Return the cached file, which must exist."""
    path = prepared_native(data)
    assert path is not None
    return path


def test_the_cached_table_equals_the_native_table(data: Dataset) -> None:
    """The file is in the cache folder, is named after the data set, and contains exactly the native table."""
    path = prepared(data)

    assert path.parent == cache_folder() / "prepared"
    assert path.name.startswith("made-")
    assert data.native is not None
    pd.testing.assert_frame_equal(data.native, pd.read_parquet(path).set_index("object_id"), check_exact=True)


def test_an_existing_file_is_reused(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call returns the existing file and writes nothing."""
    first = prepared(data)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: pytest.fail("written again"))

    assert prepared(data) == first
    assert list(first.parent.iterdir()) == [first]


def test_files_depend_on_data_and_manifest(data: Dataset) -> None:
    """Different data or a different manifest lead to a different file, so that outdated files are never read."""
    other_manifest = data.manifest.model_copy(update={"never_features": ("noise",)})
    others = [
        dataclasses.replace(data, data_sha256="0" * 64),
        dataclasses.replace(data, manifest=other_manifest),
    ]

    assert len({prepared(each) for each in [data, *others]}) == 3


def test_data_without_native_table_are_not_cached(data: Dataset) -> None:
    """Neither a file nor the cache folder is created."""
    assert prepared_native(dataclasses.replace(data, native=None)) is None
    assert not cache_folder().exists()


def test_an_unwritable_cache_is_reported(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the folder and the environment variable that changes it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(
        DataError, match=r"prepared cannot be written: .* Set XDG_CACHE_HOME to a folder with enough free space\."
    ):
        prepared_native(data)


def test_files_are_written_atomically(tmp_path: Path) -> None:
    """A write that fails half-way leaves the old file unchanged and no temporary file."""
    path = tmp_path / "new" / "a.txt"
    atomic_write(path, lambda target: target.write_text("old"))

    def fail(target: Path) -> None:
        target.write_text("half")
        message = "disk full"
        raise OSError(message)

    with pytest.raises(OSError, match="disk full"):
        atomic_write(path, fail)

    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_temporary_files_of_killed_writers_are_overwritten(tmp_path: Path) -> None:
    """The next writer uses the same temporary file, and only the final file remains."""
    path = tmp_path / "a.txt"
    targets: list[Path] = []

    def write(target: Path) -> None:
        targets.append(target)
        target.write_text("new")

    atomic_write(path, write)
    targets[0].write_text("half of a longer text")
    atomic_write(path, write)

    assert targets[0] == targets[1]
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
