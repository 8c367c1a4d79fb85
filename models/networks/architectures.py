"""Bodies of the networks, which map images to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from ...data_manifests.errors import TrackError
from .batch_normalisation import BatchNormalization
from .efficientnet_lite0 import lite0
from .efficientnet_lite0 import load_imagenet as load_lite0
from .missing_weights import MissingWeights
from .network import Design
from .resnet18 import load_imagenet as load_resnet18
from .resnet18 import resnet18

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..training.recipe import EmbeddingRecipe, PretrainedRecipe, Recipe

VGG_MEANS = (103.939, 116.779, 123.68)
"""ImageNet means of blue, green, red (Simonyan & Zisserman 2015), with which ResNet-50 of Keras is trained, too."""
RESNET18 = (64, 128, 256, 512)
SMALL_RESIDUAL = (32, 64, 128, 256)
TINY_RESIDUAL = (16, 32, 64, 128)
MOMENTUM = 0.9  # of batch normalisation: with Keras's 0.99 or 0.999, a few hundred steps are too few to converge


def lenet(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type; a body's signature
    """Three convolutions of 6, 16 and 16 filters (2 × 2), each with max pooling, as in source 001.

    ReLU is applied after pooling, on a quarter of the positions: the maximum of rectified values equals the rectified
    maximum, and the gradients are the same.
    """
    features = layers.Rescaling(1 / 255)(image)
    for filters in (6, 16, 16):
        features = layers.Conv2D(filters, 2)(features)
        features = layers.ReLU()(layers.MaxPooling2D()(features))
    return layers.Flatten()(features)


def residual(widths: tuple[int, ...]) -> Callable[[Any, Recipe], Any]:
    """Return a body with two basic residual blocks per width; each width after the first halves the resolution.

    He et al. 2016 (arXiv 1512.03385), table 1. Their stem is a 7 × 7 convolution at half the resolution with pooling to
    a quarter; here it is 3 × 3 at half the resolution, which leaves 32 × 32 positions for 64 × 64 pixels.
    """

    def body(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - as above
        features = _convolved(layers.Rescaling(1 / 255)(image), widths[0], stride=2)
        for stage, width in enumerate(widths):
            features = _basic_block(features, width, stride=2 if stage else 1)
            features = _basic_block(features, width, stride=1)
        return layers.GlobalAveragePooling2D()(features)

    return body


def _basic_block(features: Any, width: int, stride: int) -> Any:  # noqa: ANN401 - Keras tensors have no type
    found = _convolved(features, width, stride)
    found = BatchNormalization(momentum=MOMENTUM)(layers.Conv2D(width, 3, padding="same", use_bias=False)(found))
    if stride > 1 or features.shape[-1] != width:
        features = layers.Conv2D(width, 1, stride, use_bias=False)(features)
        features = BatchNormalization(momentum=MOMENTUM)(features)
    return layers.ReLU()(layers.Add()([found, features]))


def _convolved(features: Any, width: int, stride: int) -> Any:  # noqa: ANN401 - Keras tensors have no type
    convolution = layers.Conv2D(
        width, 3, stride, padding="same", use_bias=False, kernel_initializer=keras.initializers.HeNormal()
    )
    return layers.ReLU()(BatchNormalization(momentum=MOMENTUM)(convolution(features)))


def mobilenetv2(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) from keras.applications."""
    base = _application(keras.applications.MobileNetV2, recipe, pooling="avg")
    return base(layers.Rescaling(1 / 127.5, -1)(image))


