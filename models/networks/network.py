"""Keras networks: a body that maps images to features, and the head that all networks share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import keras
from keras import layers

from ...data_manifests.errors import TrackError
from ...features.network_images.form import CHANNELS
from ..training.batches import IMAGE, SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from ..training.recipe import Recipe

    Body = Callable[[Any, Any], Any]
    """Maps an image tensor, uint8 of shape (n, side, side, 3), and a recipe to features of shape (n, n_features)."""
    Neck = Callable[[Any, Any], Any]
    """Maps features of shape (n, n_features) and a recipe to an embedding of shape (n, n_dimensions)."""
    Head = Callable[[int, Any], keras.Layer]
    """Returns the last layer, named `HEAD`, for a number of classes and a recipe; its outputs are float32."""

HEAD = "head"  # name of the last layer, whose input is the embedding
_EMBEDDING_MODELS: WeakKeyDictionary[keras.Model, keras.Model] = WeakKeyDictionary()


@dataclass(frozen=True)
class Design:
    """Components of a network.

    Attributes:
        body: maps images to features.
        hidden: units of the fully connected layers between features and head.
        neck: maps what these layers return to the embedding; None for no change.
        head: makes the last layer, which maps the embedding to logits; None for a fully connected layer.
        joined: units of the fully connected layers that process the joined values before they are concatenated with
            the features.
        embedding_shape: shape of the input if it is another network's embedding, float32, instead of an image; None
            for an image.
        bfloat16: whether the network is faster in 16 bits on hardware that supports it. Full convolutions are: on a CPU
            with AMX small networks gain a quarter, residual networks half, and VGG19 several times its speed;
            depthwise convolutions, as in EfficientNet, lose more than half of their speed.

    """

    body: Body
    hidden: tuple[int, ...] = ()
    neck: Neck | None = None
    head: Head | None = None
    joined: tuple[int, ...] = (16,)
    embedding_shape: tuple[int, ...] | None = None
    bfloat16: bool = False


def network(
    design: Design, recipe: Recipe, n_classes: int, *, sizes: NDArray[np.float32] | None, seed: int
) -> keras.Model:
    """Build a network with Keras's default initialisation.

    Args:
        design: body and fully connected layers.
        recipe: side, dropout and precision.
        n_classes: number of outputs.
        sizes: joined values of the training objects, such as log height, width and area, float32 of shape (n_objects,
            n_joined); their mean and variance normalise this input. None for no such input.
        seed: seed of dropout and noise.

    Returns:
        A model that takes `{"image": uint8 (n, side, side, 3), "size": float32 (n, n_joined)}`, the latter only if
        `sizes` is given, and returns logits, float32 of shape (n, n_classes).

    """
    with _policy(precision_of(design, recipe)):
        shape, dtype = (
            (design.embedding_shape, "float32") if design.embedding_shape else ((recipe.side, recipe.side, 3), "uint8")
        )
        image = keras.Input(shape, dtype=dtype, name=IMAGE)
        inputs, features = {IMAGE: image}, design.body(_with_noise(image, recipe, seed), recipe)
        if sizes is not None:
            inputs[SIZE] = keras.Input((sizes.shape[1],), name=SIZE)
            features = layers.Concatenate()([features, _joined_features(inputs[SIZE], sizes, design.joined)])
        for units in design.hidden:
            features = layers.Dense(units, activation="relu")(features)
        if recipe.dropout:
            features = layers.Dropout(recipe.dropout, seed=seed)(features)
        if design.neck:
            features = design.neck(features, recipe)
        head = design.head(n_classes, recipe) if design.head else layers.Dense(n_classes, dtype="float32", name=HEAD)
        return keras.Model(inputs, head(features))


def built_network(build: Callable[[int, tuple[int, int, int]], Any], recipe: Recipe, n_classes: int) -> keras.Model:
    """Build a network with a user-supplied function.

    Args:
        build: function of the number of classes and the shape of an image that returns a `keras.Model`. The model takes
            float32 images from 0 to 1 and returns probabilities if its last layer is a softmax, otherwise logits.
        recipe: side and precision.
        n_classes: number of outputs.

    Returns:
        A model with the interface of `network`: it takes `{"image": uint8 (n, side, side, 3)}` and returns logits.

    Raises:
        TrackError: the function returns something other than such a model.

    """
    shape = recipe.side, recipe.side, CHANNELS
    with _policy("float32" if recipe.precision == "auto" else recipe.precision):
        inner = build(n_classes, shape)
        call = f"build({n_classes}, {shape})"
        if not isinstance(inner, keras.Model):
            message = f"{call} returned {type(inner).__name__}; expected a keras.Model."
            raise TrackError(message)
        image = keras.Input(shape, dtype="uint8", name=IMAGE)
        outputs = inner(layers.Rescaling(1 / 255)(image))
        if tuple(outputs.shape) != (None, n_classes):
            message = f"{call} returned a model whose output is {outputs.shape}; expected (None, {n_classes})."
            raise TrackError(message)
        outputs = layers.Activation("linear", dtype="float32")(outputs)
        if _ends_in_softmax(inner):
            outputs = keras.ops.log(keras.ops.maximum(outputs, keras.config.epsilon()))  # as Keras's own cross-entropy
        return keras.Model({IMAGE: image}, outputs)


def _with_noise(image: Any, recipe: Recipe, seed: int) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Add noise in training if all channels are grey; otherwise the augmentation does, before it derives channels."""
    if not recipe.noise or recipe.channels != "grey":
        return image
    return layers.GaussianNoise(255 * recipe.noise, seed=seed)(layers.Rescaling(1.0, dtype="float32")(image))


