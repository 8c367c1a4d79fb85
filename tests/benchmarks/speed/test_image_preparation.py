"""Speed of preparing images: both ways do the work they are timed for; nothing is said about seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pytest
from planktonbench.benchmarks.feature_validation.shapes import shapes
from planktonbench.benchmarks.speed import image_preparation as stack_cases
from planktonbench.benchmarks.speed.bare_decoding import decode_whole
from planktonbench.benchmarks.speed.image_preparation import build_whole, looped, preparing
from planktonbench.features.network_images.store import reopen_network_images

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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_bare_decoding_decodes_every_image(crops: Path, jobs: str) -> None:
    """The one that is none is read, too, and not counted."""
    assert decode_whole(str(crops), jobs) == 4


def test_the_store_is_built_into_an_empty_cache(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be opened where the address says, and the memory of the processes is told."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    address, most_mb = build_whole(str(crops), str(tmp_path / "cache"), "1")

    assert address.startswith(str(tmp_path / "cache"))
    assert len(reopen_network_images(address)) == 4
    assert most_mb > 10


def test_what_is_compared_makes_the_same_channels(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours and OpenCV's are equal to the last bit."""
    monkeypatch.setenv("XDG_CACHE_HOME", "nowhere")
    network_images = reopen_network_images(build_whole(str(crops), str(tmp_path / "cache"), "1")[0])
    rows = network_images.rows(network_images.object_ids)

    assert (looped(network_images.grey[rows]) == network_images.batch(rows)).all()


def test_both_lines_are_measured(crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its limit, its ratio, and what it is compared with; images that can be decoded are counted."""
    monkeypatch.setattr(stack_cases, "PAIRS", 1)
    monkeypatch.setattr(stack_cases, "available_cores", lambda: 1)
    store, batch = preparing(tmp_path, crops)

    assert store.what.startswith("preparing 4 images of ")
    assert "cv2.imdecode alone, 1 pairs in turn" in store.beside
    assert "OpenCV in a loop" in batch.beside
    assert None not in (store.within, batch.within)
