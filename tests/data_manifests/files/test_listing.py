"""Listing: every file once, in order of paths, without what is hidden, and without end where links lead back."""

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
def test_files_come_in_the_order_of_their_paths(paths: set[str]) -> None:
    """The order is that of sorted paths, part by part, so that hashes and storage order stay as they were."""
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(paths, key=len, reverse=True):
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.is_dir():
                place.touch()
        expected = sorted(path.relative_to(folder) for path in Path(folder).rglob("*") if path.is_file())
        found = list(walk(Path(folder)))

    assert [str(path) for path in expected] == [name for name in found if not name.endswith("/")]
    assert len(found) == len(set(found))


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """A linked class folder is read like any other; a link to a folder above is passed over."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").touch()
    (tmp_path / "data" / "a").mkdir(parents=True)
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "a" / "up").symlink_to(tmp_path / "data")

    assert list(walk(tmp_path / "data")) == ["a/", "linked/", "linked/1.png"]


def test_a_folder_that_has_gone_is_told(tmp_path: Path) -> None:
    """A folder that cannot be listed is named."""
    with pytest.raises(DataError, match=r"gone cannot be listed"):
        list(walk(tmp_path / "gone"))


@pytest.mark.parametrize("name", ["._1.png", ".git/a", "a/.b/1.png", "__MACOSX/1.png", "a/__MACOSX/", "__MACOSX"])
def test_hidden_places(name: str) -> None:
    """A dot in front of any part, and what macOS puts into archives, hide what lies there."""
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["1.png", "a.b/1.png", "./a/1.png", "my__MACOSX/1", "a._b"])
def test_places_that_are_not_hidden(name: str) -> None:
    """A dot inside of a name does not hide it, nor does the dot of "here"."""
    assert not is_hidden(name)


def test_kinds_of_files_are_told_by_suffix() -> None:
    """In any case of letters."""
    assert [is_image(name) for name in ("a.PNG", "a.b.jpeg", "a.png.txt", "png", "a.png/b")] == [1, 1, 0, 0, 0]
    assert [is_archive(Path(name)) for name in ("a.zip", "A.TAR", "a.tar.gz", "a.csv.gz")] == [1, 1, 1, 0]


def test_size_of_a_file(tmp_path: Path) -> None:
    """A file that is not there has none."""
    (tmp_path / "a").write_bytes(b"123")

    assert (file_size(str(tmp_path / "a")), file_size(str(tmp_path / "b"))) == (3, -1)
