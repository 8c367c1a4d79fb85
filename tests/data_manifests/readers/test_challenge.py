"""The challenge layout: two tables, and images beside them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.store import FolderImages, ZipImages, images_beside
from planktonbench.data_manifests.readers import challenge as layout

if TYPE_CHECKING:
    from pathlib import Path


def test_cells_are_read_as_they_are(challenge: Path) -> None:
    """Objects are text throughout; of the native table the ids are text as written, the rest numbers."""
    raw = layout.read(challenge)

    assert set(raw.objects.dtypes.astype(str)) == {"str"}
    assert raw.native is not None
    assert raw.native["objid"].str.endswith(".0").all()
    assert (raw.native["area"].dtype, raw.native["constant"].dtype) == ("float64", "float64")
    assert (raw.objects_path.name, raw.native_path) == ("meta.csv", challenge / "features_native.csv")


@pytest.mark.parametrize("gone", ["meta.csv", "features_native.csv", "imgs.zip"])
def test_one_table_is_enough_to_recognise_the_layout(challenge: Path, gone: str) -> None:
    """A folder with either table is a challenge, so that the missing one can be named; files are those there."""
    (challenge / gone).unlink()
    tables = [name for name in ("meta.csv", "features_native.csv") if name != gone]

    assert layout.recognise(challenge)
    assert [path.name for path in layout.files(challenge)] == tables


def test_other_folders_are_not_recognised(tmp_path: Path) -> None:
    """Images alone are no challenge, nor is a folder called like a table."""
    (tmp_path / "imgs").mkdir()
    (tmp_path / "meta.csv").mkdir()

    assert not layout.recognise(tmp_path)


def test_a_missing_table_of_objects_is_named(challenge: Path) -> None:
    """Without meta.csv there are no objects, and that is the message."""
    (challenge / "meta.csv").unlink()

    with pytest.raises(DataError, match=r"meta\.csv does not exist"):
        layout.read(challenge)


def test_native_table_and_images_may_be_missing(challenge: Path) -> None:
    """Both are optional, as tracks may need one of them only."""
    (challenge / "features_native.csv").unlink()
    (challenge / "imgs.zip").unlink()
    raw = layout.read(challenge)

    assert (raw.native, raw.native_path, raw.images) == (None, None, None)


def test_images_lie_in_a_folder_or_in_a_zip_file_but_not_in_both(challenge: Path) -> None:
    """Either is read; with both nothing says which is meant, so that the message asks for one."""
    assert isinstance(images_beside(challenge), ZipImages)

    with zipfile.ZipFile(challenge / "imgs.zip") as archive:
        archive.extractall(challenge)
    with pytest.raises(DataError, match=r"has both imgs\.zip and imgs/; expected one of them\. Move the other away\."):
        layout.read(challenge)

    (challenge / "imgs.zip").unlink()
    store = images_beside(challenge)
    assert isinstance(store, FolderImages)
    assert len(store) == 107
