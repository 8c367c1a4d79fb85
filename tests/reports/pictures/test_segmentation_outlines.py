"""Stored segmentation outlines."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pictures.segmentation_outlines import (
    COLOUR,
    PER_TAXON,
    SIDE,
    TAXA,
    keep_outlines,
    outlined,
    outlines_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.data_manifests.dataset import Dataset


def bright(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mask of pixels brighter than 100."""
    return np.asarray(image > 100, np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Twenty taxa, the first with 25 images, the last with six; each image has a bright square."""
    for taxon in range(20):
        folder = tmp_path / "data" / f"taxon{taxon:02d}"
        folder.mkdir(parents=True)
        for number in range(25 - taxon):
            image = np.zeros((10, 12), np.uint8)
            image[3:7, 4:9] = 200
            cv2.imwrite(str(folder / f"{taxon}-{number}.png"), image)
    return open_folder(manifest_of_folder("lake"), tmp_path / "data")


def red(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a picture has the colour of the outline."""
    return np.asarray((picture == COLOUR).all(axis=2))


def test_the_outline_surrounds_the_mask_without_covering_it() -> None:
    """A small image is enlarged by an integer factor; the line is outside the object and one pixel wide."""
    image = np.zeros((10, 16), np.uint8)
    image[3:6, 4:9] = 200
    picture = outlined(image, bright(image))
    ys, xs = np.nonzero(red(picture))

    assert picture.shape == (100, 160, 3)
    assert (ys.min(), ys.max(), xs.min(), xs.max()) == (29, 60, 39, 90)
    assert red(picture).sum() == 2 * (32 + 52) - 4
    assert (picture[30:60, 40:90] == 200).all()


@pytest.mark.parametrize(("shape", "expected"), [((400, 800), (80, 160)), ((3, 1000), (1, 160)), ((1, 1), (160, 160))])
def test_pictures_have_a_visible_size(shape: tuple[int, int], expected: tuple[int, int]) -> None:
    """Large images are shrunk proportionally, and a single pixel is enlarged."""
    picture = outlined(np.full(shape, 7, np.uint8), np.ones(shape, np.uint8))

    assert picture.shape == (*expected, 3)
    assert max(expected) == SIDE


def test_without_an_object_there_is_no_outline() -> None:
    """The picture shows only the image."""
    assert not red(outlined(np.full((20, 20), 90, np.uint8), np.zeros((20, 20), np.uint8))).any()


def test_cropped_rows_are_pale() -> None:
    """Rows that were not segmented are distinguishable."""
    picture = outlined(np.full((20, 20), 90, np.uint8), np.zeros((15, 20), np.uint8))

    assert (picture[: 15 * 8] == 90).all()
    assert (picture[15 * 8 :] == 90 // 3 + 170).all()


def test_some_images_of_some_taxa_are_stored(data: Dataset, tmp_path: Path) -> None:
    """Taxa are evenly spaced by size; the choice is reproducible; each object belongs to its taxon."""
    keep_outlines(tmp_path / "out", data, bright, "a")
    keep_outlines(tmp_path / "again", data, bright, "a")
    shown = outlines_of(tmp_path / "out", "lake").by_taxon
    taxa = data.objects.set_index("object_id")["taxon"]

    assert len(shown) == TAXA
    assert (next(iter(shown)), list(shown)[-1]) == ("taxon00", "taxon19")
    assert {len(pictures) for pictures in shown.values()} == {PER_TAXON}
    assert all(taxa[one.object_id] == taxon for taxon, pictures in shown.items() for one in pictures)
    assert outlines_of(tmp_path / "again", "lake").by_taxon == shown


def test_a_stored_picture_has_the_outline_of_its_mask(data: Dataset, tmp_path: Path) -> None:
    """The mask is the result of the function of the caller."""
    keep_outlines(tmp_path, data, bright, "a")
    picture = outlines_of(tmp_path, "lake").by_taxon["taxon00"][0]
    content = np.frombuffer(base64.b64decode(picture.address.partition("base64,")[2]), np.uint8)
    drawn = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    ys, xs = np.nonzero(red(drawn))

    assert (ys.min(), ys.max() + 1, xs.min(), xs.max() + 1) == (3 * 13 - 1, 7 * 13 + 1, 4 * 13 - 1, 9 * 13 + 1)


def test_pictures_with_another_state_are_replaced(data: Dataset, tmp_path: Path) -> None:
    """The file is not rewritten for the same state."""
    path = tmp_path / "outlines" / "lake.parquet"
    keep_outlines(tmp_path, data, bright, "a")
    before = path.stat().st_mtime_ns
    keep_outlines(tmp_path, data, bright, "a")
    unchanged = path.stat().st_mtime_ns
    keep_outlines(tmp_path, data, np.zeros_like, "b")

    assert unchanged == before
    assert path.stat().st_mtime_ns > before
    assert set(pd.read_parquet(path)["state"]) == {"b"}


def test_an_unreadable_image_has_no_picture(data: Dataset, tmp_path: Path) -> None:
    """Other images of its taxon have pictures."""
    for path in sorted((tmp_path / "data" / "taxon19").iterdir())[:5]:
        path.write_bytes(b"no image")
    keep_outlines(tmp_path, data, bright, "a")

    assert [one.object_id for one in outlines_of(tmp_path, "lake").by_taxon.get("taxon19", [])] in ([], ["19-5"])


def test_a_folder_without_pictures_is_empty(tmp_path: Path) -> None:
    """Results of earlier versions have no stored outlines."""
    assert outlines_of(tmp_path, "lake").by_taxon == {}
