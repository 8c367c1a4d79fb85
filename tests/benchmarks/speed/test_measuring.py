"""Speed of measuring: every way measures, in turn and in several processes; nothing is said about seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation.shapes import shapes
from planktonbench.benchmarks.speed import measuring as measure_cases
from planktonbench.benchmarks.speed.measuring import PLAIN, Rate, measure_by, measure_whole, rates, shared_groups
from planktonbench.benchmarks.speed.memory import anonymous_mb, memory_watched
from planktonbench.data_manifests.images.store import open_images

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Five images, one of which is none."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for shape, _ in zip(shapes(), range(4), strict=False):
        cv2.imwrite(str(folder / f"{shape.name}.png"), shape.image)
    (folder / "spoiled.png").write_bytes(b"no image")
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_ways_take_turns_at_the_same_images(crops: Path, jobs: int) -> None:
    """Each way has measured the four images that can be read."""
    store = open_images(crops)
    found = rates(("plain", "scikit-image"), store, list(store.members), jobs)

    assert {way: rate.images for way, rate in found.items()} == {"plain": 4, "scikit-image": 4}
    assert all(rate.per_second > 0 for rate in found.values())


def test_an_image_without_object_stops_no_program() -> None:
    """A flat image gives nothing to measure."""
    flat = np.full((20, 20), 200, np.uint8)

    for way in ("scikit-image", "programs", "shared", "plain", "everything"):
        measure_by(way, [flat])


def test_ours_measures_no_less_than_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside scikit-image, ours measures every group that has one of its features."""
    asked = []
    monkeypatch.setattr(measure_cases, "measure_chunk", lambda *_, groups: asked.append(groups))
    measure_by("shared", [])
    measure_by("plain", [])

    assert asked == [shared_groups(), PLAIN]
    assert shared_groups() > {"geometry", "grey", "cooccurrence"}


def test_a_slower_program_is_beside_ours() -> None:
    """The ratio is of images a second, and judged by its limit; a program that is not there is skipped."""
    line = measure_cases._beside("it", Rate(100, 50.0), Rate(10, 5.0), "theirs", limit=15)
    skipped = measure_cases._beside("it", Rate(100, 50.0), None, "theirs", limit=15)

    assert line.cells()[2:] == ["5 images/s, 10 images (theirs)", "10.0 x", "15 x", "OVER THE LIMIT"]
    assert skipped.cells()[2:] == ["skipped, not all installed: theirs", "", "", ""]


def test_the_whole_is_measured_into_an_empty_cache(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is written there, and the memory of the processes is told."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    most = measure_whole(str(crops), str(tmp_path / "cache"), "1")

    assert list((tmp_path / "cache").rglob("*.parquet"))
    assert most > 10


def test_memory_that_was_held_for_a_moment_is_seen() -> None:
    """100 MB more, and gone again."""
    before = anonymous_mb()
    with memory_watched() as seen:
        held = np.ones(100 * 2**20, np.uint8)
        looks = len(seen)
        while len(seen) < looks + 2:
            time.sleep(0.05)
        del held

    assert max(seen) > before + 90
