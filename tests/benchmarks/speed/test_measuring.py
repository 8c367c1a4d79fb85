"""Tests that the benchmarks of measured features do the work that they time; times are not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation.shapes import shapes
from planktonbench.benchmarks.speed import measuring as measuring_module
from planktonbench.benchmarks.speed.measuring import PLAIN, Rate, measure_all, measure_by, rates, shared_groups
from planktonbench.data_manifests.images.store import open_images

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Four images and one corrupt file."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for shape, _ in zip(shapes(), range(4), strict=False):
        cv2.imwrite(str(folder / f"{shape.name}.png"), shape.image)
    (folder / "spoiled.png").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_programs_measure_the_same_images(crops: Path, jobs: int) -> None:
    """Each program measures the four readable images."""
    store = open_images(crops)
    found = rates(("plain", "scikit-image"), store, list(store.members), jobs)

    assert {way: rate.images for way, rate in found.items()} == {"plain": 4, "scikit-image": 4}
    assert all(rate.per_second > 0 for rate in found.values())


def test_images_without_objects_are_accepted() -> None:
    """No program fails on a uniform image."""
    flat = np.full((20, 20), 200, np.uint8)

    for way in ("scikit-image", "programs", "shared", "plain", "everything"):
        measure_by(way, [flat])


def test_groups_cover_the_features_of_scikit_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the comparison with scikit-image, every group with one of its features is measured."""
    measured = []
    monkeypatch.setattr(measuring_module, "measure_chunk", lambda *_, groups: measured.append(groups))
    measure_by("shared", [])
    measure_by("plain", [])

    assert measured == [shared_groups(), PLAIN]
    assert shared_groups() > {"geometry", "grey", "cooccurrence"}


def test_another_program_is_compared() -> None:
    """The ratio of images per second is checked against the limit; a program that is not installed is skipped."""
    line = measuring_module._compared("it", Rate(100, 50.0), Rate(10, 5.0), "theirs", limit=15)
    skipped = measuring_module._compared("it", Rate(100, 50.0), None, "theirs", limit=15)

    assert line.cells()[2:] == ["5 images/s, 10 images (theirs)", "10.0 x", "15 x", "OVER THE LIMIT"]
    assert skipped.cells()[2:] == ["skipped, not all installed: theirs", "", "", ""]


def test_features_are_measured_in_an_empty_cache(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is written to the cache, and peak memory is returned."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    peak_mb = measure_all(str(crops), str(tmp_path / "cache"), "1")

    assert list((tmp_path / "cache").rglob("*.parquet"))
    assert peak_mb > 10
