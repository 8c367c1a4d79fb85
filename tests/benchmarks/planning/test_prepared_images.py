"""Network images of a data set: examples stored for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.planning.prepared_images import show_network_inputs
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.features.network_images.form import ImageForm, Source, channels_of
from planktonbench.reports.pictures.network_inputs import network_inputs_of

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

PADDED, STRETCHED = ImageForm(), ImageForm(side=32, resize="stretch")
IMAGE = np.pad(np.full((5, 9), 60, np.uint8), 10, constant_values=230)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Two taxa with one image each: a dark rectangle on a light background."""
    for taxon in ("Copepoda", "detritus"):
        (tmp_path / "lake" / taxon).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "lake" / taxon / f"of-{taxon}.png"), IMAGE)
    return open_folder(manifest_of_folder("lake"), tmp_path / "lake")


def test_the_report_shows_the_channels_of_the_network_images(data: Dataset, tmp_path: Path) -> None:
    """Each requested form is stored with its description, independent of the order of the forms."""
    show_network_inputs(tmp_path, data, [STRETCHED, PADDED])
    table = network_inputs_of(tmp_path, "lake").table
    found = [np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)) for png in table["png"]]
    expected = [IMAGE, *(channels_of(IMAGE, form, Source("light")) for form in (STRETCHED, PADDED))]

    assert table["form"].tolist() == 2 * ["", STRETCHED.description, PADDED.description]
    assert all(np.array_equal(one, other) for one, other in zip(found, 2 * expected, strict=True))


def test_other_forms_replace_the_stored_ones(data: Dataset, tmp_path: Path) -> None:
    """The pictures are those of the tracks of the latest run."""
    show_network_inputs(tmp_path, data, {PADDED})
    show_network_inputs(tmp_path, data, {STRETCHED})

    assert network_inputs_of(tmp_path, "lake").table["form"].unique().tolist() == ["", STRETCHED.description]


def test_nothing_is_stored_without_image_tracks(data: Dataset, tmp_path: Path) -> None:
    """Without requested forms no pictures are written."""
    show_network_inputs(tmp_path, data, [])

    assert not network_inputs_of(tmp_path, "lake").path.exists()
