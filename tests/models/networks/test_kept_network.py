"""Kept networks: the same outputs after reading, the same bytes after writing, and no code."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.networks import architectures
from planktonbench.models.networks.batch_normalisation import BatchNormalization
from planktonbench.models.networks.kept_network import load_network, save_network
from planktonbench.models.networks.network import embedding_model, network
from planktonbench.models.training.recipe import PretrainedRecipe
from planktonbench.models.training.trainer import compile_for

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(0)
SIZES = RNG.normal(5, 2, (8, 3)).astype(np.float32)
INPUTS = {"image": RNG.integers(0, 255, (8, 32, 32, 3), dtype=np.uint8), "size": SIZES}


def trained(name: str, **options: Any) -> keras.Model:  # noqa: ANN401 - of several types
    """Return a network for 32 pixels and four classes after a step of training."""
    recipe = PretrainedRecipe(side=32, weights="random", imbalance="focal", dropout=0.2, **options)
    keras.utils.set_random_seed(0)
    model = network(getattr(architectures, name), recipe, 4, sizes=SIZES, seed=0)
    compile_for(model, recipe, steps=2)
    model.run_eagerly = True
    model.train_on_batch(INPUTS, np.arange(8) % 4)
    return model


def layers_of(model: keras.Model) -> list[keras.Layer]:
    """Return the layers that have weights, those of nested networks included."""
    return [layer for layer in model._flatten_layers() if layer.weights and not isinstance(layer, keras.Model)]


DESIGNS = {
    "LENET": {"precision": "mixed_bfloat16"},
    "SMALL_RESNET": {"precision": "float32"},
    "LITE_0": {"precision": "float32", "frozen": "depthwise"},
}
"""Networks with and without our own layer, as layers and within a nested network."""


@pytest.mark.parametrize(("name", "options"), DESIGNS.items())
def test_a_network_is_read_as_it_was_written(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """Outputs, embeddings, precision and kinds of layers are the same; it is not compiled."""
    model = trained(name, **options)
    save_network(model, tmp_path / "network.keras")
    read = load_network(tmp_path / "network.keras")

    assert np.array_equal(*(np.asarray(one(INPUTS, training=False)) for one in (model, read)))
    assert np.array_equal(
        *(np.asarray(embedding_model(one)(INPUTS, training=False), np.float32) for one in (model, read))
    )
    kinds = [[(type(layer), layer.compute_dtype) for layer in layers_of(one)] for one in (model, read)]
    assert kinds[0] == kinds[1]
    assert not read.compiled
    assert any(kind is BatchNormalization for kind, _ in kinds[1]) == (name != "LENET")


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither the time nor the optimiser is in the file."""
    model = trained("LENET", precision="float32")
    save_network(model, tmp_path / "first.keras")
    compile_for(model, PretrainedRecipe(schedule="constant"), steps=1)
    save_network(model, tmp_path / "second.keras")
    first, second = ((tmp_path / f"{name}.keras").read_bytes() for name in ("first", "second"))
    with zipfile.ZipFile(tmp_path / "first.keras") as archive:
        times = {one.date_time for one in archive.infolist()}
        facts = json.loads(archive.read("metadata.json"))

    assert first == second
    assert b"optimizer" not in first
    assert times == {(1980, 1, 1, 0, 0, 0)}
    assert facts == {"keras_version": keras.version(), "date_saved": ""}


def test_code_in_a_file_is_not_executed(tmp_path: Path) -> None:
    """A lambda layer is stored as code, which is refused with the reason."""
    image = keras.Input((2,))
    keras.Model(image, keras.layers.Lambda(lambda x: x * 2)(image)).save(tmp_path / "code.keras")

    with pytest.raises(TrackError, match=r"code.keras is not a network that can be read \(ValueError: .*lambda"):
        load_network(tmp_path / "code.keras")


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    """The message has the reason, and what to do."""
    (tmp_path / "network.keras").write_bytes(b"half")

    with pytest.raises(TrackError, match=r"network.keras is not a network.*Repeat its run with --keep-models"):
        load_network(tmp_path / "network.keras")
