"""Reader of the challenge layout: two tables and images."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.store import FolderImages, ZipImages, images_beside
from planktonbench.data_manifests.readers import challenge as layout

if TYPE_CHECKING:
    from pathlib import Path


def test_types_of_columns(challenge: Path) -> None:
    """All columns of objects and the ids of the native table are text as written; native values are numbers."""
    raw = layout.read(challenge)

    assert set(raw.objects.dtypes.astype(str)) == {"str"}
    assert raw.native is not None
    assert raw.native["objid"].str.endswith(".0").all()
    assert (raw.native["area"].dtype, raw.native["constant"].dtype) == ("float64", "float64")
    assert (raw.objects_path.name, raw.native_path) == ("meta.csv", challenge / "features_native.csv")


@pytest.mark.parametrize("missing", ["meta.csv", "features_native.csv", "imgs.zip"])
def test_one_table_is_enough_to_recognise_the_layout(challenge: Path, missing: str) -> None:
    """Only existing tables are listed as files."""
    (challenge / missing).unlink()
    tables = [name for name in ("meta.csv", "features_native.csv") if name != missing]

    assert layout.recognise(challenge)
    assert [path.name for path in layout.files(challenge)] == tables


def test_other_folders_are_not_recognised(tmp_path: Path) -> None:
    """Neither images without tables nor a folder named like a table have this layout."""
    (tmp_path / "imgs").mkdir()
    (tmp_path / "meta.csv").mkdir()

    assert not layout.recognise(tmp_path)


def test_a_missing_table_of_objects_is_an_error(challenge: Path) -> None:
    """The message names meta.csv."""
    (challenge / "meta.csv").unlink()

    with pytest.raises(DataError, match=r"meta\.csv does not exist"):
        layout.read(challenge)


def test_native_table_and_images_may_be_missing(challenge: Path) -> None:
    """Both are optional, since a track may need only one of them."""
    (challenge / "features_native.csv").unlink()
    (challenge / "imgs.zip").unlink()
    raw = layout.read(challenge)

    assert (raw.native, raw.native_path, raw.images) == (None, None, None)


def test_images_are_in_a_folder_or_a_zip_file(challenge: Path) -> None:
    """If there are both, it is not clear which to read, and an error is raised."""
    assert isinstance(images_beside(challenge), ZipImages)

    with zipfile.ZipFile(challenge / "imgs.zip") as archive:
        archive.extractall(challenge)
    with pytest.raises(DataError, match=r"has imgs\.zip and imgs/; expected one of them\. Move the others away\."):
        layout.read(challenge)

    (challenge / "imgs.zip").unlink()
    store = images_beside(challenge)
    assert isinstance(store, FolderImages)
    assert len(store) == 107
