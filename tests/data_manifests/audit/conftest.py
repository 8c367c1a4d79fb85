"""Data sets of synthetic images, all different unless a test changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FILES = {f"{taxon}/{number}.png" for taxon in ("Copepoda", "detritus", "egg") for number in range(21)}


@pytest.fixture(scope="session")
def draw() -> Callable[..., NDArray[np.uint8]]:
    """Return a function that draws smooth clouds, different for each seed and between 60 and 100 px wide."""

    def make(seed: int, *, height: int | None = None, width: int | None = None) -> NDArray[np.uint8]:
        rng = np.random.default_rng([20, seed])
        sides = (width or int(rng.integers(60, 100)), height or int(rng.integers(60, 100)))
        clouds = cv2.resize(rng.normal(130, 40, (10, 10)), sides, interpolation=cv2.INTER_CUBIC)
        return np.clip(clouds, 25, 225).astype(np.uint8)

    return make


@pytest.fixture
def make_images(tmp_path: Path, draw: Callable[..., NDArray[np.uint8]]) -> Callable[..., Dataset]:
    """Return a function that opens class folders of 63 images.

    `make_images({path: pixels or bytes, …})` adds or replaces images. Without changes, the data set has no faults:
    three taxa with 21 different images each.
    """

    def make(changed: Mapping[str, NDArray[np.integer] | bytes] | None = None) -> Dataset:
        contents: dict[str, NDArray[np.integer] | bytes] = {name: draw(k) for k, name in enumerate(sorted(FILES))}
        for name, content in (contents | dict(changed or {})).items():
            path = tmp_path / "made" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            encoded = content if isinstance(content, bytes) else cv2.imencode(path.suffix, content)[1].tobytes()
            path.write_bytes(encoded)
        return open_folder(manifest_of_folder("made"), tmp_path / "made")

    return make
