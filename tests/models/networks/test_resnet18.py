"""ResNet-18: size and shapes of the paper, and weights in PyTorch's layout."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from planktonbench.models.networks import resnet18 as module
from planktonbench.models.networks.missing_weights import MissingWeights
from planktonbench.models.networks.resnet18 import load_imagenet, resnet18
from planktonbench.models.networks.torch_weights_file import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIDE = 32


def test_size_and_shapes_are_those_of_the_paper() -> None:
    """11 M parameters, 512 features, and 4 × 4 positions of 128 × 128 pixels (source 000, table 1)."""
    model = resnet18(128)

    running = sum(layer.gamma.shape[0] for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))

    assert model.count_params() - 2 * running == 11_176_512  # torchvision's number without its last layer
    assert model.output.shape == (None, 512)
    assert model.layers[-2].output.shape == (None, 4, 4, 512)


def torch_tensors(model: keras.Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return random tensors with the names and shapes of PyTorch for a network."""
    tensors = {}
    for layer in model.layers:
        name = layer.name.replace("-", ".")
        if isinstance(layer, keras.layers.Conv2D):
            height, width, given, found = layer.kernel.shape
            tensors[f"{name}.weight"] = rng.normal(0, 0.05, (found, given, height, width)).astype(np.float32)
        elif isinstance(layer, keras.layers.BatchNormalization):
            for kind in ("weight", "bias", "running_mean", "running_var"):
                tensors[f"{name}.{kind}"] = rng.uniform(0.5, 1, layer.gamma.shape).astype(np.float32)
            tensors[f"{name}.num_batches_tracked"] = np.array([3], np.int64)
    return tensors


def convolved(image: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """Convolve (channels, height, width) as PyTorch does, with symmetric padding of half the kernel."""
    size = weight.shape[-1]
    padded = np.pad(image, [(0, 0), (size // 2, size // 2), (size // 2, size // 2)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("cyxhw,fchw->fyx", windows, weight, optimize=True)


def reference(image: np.ndarray, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """Return the features of an image, (3, side, side) in [0, 1], by NumPy and PyTorch's conventions."""

    def normalised(values: np.ndarray, name: str) -> np.ndarray:
        weight, bias, mean, variance = (
            tensors[f"{name}.{kind}"][:, None, None] for kind in ("weight", "bias", "running_mean", "running_var")
        )
        return weight * (values - mean) / np.sqrt(variance + 1e-5) + bias

    def block(values: np.ndarray, name: str, stride: int) -> np.ndarray:
        found = np.maximum(normalised(convolved(values, tensors[f"{name}.conv1.weight"], stride), f"{name}.bn1"), 0)
        found = normalised(convolved(found, tensors[f"{name}.conv2.weight"], 1), f"{name}.bn2")
        if stride > 1:
            values = convolved(values, tensors[f"{name}.downsample.0.weight"], stride)
            values = normalised(values, f"{name}.downsample.1")
        return np.maximum(found + values, 0)

    values = np.maximum(normalised(convolved(image, tensors["conv1.weight"], 2), "bn1"), 0)
    padded = np.pad(values, [(0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
    values = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(-2, -1))
    for stage in range(1, 5):
        for number in range(2):
            values = block(values, f"layer{stage}.{number}", 2 if stage > 1 and number == 0 else 1)
    return values.mean(axis=(1, 2))


@pytest.fixture
def weights(tmp_path: Path, write_torch_zip: Callable[[Path, dict[str, np.ndarray]], Path]) -> Path:
    """File of random weights in the format of `torch.save`."""
    tensors = torch_tensors(resnet18(SIDE), np.random.default_rng(0))
    return write_torch_zip(tmp_path / "served" / "resnet18-f37072fd.pth", tensors)


def test_downloaded_weights_give_the_features_of_pytorch(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is downloaded once, checked and cached; features equal a computation in PyTorch's conventions."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(weights.parent))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *_: None)
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(weights.read_bytes()).hexdigest())
    model = resnet18(SIDE)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(module, "URL", f"http://127.0.0.1:{server.server_port}/{weights.name}")
        load_imagenet(model)
        server.shutdown()
    model.set_weights([0 * value for value in model.get_weights()])
    load_imagenet(model)  # from the cache: there is no server any more
    images = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    tensors = read_tensors(weights)
    expected = [reference(image.transpose(2, 0, 1) / 255, tensors) for image in images]

    np.testing.assert_allclose(model.predict_on_batch(images), expected, rtol=2e-3, atol=1e-4)


def test_missing_weights_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server, the message says where the file is expected; random weights are never used instead."""
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "URL", "http://127.0.0.1:9/resnet18-f37072fd.pth")

    with pytest.raises(MissingWeights, match=r"not in .*weights, and http.*put the file there, or set .* to random"):
        load_imagenet(resnet18(SIDE))
