"""Prepared images of a data set: what is kept of them for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.stacks import show_stacks
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.features.stacks import Source, StackForm, channels_of
from planktonbench.reports.stack_figure import stacks_of

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

PADDED, STRETCHED = StackForm(), StackForm(side=32, resize="stretch")
IMAGE = np.pad(np.full((5, 9), 60, np.uint8), 10, constant_values=230)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """One taxon with one image: a dark rectangle on a light background."""
    (tmp_path / "lake" / "Copepoda").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "lake" / "Copepoda" / "one.png"), IMAGE)
    return open_folder(manifest_of_folder("lake"), tmp_path / "lake")


def test_the_report_shows_the_channels_that_tracks_get(data: Dataset, tmp_path: Path) -> None:
    """In every form that is asked for, by its words, whatever the order."""
    show_stacks(tmp_path, data, [STRETCHED, PADDED])
    table = stacks_of(tmp_path, "lake").table
    found = [cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) for png in table["png"]]

    assert table["form"].tolist() == ["", STRETCHED.words, PADDED.words]
    assert np.array_equal(found[0], IMAGE)
    assert np.array_equal(found[1], channels_of(IMAGE, STRETCHED, Source("light")))
    assert np.array_equal(found[2], channels_of(IMAGE, PADDED, Source("light")))


def test_other_forms_are_shown_instead(data: Dataset, tmp_path: Path) -> None:
    """The pictures are those of the last run's tracks."""
    show_stacks(tmp_path, data, {PADDED})
    show_stacks(tmp_path, data, {STRETCHED})

    assert stacks_of(tmp_path, "lake").table["form"].tolist() == ["", STRETCHED.words]


def test_without_image_tracks_nothing_is_kept(data: Dataset, tmp_path: Path) -> None:
    """What an earlier run has kept stays."""
    show_stacks(tmp_path, data, [])

    assert not stacks_of(tmp_path, "lake").path.exists()
