"""Tests of listings: files are sorted and unique, hidden files are recognised, and cyclic links are not followed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.listing import file_size, is_archive, is_hidden, is_image, walk

NAMES = st.text("ab.-_ é1", min_size=1, max_size=4).filter(lambda name: name.strip(".") and not name.startswith("."))
PATHS = st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=12)


@given(PATHS)
def test_files_are_sorted_by_path(paths: set[str]) -> None:
    """Paths are sorted by component, on which hashes and storage order depend."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(paths, key=len, reverse=True):
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.is_dir():
                file.touch()
        expected = sorted(path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
        found = list(walk(Path(folder)))

    assert [str(path) for path in expected] == [name for name in found if not name.endswith("/")]
    assert len(found) == len(set(found))


def test_links_are_followed_unless_cyclic(tmp_path: Path) -> None:
    """A linked class folder is read like any other; a link to a parent folder is skipped."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").touch()
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "a" / "up").symlink_to(tmp_path / "data")

    assert list(walk(tmp_path / "data")) == ["a/", "linked/", "linked/1.png"]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(DataError, match=r"missing cannot be listed"):
        list(walk(tmp_path / "missing"))


@pytest.mark.parametrize("name", ["._1.png", ".git/a", "a/.b/1.png", "__MACOSX/1.png", "a/__MACOSX/", "__MACOSX"])
def test_hidden_paths(name: str) -> None:
    """Paths with a leading dot in any component, and metadata of macOS, are hidden."""
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["1.png", "a.b/1.png", "./a/1.png", "my__MACOSX/1", "a._b"])
def test_visible_paths(name: str) -> None:
    """A dot within a name or a leading `./` does not hide a path."""
    assert not is_hidden(name)


def test_file_types_are_recognised_by_suffix() -> None:
    """Suffixes are case-insensitive."""
    assert [is_image(name) for name in ("a.PNG", "a.b.jpeg", "a.png.txt", "png", "a.png/b")] == [1, 1, 0, 0, 0]
    assert [is_archive(Path(name)) for name in ("a.zip", "A.TAR", "a.tar.gz", "a.csv.gz")] == [1, 1, 1, 0]


def test_file_size(tmp_path: Path) -> None:
    """The size of a missing file is -1."""
    (tmp_path / "a").write_bytes(b"123")

    assert (file_size(str(tmp_path / "a")), file_size(str(tmp_path / "b"))) == (3, -1)