def _ends_in_softmax(model: keras.Model) -> bool:
    last = model.layers[-1] if model.layers else None
    return isinstance(last, layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def late_design(embeddings: NDArray[np.float32], joined: tuple[int, ...]) -> Design:
    """Return a design that takes embeddings of another network, without further layers before the head.

    Args:
        embeddings: embeddings of training objects, float32 of shape (n_objects, n); their mean and variance normalise
            this input.
        joined: units of the fully connected layers that process the joined values.

    """

    def body(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type; a body's signature
        return normalised(layers.Flatten()(image), embeddings)

    return Design(body, joined=joined, embedding_shape=(1, 1, embeddings.shape[1]))


def embedding_model(model: keras.Model) -> keras.Model:
    """Return the network without its last layer, sharing its weights; its outputs are the embeddings.

    The same network gets the same model, whose prediction is compiled only once.
    """
    if model not in _EMBEDDING_MODELS:
        _EMBEDDING_MODELS[model] = keras.Model(model.input, model.get_layer(HEAD).input)
    return _EMBEDDING_MODELS[model]


def normalised(values: Any, train: NDArray[np.float32]) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Normalise values by mean and variance of the training objects, float32 of shape (n_objects, n)."""
    mean, variance = train.mean(axis=0), train.var(axis=0) + keras.config.epsilon()
    return layers.Normalization(mean=mean, variance=variance)(values)


def _joined_features(joined: Any, train: NDArray[np.float32], units: tuple[int, ...]) -> Any:  # noqa: ANN401 - as above
    features = normalised(joined, train)
    for width in units:
        features = layers.Dense(width, activation="relu")(features)
    return features


def precision_of(design: Design, recipe: Recipe) -> str:
    """Return the precision of the computation: that of the recipe; `auto` depends on network and hardware."""
    if recipe.precision != "auto":
        return recipe.precision
    return "mixed_bfloat16" if design.bfloat16 and _computes_bfloat16() else "float32"


def device() -> str:
    """Return the device of Keras, `cpu` or `gpu`, as read from a tensor, since not every backend lists its devices."""
    return "cpu" if "cpu" in str(keras.ops.zeros(1).device).lower() else "gpu"


def _computes_bfloat16() -> bool:
    """Return whether the hardware has units for bfloat16: a GPU, or an x86 CPU with AMX under TensorFlow."""
    if device() != "cpu":
        return True
    facts = Path("/proc/cpuinfo")
    return keras.config.backend() == "tensorflow" and facts.is_file() and "amx_bf16" in facts.read_text("utf-8")


@contextmanager
def _policy(name: str) -> Iterator[None]:
    """Build layers in a given precision; the previous policy is restored afterwards."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