def efficientnet(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """EfficientNetV2-B0 (Tan & Le 2021, arXiv 2104.00298) from keras.applications."""
    base = _application(keras.applications.EfficientNetV2B0, recipe, pooling="avg")
    return base(layers.Rescaling(1.0)(image))  # convert to float; the network does its own scaling


def vgg19(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """VGG19 without its fully connected layers (Simonyan & Zisserman 2015, arXiv 1409.1556) from keras.applications."""
    base = _application(keras.applications.VGG19, recipe)
    centred = layers.Rescaling(1.0, [-mean for mean in VGG_MEANS])(image[..., ::-1])
    return layers.Flatten()(base(centred))


def efficientnet_lite0(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """EfficientNet-Lite0 as defined in `efficientnet_lite0.py`."""
    base = lite0(recipe.side)
    if recipe.weights == "imagenet":
        load_lite0(base)
    return _settled(base, recipe)(image)


def resnet_18(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """ResNet-18 as defined in `resnet18.py`."""
    base = resnet18(recipe.side)
    if recipe.weights == "imagenet":
        load_resnet18(base)
    return _settled(base, recipe)(image)


def resnet50(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """ResNet-50 (He et al. 2016, arXiv 1512.03385) from keras.applications."""
    base = _application(keras.applications.ResNet50, recipe, pooling="avg")
    centred = layers.Rescaling(1.0, [-mean for mean in VGG_MEANS])(image[..., ::-1])
    return base(centred)


def _application(build: Callable[..., keras.Model], recipe: PretrainedRecipe, **more: object) -> keras.Model:
    """Build a network of keras.applications without its head.

    Raises:
        MissingWeights: ImageNet weights are requested, but are not cached and cannot be downloaded.

    """
    shape = (recipe.side, recipe.side, 3)
    if recipe.weights == "random":
        base = build(include_top=False, weights=None, input_shape=shape, **more)
    else:
        try:
            base = build(include_top=False, weights="imagenet", input_shape=shape, **more)
        except Exception as fault:  # Keras raises nothing more specific when a download fails
            message = (
                f"ImageNet weights are neither cached nor can they be downloaded ({fault}); connect to the internet, "
                "or set the track's option weights to random"
            )
            raise MissingWeights(message) from fault
    return _settled(_with_our_normalisation(base), recipe)


def _settled(base: keras.Model, recipe: PretrainedRecipe) -> keras.Model:
    """Freeze layers according to the recipe, and set the momentum so that batch statistics adapt within a few steps."""
    base.trainable = recipe.frozen != "all"
    for layer in base.layers:
        if recipe.frozen == "depthwise" and isinstance(layer, layers.DepthwiseConv2D):
            layer.trainable = False
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return base


def _with_our_normalisation(base: keras.Model) -> keras.Model:
    """Return the same network, same weights, with batch normalisation as a single operation.

    Training is faster (measured by `tox -e bench-speed`). Also, on TensorFlow with several threads, Keras's own layer
    in MobileNetV2 gives results that differ in the last bit from run to run.
    """

    def ours(layer: Any) -> Any:  # noqa: ANN401 - Keras has no types
        plain = type(layer) is layers.BatchNormalization
        return (BatchNormalization if plain else type(layer)).from_config(layer.get_config())

    twin = keras.models.clone_model(base, clone_function=ours)
    twin.set_weights(base.get_weights())
    return twin


LENET = Design(lenet, hidden=(250, 100), bfloat16=True)
RESNET_18 = Design(residual(RESNET18), bfloat16=True)
SMALL_RESNET = Design(residual(SMALL_RESIDUAL), bfloat16=True)
MOBILENET_V2 = Design(mobilenetv2)
EFFICIENTNET_V2_B0 = Design(efficientnet)
VGG_19 = Design(vgg19, hidden=(256,), bfloat16=True)
LITE_0 = Design(efficientnet_lite0)

BACKBONES: dict[str, Design] = {
    "resnet18": Design(resnet_18, bfloat16=True),
    "resnet50": Design(resnet50, bfloat16=True),
    "efficientnet": EFFICIENTNET_V2_B0,
    "lite0": LITE_0,
    "small": SMALL_RESNET,
    "tiny": Design(residual(TINY_RESIDUAL), bfloat16=True),
}
"""Bodies of networks with an embedding, by the name of the option `backbone`."""

UNTRAINED = frozenset({"small", "tiny"})
"""Backbones without pretrained weights."""


def backbone(recipe: EmbeddingRecipe) -> Design:
    """Return the design of the backbone that a recipe names, without embedding.

    Raises:
        TrackError: it has no pretrained weights, but the recipe asks for them.

    """
    if recipe.backbone in UNTRAINED and recipe.weights != "random":
        message = (
            f"Backbone '{recipe.backbone}' has no pretrained weights, but weights is '{recipe.weights}'; expected "
            "weights random, or another backbone."
        )
        raise TrackError(message)
    return BACKBONES[recipe.backbone]
