"""Batches of a small store: their objects and augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench.data_manifests.errors import TrackError
from planktonbench.features.network_images.form import ImageForm, add_channels
from planktonbench.models.training.batches import (
    IMAGE,
    SIZE,
    EmbeddedExamples,
    Examples,
    PredictionBatches,
    TrainingBatches,
)
from planktonbench.models.training.recipe import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from planktonbench import Objects

PLAIN: dict[str, Any] = {"side": 32, "batch": 16, "imbalance": "none", "rotate90": False, "flip": False}
CHANGED: dict[str, Any] = PLAIN | {"rotation": 20.0, "zoom": 0.1, "shift": 0.05, "noise": 0.05}


def batches(objects: Objects, **options: Any) -> TrainingBatches:  # noqa: ANN401 - of several types
    """Return the training batches of objects, with sizes joined."""
    assert objects.codes is not None
    return TrainingBatches(Examples.of(objects, with_size=True), objects.codes, Recipe(**options), seed=3)


def shown(of: TrainingBatches) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]:
    """Return images, joined sizes and labels of all batches of an epoch."""
    whole = [of[index] for index in range(len(of))]
    return (
        np.concatenate([batch[0][IMAGE] for batch in whole]),
        np.concatenate([batch[0][SIZE] for batch in whole]),
        np.concatenate([batch[1] for batch in whole]),
    )


def test_an_epoch_shows_each_object_with_its_size_and_label(image_subsets: dict[str, Objects]) -> None:
    """Images, sizes and labels follow the drawn order and equal those of the store."""
    train = image_subsets["train"]
    found = batches(train, **PLAIN)

    images, sizes, labels = shown(found)

    expected = Examples.of(train, with_size=True)
    assert sorted(found.order) == list(range(len(train)))
    assert (images == expected.images(found.order)).all()
    assert expected.sizes is not None
    assert (sizes == expected.sizes[found.order]).all()
    assert (labels == train.y[found.order]).all()


def test_batches_differ_by_one_object_at_most(image_subsets: dict[str, Objects]) -> None:
    """No small batch is left over."""
    found = batches(image_subsets["train"], **PLAIN)
    lengths = [len(found[index][1]) for index in range(len(found))]

    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) <= 16


def test_threshold_and_opening_are_computed_from_the_augmented_grey_channel(image_subsets: dict[str, Objects]) -> None:
    """The second channel has two levels at every angle, and the third removes the added noise."""
    found = batches(image_subsets["train"], **CHANGED)

    images, _, _ = shown(found)

    plain = found.examples.images(found.order)
    assert (images[..., 0] != plain[..., 0]).any(axis=(1, 2)).all()
    assert (images == add_channels(images[..., 0], ImageForm(32))).all()


def test_augmentation_depends_on_seed_and_epoch(image_subsets: dict[str, Objects]) -> None:
    """The same epoch has the same pixels, regardless of earlier batches; another epoch has different ones."""
    first, again = (batches(image_subsets["train"], **CHANGED) for _ in range(2))
    last = again[len(again) - 1][0][IMAGE]
    again.draw(1)
    other = again[len(again) - 1][0][IMAGE]

    assert (first[len(first) - 1][0][IMAGE] == last).all()
    assert other.shape != last.shape or (other != last).any()


def test_only_small_classes_are_augmented(image_subsets: dict[str, Objects]) -> None:
    """With `augment-small`, objects of classes of at least the mean size are not augmented."""
    train = image_subsets["train"]
    found = batches(train, **CHANGED | {"imbalance": "augment-small"})

    images, _, labels = shown(found)

    plain = found.examples.images(found.order)
    changed = (images != plain).any(axis=(1, 2, 3))
    counts = np.bincount(train.y)
    small = counts[labels] < counts[counts > 0].mean()
    assert 0 < small.sum() < len(small)
    assert (changed == small).all()


def test_embeddings_cannot_be_augmented(image_subsets: dict[str, Objects]) -> None:
    """Embeddings replace the images, and augmenting them is refused."""
    train = image_subsets["train"]
    embeddings = np.random.default_rng(0).random((len(train), 1, 1, 5), np.float32)
    examples = Examples.of(train, with_size=False)
    embedded = EmbeddedExamples(examples.network_images, examples.rows, None, embeddings)

    assert (embedded.images(np.array([2, 0])) == embeddings[[2, 0]]).all()
    with pytest.raises(TrackError, match="Turn augmentation off"):
        embedded.images(np.array([0]), lambda grey: grey)


def test_views_turn_all_three_channels(image_subsets: dict[str, Objects]) -> None:
    """Turning the grey channel before the others are computed gives the same network image as turning it afterwards."""
    examples = Examples.of(image_subsets["train"], with_size=False)

    ((turned,),) = [PredictionBatches(examples, view=1)[0]]

    chosen = np.arange(len(turned[IMAGE]))
    before = examples.images(chosen, lambda grey: np.rot90(grey, axes=(1, 2)))
    assert (turned[IMAGE] == before).all()
