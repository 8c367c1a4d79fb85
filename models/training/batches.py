"""Batches of network images, read from the store on demand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data_manifests.errors import TrackError
from .augmentation import Augmentation, turned
from .imbalance import epoch_rows, may_be_augmented, row_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...features.network_images.store import NetworkImages, Transform
    from ..protocol.objects import Objects
    from .recipe import Recipe

IMAGE, SIZE = "image", "size"  # names of the inputs of a network
PREDICTED_AT_ONCE = 256


@dataclass(frozen=True)
class Examples:
    """Objects as inputs of a network.

    Attributes:
        network_images: store of the network images.
        rows: position of each object in the store, int64 of shape (n_objects,).
        sizes: values joined before the head, float32 of shape (n_objects, n_joined); None for none.

    """

    network_images: NetworkImages
    rows: NDArray[np.int64]
    sizes: NDArray[np.float32] | None

    @classmethod
    def of(cls, objects: Objects, *, with_size: bool, table: NDArray[np.float32] | None = None) -> Examples:
        """Return the inputs for the objects of a track; sizes are logarithms of pixels.

        Args:
            objects: objects of the track.
            with_size: whether to join height, width and area.
            table: further values to join, float32 of shape (n_objects, n_features); None for none.

        Raises:
            TrackError: there are no network images.

        """
        if objects.network_images is None:
            message = "No network images were prepared for the track; to request them, define its image_form."
            raise TrackError(message)
        network_images = objects.network_images
        rows = network_images.rows(objects.object_ids)
        joined = [np.log1p(network_images.sizes[rows]).astype(np.float32)] if with_size else []
        joined += [] if table is None else [table]
        return cls(network_images, rows, np.hstack(joined) if joined else None)

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.rows)

    def inputs(self, images: NDArray[np.uint8], chosen: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the inputs of a network for chosen objects and their images."""
        if self.sizes is None:
            return {IMAGE: images}
        return {IMAGE: images, SIZE: self.sizes[chosen]}

    def images(self, chosen: NDArray[np.int64], transform: Transform | None = None) -> NDArray[np.uint8]:
        """Read the images of chosen objects, uint8 of shape (n, side, side, 3).

        Args:
            chosen: positions of the objects.
            transform: applied to the first channels, from which the others are computed.

        """
        return self.network_images.batch(self.rows[chosen], transform)


@dataclass(frozen=True)
class EmbeddedExamples(Examples):
    """Objects whose images are replaced by embeddings of another network.

    Attributes:
        embeddings: embedding of each object, float32 of shape (n_objects, 1, 1, n_dimensions).

    """

    embeddings: NDArray[np.float32]

    def images(self, chosen: NDArray[np.int64], transform: Transform | None = None) -> NDArray[Any]:
        """Return the embeddings of chosen objects.

        Raises:
            TrackError: a transform is requested, but only images can be augmented.

        """
        if transform is not None:
            message = "Embeddings cannot be augmented; expected plain images or no augmentation. Turn augmentation off."
            raise TrackError(message)
        return self.embeddings[chosen]


class TrainingBatches:
    """Batches of each epoch, drawn by the imbalance strategy, shuffled and augmented.

    The content of a batch depends only on the seed, the epoch and the batch's index in it. Batches can thus be made by
    any thread, and resumed training continues as if it had never been interrupted.

    Args:
        examples: training objects.
        y: class codes, int64 of shape (n_objects,).
        recipe: strategy, augmentation and batch size.
        seed: seed of all draws.

    Attributes:
        targets: what the loss receives for each object, int64 of shape (n_objects,): the class codes, unless an
            objective replaces them.

    """

    def __init__(self, examples: Examples, y: NDArray[np.int64], recipe: Recipe, seed: int) -> None:
        self.examples = examples
        self.y = y
        self.targets = y
        self.recipe = recipe
        self.seed = seed
        self.weights = row_weights(y, recipe)
        self.augmentation = Augmentation.of(recipe) if recipe.augments else None
        self.augmented = may_be_augmented(y, recipe)
        self.draw(0)

    def draw(self, epoch: int) -> None:
        """Draw the rows of an epoch, counted from 0."""
        self.epoch = epoch
        self.order = epoch_rows(self.y, self.recipe, np.random.default_rng([self.seed, epoch]))

    def __len__(self) -> int:
        """Return the number of batches of an epoch; their sizes differ by at most one, so that none is very small."""
        return math.ceil(len(self.order) / batch_size(self.recipe, len(self.y)))

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return inputs, labels and, if rows are weighted, weights of a batch."""
        first, last = (step * len(self.order) // len(self) for step in (index, index + 1))
        chosen = self.order[first:last]
        inputs = self.examples.inputs(self._images(chosen, index), chosen)
        if self.weights is None:
            return inputs, self.targets[chosen]
        return inputs, self.targets[chosen], self.weights[chosen]

    def _images(self, chosen: NDArray[np.int64], index: int) -> NDArray[np.uint8]:
        which = self.augmented[chosen]
        if self.augmentation is None or not which.any():
            return self.examples.images(chosen)
        augment, rng = self.augmentation.apply, np.random.default_rng([self.seed, self.epoch, index])

        def transform(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
            """Augment the first channels of the rows that may be augmented."""
            return np.where(which[:, None, None], augment(grey, rng), grey)

        return self.examples.images(chosen, transform)


class PredictionBatches:
    """Batches of objects to predict, in their order, each as one of its eight views."""

    def __init__(self, examples: Examples, view: int = 0) -> None:
        self.examples = examples
        self.view = view

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self.examples) / PREDICTED_AT_ONCE)

    def __getitem__(self, index: int) -> tuple[dict[str, NDArray[Any]]]:
        """Return the inputs of a batch."""
        first = index * PREDICTED_AT_ONCE
        chosen = np.arange(first, min(first + PREDICTED_AT_ONCE, len(self.examples)))
        return (self.examples.inputs(np.ascontiguousarray(turned(self.examples.images(chosen), self.view)), chosen),)


def batch_size(recipe: Recipe, n_rows: int) -> int:
    """Return the number of objects per step: that of the recipe, else 512, or 64 if 512 would leave too few steps."""
    few = 20_000
    return recipe.batch or (64 if n_rows < few else 512)
