"""Stored pictures: choice of objects and copies of images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.pictures.kept_pictures import ImageCopies, chosen_objects, images_at_random

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

LEVELS = {"Copepoda": 40, "Stenosemella with a rather long name": 80, "egg (other)": 120}
SIZES = {"Copepoda": 6, "Stenosemella with a rather long name": 9, "egg (other)": 2}


@pytest.fixture
def lake(tmp_path: Path) -> Dataset:
    """A data set with one grey level per taxon and images of different shapes."""
    taxa = [taxon for taxon, size in SIZES.items() for _ in range(size)]
    (tmp_path / "lake" / "imgs").mkdir(parents=True)
    pd.DataFrame({"object_id": range(len(taxa)), "taxon": taxa}).to_csv(tmp_path / "lake" / "meta.csv", index=False)
    for number, taxon in enumerate(taxa):
        image = np.full((20 + 30 * number, 30), LEVELS[taxon], np.uint8)
        cv2.imwrite(str(tmp_path / "lake" / "imgs" / f"{number}.png"), image)
    return open_folder(manifest_of_folder("lake"), tmp_path / "lake")


def test_the_random_choice_of_objects_is_reproducible(lake: Dataset) -> None:
    """The largest taxon comes first; objects belong to their taxon and are not simply the first ones."""
    taxa = lake.objects.set_index("object_id")["taxon"]
    chosen, again = chosen_objects(lake, 3), chosen_objects(lake, 3)

    assert chosen == again
    assert list(chosen) == sorted(SIZES, key=lambda taxon: -SIZES[taxon])
    assert {taxon: len(ids) for taxon, ids in chosen.items()} == {taxon: min(3, n) for taxon, n in SIZES.items()}
    assert all(set(taxa[ids]) == {taxon} for taxon, ids in chosen.items())
    assert any(sorted(ids) != sorted(taxa.index[taxa == taxon])[:3] for taxon, ids in chosen.items())


def test_an_image_that_cannot_be_read_is_left_out(lake: Dataset) -> None:
    """The other images are returned."""
    everything = {one for _, one, _ in images_at_random(lake, 3, 9)}
    (lake.folder / "imgs" / "16.png").write_bytes(b"no image")

    assert {one for _, one, _ in images_at_random(lake, 3, 9)} == everything - {"16"}


def test_copies_are_reused_and_replaced_for_other_data(lake: Dataset, tmp_path: Path) -> None:
    """Images with a copy are not read again, large images are shrunk, and copies of other data are replaced."""
    copies = ImageCopies(tmp_path / "copies.parquet", largest_side=40)
    copies.keep(lake, ["16", "0", "nothing"])
    (lake.folder / "imgs" / "0.png").unlink()
    ImageCopies(copies.path, 40).keep(lake, ["0"])
    png = ImageCopies(copies.path, 40).by_object
    shape = cv2.imdecode(np.frombuffer(png["16"], np.uint8), cv2.IMREAD_UNCHANGED).shape

    assert (set(png), shape) == ({"0", "16"}, (40, 2))

    ImageCopies(copies.path, 40).keep(replace(lake, data_sha256="other"), ["0", "16"])

    assert set(ImageCopies(copies.path, 40).by_object) == {"16"}
