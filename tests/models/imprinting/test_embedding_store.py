"""Cached embeddings: computed once, resumed after an interruption, specific to images and network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.network_images.form import ImageForm, Source
from planktonbench.features.network_images.store import StoredNetworkImages, stored_network_images
from planktonbench.models.imprinting import embedding_store
from planktonbench.models.imprinting.embedding_store import stored_embeddings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COUNT = 23


class MeanGrey:
    """Stands for an embedder: mean grey level, and its square; it fails after some images."""

    dimensions = 2

    def __init__(self, key: str = "a", fails_after: int = COUNT) -> None:
        self.key = key
        self.fails_after = fails_after
        self.embedded = 0

    def embed(self, images: StoredNetworkImages, object_ids: NDArray[np.object_]) -> NDArray[np.float32]:
        """Return the embeddings of objects."""
        if self.embedded + len(object_ids) > self.fails_after:
            raise KeyboardInterrupt
        self.embedded += len(object_ids)
        grey = images.batch(images.rows(object_ids)).mean(axis=(1, 2, 3))
        return np.stack([grey, grey**2], axis=1).astype(np.float32)


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredNetworkImages:
    """Images of different grey levels, embedded in small blocks, and an empty cache."""
    monkeypatch.setattr(embedding_store, "ROWS_AT_ONCE", 5)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "images").mkdir()
    for number in range(COUNT):
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), np.full((32, 32), 10 * number, np.uint8))
    return stored_network_images(open_images(tmp_path / "images"), ImageForm(32), Source("dark"))


def embed(embedder: Any, images: StoredNetworkImages) -> tuple[NDArray[np.float32], list[int]]:  # noqa: ANN401 - a stand-in
    """Return the embeddings, and the numbers of images reported."""
    counts: list[int] = []
    return stored_embeddings(embedder, images, advance=counts.append), counts


def test_embeddings_are_in_the_order_of_the_objects(images: StoredNetworkImages) -> None:
    """Every image is embedded once, and the next call computes nothing."""
    embedder = MeanGrey()
    first, counts = embed(embedder, images)
    again, reused = embed(embedder, images)

    np.testing.assert_array_equal(first, MeanGrey().embed(images, images.object_ids))
    np.testing.assert_array_equal(again, first)
    assert sum(counts) == sum(reused) == embedder.embedded == COUNT
    assert not first.flags.writeable


def test_an_interrupted_call_is_resumed(images: StoredNetworkImages) -> None:
    """Finished blocks are kept, an incomplete row is dropped, and the result is the same."""
    with pytest.raises(KeyboardInterrupt):
        embed(MeanGrey(fails_after=12), images)
    (unfinished,) = (path for path in _cache(images).iterdir() if path.suffix == ".part")
    with unfinished.open("ab") as file:
        file.write(b"abc")
    embedder = MeanGrey()
    found, counts = embed(embedder, images)

    assert embedder.embedded == COUNT - 10
    assert counts[0] == 10
    np.testing.assert_array_equal(found, MeanGrey().embed(images, images.object_ids))


def test_other_networks_have_other_embeddings(images: StoredNetworkImages) -> None:
    """The cache is specific to the network."""
    embed(MeanGrey("a"), images)
    other = MeanGrey("b")
    embed(other, images)

    assert other.embedded == COUNT


def _cache(images: StoredNetworkImages) -> Path:
    """Return the folder of cached embeddings, beside that of network images."""
    return images.folder.parents[1] / "embeddings"
