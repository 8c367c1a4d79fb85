"""The networks: bodies that turn images into features, and the head that all of them share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from .batches import IMAGE, SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from .recipe import Recipe

    Body = Callable[[Any, Recipe], Any]
    """From an image tensor, uint8 of shape (n, side, side, 3), to features of shape (n, n_features)."""

HEAD = "head"  # name of the last layer, whose input is the embedding
SIZE_UNITS = 16


@dataclass(frozen=True)
class Design:
    """What a network consists of.

    Attributes:
        body: from images to features.
        hidden: units of the fully connected layers between features and head.

    """

    body: Body
    hidden: tuple[int, ...] = ()


def network(
    design: Design, recipe: Recipe, n_classes: int, *, sizes: NDArray[np.float32] | None, seed: int
) -> keras.Model:
    """Build a network with weights as Keras initialises them.

    Args:
        design: body and fully connected layers.
        recipe: side, dropout and precision.
        n_classes: outputs.
        sizes: log height, width and area of training objects, float32 of shape (n_objects, 3), by whose mean and
            variance this input is normalised; None for no such input.
        seed: of dropout.

    Returns:
        A model that takes `{"image": uint8 (n, side, side, 3), "size": float32 (n, 3)}`, the latter if asked for, and
        returns logits, float32 of shape (n, n_classes).

    """
    with _precision(recipe.precision):
        image = keras.Input((recipe.side, recipe.side, 3), dtype="uint8", name=IMAGE)
        inputs, features = {IMAGE: image}, design.body(image, recipe)
        if sizes is not None:
            inputs[SIZE] = keras.Input((sizes.shape[1],), name=SIZE)
            features = layers.Concatenate()([features, _size_features(inputs[SIZE], sizes)])
        for units in design.hidden:
            features = layers.Dense(units, activation="relu")(features)
        if recipe.dropout:
            features = layers.Dropout(recipe.dropout, seed=seed)(features)
        logits = layers.Dense(n_classes, dtype="float32", name=HEAD)(features)
        return keras.Model(inputs, logits)


def embedder(model: keras.Model) -> keras.Model:
    """Return the network up to what its last layer takes, sharing its weights."""
    return keras.Model(model.input, model.get_layer(HEAD).input)


def _size_features(size: Any, sizes: NDArray[np.float32]) -> Any:  # noqa: ANN401 - Keras tensors have no type
    normalised = layers.Normalization(mean=sizes.mean(axis=0), variance=sizes.var(axis=0) + keras.config.epsilon())
    return layers.Dense(SIZE_UNITS, activation="relu")(normalised(size))


@contextmanager
def _precision(name: str) -> Iterator[None]:
    """Build layers in a precision; what was set before is set again after."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def lenet(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type; a body's signature
    """Three convolutions of 6, 16 and 16 filters (2 × 2), each with max pooling, as source 001."""
    features = layers.Rescaling(1 / 255)(image)
    for filters in (6, 16, 16):
        features = layers.Conv2D(filters, 2, activation="relu")(features)
        features = layers.MaxPooling2D()(features)
    return layers.Flatten()(features)


LENET = Design(lenet, hidden=(250, 100))
