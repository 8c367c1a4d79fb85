"""A network: a body that turns images into features, and the head that all networks share."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """From an image tensor, uint8 of shape (n, side, side, 3), and a recipe to features of shape (n, n_features)."""

HEAD = "head"  # name of the last layer, whose input is the embedding


@dataclass(frozen=True)
class Design:
    """What a network consists of.

    Attributes:
        body: from images to features.
        hidden: units of the fully connected layers between features and head.
        joined: units of the fully connected layers that what is joined passes before it meets the features.
        seen: shape of what stands in the place of an image, float32, such as another network's embedding; None for an
            image.
        bfloat16: whether it gains by 16 bits where the hardware has them: full convolutions do, small ones by a
            quarter, residual networks by half and VGG19 several times on a processor with AMX; depthwise ones, as of
            EfficientNet, lose more than half of their speed.

    """

    body: Body
    hidden: tuple[int, ...] = ()
    joined: tuple[int, ...] = (16,)
    seen: tuple[int, ...] | None = None
    bfloat16: bool = False


def network(
    design: Design, recipe: Recipe, n_classes: int, *, sizes: NDArray[np.float32] | None, seed: int
) -> keras.Model:
    """Build a network with weights as Keras initialises them.

    Args:
        design: body and fully connected layers.
        recipe: side, dropout and precision.
        n_classes: outputs.
        sizes: what is joined of training objects, such as log height, width and area, float32 of shape (n_objects,
            n_joined), by whose mean and variance this input is normalised; None for no such input.
        seed: of dropout.

    Returns:
        A model that takes `{"image": uint8 (n, side, side, 3), "size": float32 (n, n_joined)}`, the latter if asked
        for, and returns logits, float32 of shape (n, n_classes).

    """
    with _policy(precision_of(design, recipe)):
        shape, dtype = (design.seen, "float32") if design.seen else ((recipe.side, recipe.side, 3), "uint8")
        image = keras.Input(shape, dtype=dtype, name=IMAGE)
        inputs, features = {IMAGE: image}, design.body(image, recipe)
        if sizes is not None:
            inputs[SIZE] = keras.Input((sizes.shape[1],), name=SIZE)
            features = layers.Concatenate()([features, _joined_features(inputs[SIZE], sizes, design.joined)])
        for units in design.hidden:
            features = layers.Dense(units, activation="relu")(features)
        if recipe.dropout:
            features = layers.Dropout(recipe.dropout, seed=seed)(features)
        logits = layers.Dense(n_classes, dtype="float32", name=HEAD)(features)
        return keras.Model(inputs, logits)


def built_network(build: Callable[[int, tuple[int, int, int]], Any], recipe: Recipe, n_classes: int) -> keras.Model:
    """Build a network by anybody's function.

    Args:
        build: from the number of classes and the shape of an image to a `keras.Model` that takes float32 from 0 to 1,
            and returns probabilities, when its last layer is a softmax, else logits.
        recipe: side and precision.
        n_classes: outputs.

    Returns:
        A model as that of `network`: it takes `{"image": uint8 (n, side, side, 3)}` and returns logits.

    Raises:
        TrackError: what the function returns is no such model.

    """
    shape = recipe.side, recipe.side, CHANNELS
    with _policy("float32" if recipe.precision == "auto" else recipe.precision):
        inner = build(n_classes, shape)
        called = f"build({n_classes}, {shape})"
        if not isinstance(inner, keras.Model):
            message = f"{called} returned {type(inner).__name__}; expected a keras.Model."
            raise TrackError(message)
        image = keras.Input(shape, dtype="uint8", name=IMAGE)
        said = inner(layers.Rescaling(1 / 255)(image))
        if tuple(said.shape) != (None, n_classes):
            message = f"{called} returned a model whose output is {said.shape}; expected (None, {n_classes})."
            raise TrackError(message)
        said = layers.Activation("linear", dtype="float32")(said)
        if _ends_in_softmax(inner):
            said = keras.ops.log(keras.ops.maximum(said, keras.config.epsilon()))  # as Keras's own cross-entropy has it
        return keras.Model({IMAGE: image}, said)


def _ends_in_softmax(model: keras.Model) -> bool:
    last = model.layers[-1] if model.layers else None
    return isinstance(last, layers.Softmax) or getattr(last, "activation", None) is keras.activations.softmax


def late_design(seen: NDArray[np.float32], joined: tuple[int, ...]) -> Design:
    """Return a design that takes what another network made of images, without further layers before the head.

    Args:
        seen: of training objects, by whose mean and variance it is normalised, float32 of shape (n_objects, n).
        joined: units of the layers that what is joined passes.

    """

    def body(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type; a body's signature
        return normalised(layers.Flatten()(image), seen)

    return Design(body, joined=joined, seen=(1, 1, seen.shape[1]))


def embedder(model: keras.Model) -> keras.Model:
    """Return the network up to what its last layer takes, sharing its weights."""
    return keras.Model(model.input, model.get_layer(HEAD).input)


def normalised(values: Any, train: NDArray[np.float32]) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Normalise values by the mean and variance of those of training objects, float32 of shape (n_objects, n)."""
    mean, variance = train.mean(axis=0), train.var(axis=0) + keras.config.epsilon()
    return layers.Normalization(mean=mean, variance=variance)(values)


def _joined_features(joined: Any, train: NDArray[np.float32], units: tuple[int, ...]) -> Any:  # noqa: ANN401 - as above
    features = normalised(joined, train)
    for width in units:
        features = layers.Dense(width, activation="relu")(features)
    return features


def precision_of(design: Design, recipe: Recipe) -> str:
    """Return the precision to compute in: that of the recipe, or `auto` decided by network and hardware."""
    if recipe.precision != "auto":
        return recipe.precision
    return "mixed_bfloat16" if design.bfloat16 and _computes_bfloat16() else "float32"


def device() -> str:
    """Return `cpu` or `gpu`: where Keras puts a tensor, since not every backend lists its devices."""
    return "cpu" if "cpu" in str(keras.ops.zeros(1).device).lower() else "gpu"


def _computes_bfloat16() -> bool:
    """Tell whether the hardware has units for bfloat16: a GPU, or an x86 processor with AMX under TensorFlow."""
    if device() != "cpu":
        return True
    facts = Path("/proc/cpuinfo")
    return keras.config.backend() == "tensorflow" and facts.is_file() and "amx_bf16" in facts.read_text("utf-8")


@contextmanager
def _policy(name: str) -> Iterator[None]:
    """Build layers in a precision; what was set before is set again after."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
