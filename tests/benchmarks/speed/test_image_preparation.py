"""Tests that the benchmarks of image preparation do the work that they time; times are not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pytest
from planktonbench.benchmarks.feature_validation.shapes import shapes
from planktonbench.benchmarks.speed import image_preparation as preparation_module
from planktonbench.benchmarks.speed.bare_decoding import decode_all
from planktonbench.benchmarks.speed.image_preparation import build_store, channels_by_opencv, preparing
from planktonbench.features.network_images.store import reopen_network_images

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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bare_decoding_decodes_every_image(crops: Path, jobs: str) -> None:
    """The corrupt file is read but not counted."""
    assert decode_all(str(crops), jobs) == 4


def test_the_store_is_built_in_an_empty_cache(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be opened at the returned address, and peak memory is returned."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    address, peak_mb = build_store(str(crops), str(tmp_path / "cache"), "1")

    assert address.startswith(str(tmp_path / "cache"))
    assert len(reopen_network_images(address)) == 4
    assert peak_mb > 10


def test_opencv_computes_the_same_channels(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels are identical to those of OpenCV."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    network_images = reopen_network_images(build_store(str(crops), str(tmp_path / "cache"), "1")[0])
    rows = network_images.rows(network_images.object_ids)

    assert (channels_by_opencv(network_images.grey[rows]) == network_images.batch(rows)).all()


def test_both_lines_are_measured(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line has a limit, a ratio and a reference; only decodable images are counted."""
    monkeypatch.setattr(preparation_module, "PAIRS", 1)
    monkeypatch.setattr(preparation_module, "available_cores", lambda: 1)
    store, batch = preparing(tmp_path, crops)

    assert store.task.startswith("preparing 4 images of ")
    assert "cv2.imdecode alone, 1 pairs in turn" in store.reference
    assert "OpenCV in a loop" in batch.reference
    assert None not in (store.within, batch.within)
