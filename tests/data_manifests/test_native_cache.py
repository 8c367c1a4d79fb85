"""Prepared data: written once, whole, and never out of date."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.atomic_writes import write_whole
from planktonbench.data_manifests.files.cache import cache_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.data_manifests.native_cache import prepared_native

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(challenge: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Open a data set beside an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return open_folder(manifest_of_folder("made"), challenge)


def prepared(data: Dataset) -> Path:
    """Return the prepared file, which must be there."""
    path = prepared_native(data)
    assert path is not None
    return path


def test_the_clean_table_comes_back(data: Dataset) -> None:
    """The file lies in the cache, carries the data set's name, and holds the native table to the bit."""
    path = prepared(data)

    assert path.parent == cache_folder() / "prepared"
    assert path.name.startswith("made-")
    assert data.native is not None
    pd.testing.assert_frame_equal(data.native, pd.read_parquet(path).set_index("object_id"), check_exact=True)


def test_it_is_written_once(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call takes the file that is there and writes nothing."""
    first = prepared(data)
    monkeypatch.setattr(pd.DataFrame, "to_parquet", lambda *_, **__: pytest.fail("written again"))

    assert prepared(data) == first
    assert list(first.parent.iterdir()) == [first]


def test_other_data_and_another_manifest_have_another_file(data: Dataset) -> None:
    """What the table depends on is in its name, so that an old file is never taken for a new one."""
    other_manifest = data.manifest.model_copy(update={"never_features": ("noise",)})
    others = [
        dataclasses.replace(data, data_sha256="0" * 64),
        dataclasses.replace(data, manifest=other_manifest),
    ]

    assert len({prepared(each) for each in [data, *others]}) == 3


def test_data_without_native_table_need_none(data: Dataset) -> None:
    """There is no file for nothing, and no cache folder either."""
    assert prepared_native(dataclasses.replace(data, native=None)) is None
    assert not cache_folder().exists()


def test_a_cache_that_cannot_be_written_is_told(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the folder and the variable that moves it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(DataError, match=r"prepared cannot be written: .* Set XDG_CACHE_HOME to a folder with room\."):
        prepared_native(data)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that fails half-way leaves the old file as it was and nothing beside it."""
    path = tmp_path / "new" / "a.txt"
    write_whole(path, lambda part: part.write_text("old"))

    def fail(part: Path) -> None:
        part.write_text("half")
        message = "no room"
        raise OSError(message)

    with pytest.raises(OSError, match="no room"):
        write_whole(path, fail)

    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    """A writer that is killed leaves its part; the next one uses the same place, and nothing stays beside the file."""
    path = tmp_path / "a.txt"
    places: list[Path] = []

    def write(part: Path) -> None:
        places.append(part)
        part.write_text("new")

    write_whole(path, write)
    places[0].write_text("half of a longer text")
    write_whole(path, write)

    assert places[0] == places[1]
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
