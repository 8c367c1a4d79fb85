"""The bodies of the networks: from images to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from .batch_normalisation import BatchNormalization
from .efficientnet_lite0 import lite0, load_imagenet
from .missing_weights import MissingWeights
from .network import Design

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..training.recipe import PretrainedRecipe, Recipe

VGG_MEANS = (103.939, 116.779, 123.68)  # of ImageNet, blue, green, red: Simonyan & Zisserman 2015
RESNET18 = (64, 128, 256, 512)
SMALL_RESIDUAL = (32, 64, 128, 256)
MOMENTUM = 0.9  # of batch normalisation: at Keras's 0.99 or 0.999, some hundred steps are too few to settle


def lenet(image: Any, recipe: Recipe) -> Any:  # noqa: ANN401, ARG001 - Keras tensors have no type; a body's signature
    """Three convolutions of 6, 16 and 16 filters (2 × 2), each with max pooling, as source 001.

    The rectifier comes after the pooling, where it has a quarter of the positions: the greatest of rectified values is
    the rectified greatest, and the gradients are the same.
    """
    features = layers.Rescaling(1 / 255)(image)
    for filters in (6, 16, 16):
        features = layers.Conv2D(filters, 2)(features)
        features = layers.ReLU()(layers.MaxPooling2D()(features))
    return layers.Flatten()(features)


def residual(widths: tuple[int, ...]) -> Callable[[Any, Recipe], Any]:
    """Return a body of two basic residual blocks for each width, the first of them at half the resolution of the last.

    He et al. 2016 (arXiv 1512.03385), table 1; their stem, 7 × 7 at half the resolution with pooling to a quarter, is
    3 × 3 at half the resolution here, which leaves 32 × 32 positions of 64 × 64 pixels.
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
    """MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381), as keras.applications has it."""
    base = _application(keras.applications.MobileNetV2, recipe, pooling="avg")
    return base(layers.Rescaling(1 / 127.5, -1)(image))


def efficientnet(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """EfficientNetV2-B0 (Tan & Le 2021, arXiv 2104.00298), as keras.applications has it."""
    base = _application(keras.applications.EfficientNetV2B0, recipe, pooling="avg")
    return base(layers.Rescaling(1.0)(image))  # to float; it scales by itself


def vgg19(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """VGG19 without its fully connected layers (Simonyan & Zisserman 2015, arXiv 1409.1556), by keras.applications."""
    base = _application(keras.applications.VGG19, recipe)
    centred = layers.Rescaling(1.0, [-mean for mean in VGG_MEANS])(image[..., ::-1])
    return layers.Flatten()(base(centred))


def efficientnet_lite0(image: Any, recipe: PretrainedRecipe) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """EfficientNet-Lite0 of `lite0.py`."""
    base = lite0(recipe.side)
    if recipe.weights == "imagenet":
        load_imagenet(base)
    return _settled(base, recipe)(image)


def _application(build: Callable[..., keras.Model], recipe: PretrainedRecipe, **more: object) -> keras.Model:
    """Build a network of keras.applications without its head.

    Raises:
        MissingWeights: its ImageNet weights are asked for, and neither on the disk nor to be downloaded.

    """
    shape = (recipe.side, recipe.side, 3)
    if recipe.weights == "random":
        base = build(include_top=False, weights=None, input_shape=shape, **more)
    else:
        try:
            base = build(include_top=False, weights="imagenet", input_shape=shape, **more)
        except Exception as fault:  # Keras raises no more special one when it cannot download
            message = f"its ImageNet weights cannot be had ({fault}); set its option weights to random to do without"
            raise MissingWeights(message) from fault
    return _settled(_with_our_normalisation(base), recipe)


def _settled(base: keras.Model, recipe: PretrainedRecipe) -> keras.Model:
    """Freeze what the recipe says, and let the statistics of its normalisation follow in a few steps."""
    base.trainable = recipe.frozen != "all"
    for layer in base.layers:
        if recipe.frozen == "depthwise" and isinstance(layer, layers.DepthwiseConv2D):
            layer.trainable = False
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return base


def _with_our_normalisation(base: keras.Model) -> keras.Model:
    """Return a network of the same layers and weights, with batch normalisation in one operation.

    Training is quicker (`tox -e bench-speed` tells by how much); and on TensorFlow with several threads Keras's own
    layer in MobileNetV2 comes out otherwise in the last bit each time.
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
