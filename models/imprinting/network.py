"""Networks of weight imprinting: a backbone, an embedding of unit length, and a cosine classifier (table 1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers

from ..networks.architectures import backbone
from ..networks.cosine_classifier import CosineClassifier, unit
from ..networks.network import HEAD, embedding_model
from ..training.batches import PredictionBatches
from ..training.loop import predicted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..networks.network import Design
    from ..training.batches import Examples
    from .recipe import ImprintRecipe


def imprint_design(recipe: ImprintRecipe, *, unit_features: bool = True, unit_weights: bool = True) -> Design:
    """Return the design of source 000, table 1: backbone, linear embedding, normalisation, cosine classifier, scale.

    Args:
        recipe: backbone, dimensions and initial scale.
        unit_features: normalise embeddings; the paper's baseline bl-wf does not.
        unit_weights: normalise the weights of the classes; the baselines bl-w and bl-wf do not.

    """

    def neck(features: Any, _: object) -> Any:  # noqa: ANN401 - Keras tensors have no type
        embedded = layers.Dense(recipe.embedding, dtype="float32", name="embedding")(features)
        return layers.UnitNormalization(dtype="float32")(embedded) if unit_features else embedded

    def head(n_classes: int, _: object) -> keras.Layer:
        return CosineClassifier(n_classes, scale=recipe.scale, unit_weights=unit_weights, dtype="float32", name=HEAD)

    return replace(backbone(recipe), neck=neck, head=head)


def nearest_mean_design(recipe: ImprintRecipe) -> Design:
    """Return the design without embedding layer: features of the backbone, normalised, and a cosine classifier."""

    def neck(features: Any, _: object) -> Any:  # noqa: ANN401 - Keras tensors have no type
        return layers.UnitNormalization(dtype="float32")(features)

    return replace(imprint_design(recipe), neck=neck)


def with_classes(model: keras.Model, kernel: NDArray[np.floating], scale: float) -> keras.Model:
    """Return a network with other classes, which shares all layers but the last with the given one.

    Args:
        model: network that ends in a cosine classifier.
        kernel: weight of each class, of shape (n_dimensions, n_classes).
        scale: the scale s.

    """
    own = model.get_layer(HEAD)
    head = CosineClassifier(kernel.shape[1], scale=scale, unit_weights=own.unit_weights, dtype="float32", name=HEAD)
    extended = keras.Model(model.input, head(own.input))
    head.set_weights([kernel.astype(np.float32), np.float32(scale)])
    return extended


def embedded(model: keras.Model, examples: Examples) -> NDArray[np.float32]:
    """Return the embeddings of objects, float32 of shape (n_objects, n_dimensions)."""
    return predicted(embedding_model(model), PredictionBatches(examples))


def mean_weights(embeddings: NDArray[np.float32], y: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """Return the imprinted weight of each class: the mean of its normalised embeddings, normalised again.

    Source 000, section 4.2; normalised before and after averaging as by Qi et al. 2018 (arXiv 1712.07136, section 3.2).

    Args:
        embeddings: float32 of shape (n_objects, n_dimensions).
        y: class codes from 0 to n_classes - 1, each of which occurs.
        n_classes: number of classes.

    Returns:
        float64 of shape (n_dimensions, n_classes).

    """
    sums = np.zeros((n_classes, embeddings.shape[1]))
    np.add.at(sums, y, unit(embeddings.astype(np.float64)))
    return unit(sums).T


def random_weights(n_dimensions: int, n_classes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return random directions, float64 of shape (n_dimensions, n_classes): normal vectors, normalised."""
    return unit(rng.standard_normal((n_classes, n_dimensions))).T
