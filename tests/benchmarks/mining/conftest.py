"""A mining session on drawn squares and discs, whose vectors are made without a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.benchmarks.mining.examples import Example
from planktonbench.benchmarks.mining.preparation import OpenedMining
from planktonbench.benchmarks.mining.session import MiningSession
from planktonbench.data_manifests.images.store import open_images
from planktonbench.models.imprinting.embedding_space import EmbeddingSpace
from planktonbench.models.imprinting.mining import UnlabelledImages

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES = 100
TAXA = ("disc <i>", "square")


def is_disc(number: int) -> bool:
    """Return whether an image shows a disc; every fourth does."""
    return number % 4 == 0


def picture(number: int) -> NDArray[np.uint8]:
    """Draw a disc or a square, dark on light, of a size that varies."""
    image, size = np.full((50, 60 + number % 9), 235, np.uint8), 8 + number % 7
    if is_disc(number):
        return np.asarray(cv2.circle(image, (30, 25), size, 90, -1), np.uint8)
    return np.asarray(cv2.rectangle(image, (30 - size, 25 - size), (30 + size, 25 + size), 110, -1), np.uint8)


def vectors() -> NDArray[np.float32]:
    """Return embeddings in which discs and squares are hard to tell apart by a single example."""
    rng = np.random.default_rng(0)
    made = rng.normal(size=(IMAGES, 12))
    made[:, 0] += [0.8 if is_disc(number) else -0.8 for number in range(IMAGES)]
    return made.astype(np.float32)


@pytest.fixture
def opened(tmp_path: Path) -> OpenedMining:
    """A session on 100 images, 25 of them discs, with one example of each class, one of which is among the images."""
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    for number in range(IMAGES):
        cv2.imwrite(str(folder / f"{number:02d}.png"), picture(number))
    store, space = open_images(folder), EmbeddingSpace.plain(12)
    made = space.of(vectors())
    examples = dict(zip(TAXA, (made[[0]], made[[1]]), strict=True))
    names = np.array(list(store.members.values()), object)
    session = MiningSession(UnlabelledImages(space, made), names, examples, duplicates=names == "00.png")
    files = [Example(folder / "00.png", TAXA[0]), Example(folder / "01.png", TAXA[1])]
    return OpenedMining(session, files, store, np.array(list(store.members), object))
