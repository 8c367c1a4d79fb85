"""ResNet-18 as in the paper and in torchvision, with ImageNet weights of torchvision.

He et al. 2016 (arXiv 1512.03385), table 1: a 7 × 7 convolution and pooling at a quarter of the resolution, then four
stages of two blocks, which leave 4 × 4 positions of 128 × 128 pixels. Padding is symmetric, as in PyTorch, since the
weights were trained with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import layers

from ...data_manifests.files.cache import cache_folder
from .batch_normalisation import BatchNormalization
from .missing_weights import MissingWeights
from .torch_weights_file import layer_weights, read_tensors

URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
SHA256 = "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"
WIDTHS = (64, 128, 256, 512)
BLOCKS = 2
EPSILON = 1e-5  # of batch normalisation, as in PyTorch
TIMEOUT = 20  # seconds


def resnet18(side: int) -> keras.Model:
    """Build the network without its last layer, with He's initialisation.

    Grey levels are scaled to [0, 1] without ImageNet's means and deviations, as in the later code of the author of
    source 000 (github.com/morphocluster/morphocluster, lib/extract_features.py).

    Args:
        side: side of the images in pixels.

    Returns:
        Model that maps images, uint8 of shape (n, side, side, 3), to features of shape (n, 512).

    """
    image = keras.Input((side, side, 3), dtype="uint8")
    features = layers.Rescaling(1 / 255)(image)
    features = layers.ReLU()(_normalised(_convolved(features, WIDTHS[0], "conv1", kernel=7, stride=2), "bn1"))
    features = layers.MaxPooling2D(3, 2)(layers.ZeroPadding2D(1)(features))  # after ReLU, 0 is the least value
    for stage, width in enumerate(WIDTHS):
        for block in range(BLOCKS):
            features = _block(features, width, f"layer{stage + 1}-{block}", stride=2 if stage and not block else 1)
    return keras.Model(image, layers.GlobalAveragePooling2D()(features), name="resnet18")


def _block(features: Any, width: int, name: str, *, stride: int) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Two convolutions whose output is added to their input, which is projected if its shape changes."""
    found = _normalised(_convolved(features, width, f"{name}-conv1", stride=stride), f"{name}-bn1")
    found = _normalised(_convolved(layers.ReLU()(found), width, f"{name}-conv2"), f"{name}-bn2")
    if stride > 1:
        features = _convolved(features, width, f"{name}-downsample-0", kernel=1, stride=stride)
        features = _normalised(features, f"{name}-downsample-1")
    return layers.ReLU()(layers.Add()([found, features]))


def _convolved(features: Any, width: int, name: str, *, kernel: int = 3, stride: int = 1) -> Any:  # noqa: ANN401 - as above
    padded = layers.ZeroPadding2D(kernel // 2)(features) if kernel > 1 else features
    initial = keras.initializers.HeNormal()
    return layers.Conv2D(width, kernel, stride, use_bias=False, kernel_initializer=initial, name=name)(padded)


def _normalised(features: Any, name: str) -> Any:  # noqa: ANN401 - as above
    return BatchNormalization(epsilon=EPSILON, name=name)(features)


def load_imagenet(model: keras.Model) -> None:
    """Load ImageNet weights into a network built by `resnet18`; they are downloaded (47 MB) unless they are cached.

    The download was tested against a local server only; the publisher's was not reachable during development.

    Raises:
        MissingWeights: the weights are neither cached nor can they be downloaded.

    """
    import pooch

    folder = cache_folder() / "weights"
    try:
        path = pooch.retrieve(
            URL,
            f"sha256:{SHA256}",
            fname=URL.rpartition("/")[2],
            path=folder,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
        )
    except Exception as fault:  # requests and pooch raise several kinds
        message = (
            f"the ImageNet weights of ResNet-18 are not in {folder}, and {URL} cannot be downloaded ({fault}); connect "
            "to the internet, put the file there, or set the track's option weights to random"
        )
        raise MissingWeights(message) from fault
    tensors = read_tensors(Path(path))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(layer_weights(layer, layer.name.replace("-", "."), tensors))
