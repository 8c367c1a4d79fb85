"""Tracks made from a Keras function: training, softmax and logit outputs, and refusal of invalid networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cloudpickle
import keras
import numpy as np
import pytest
from keras import layers
from planktonbench import Objects, TrackError, from_keras
from planktonbench.models.image_tracks.user_keras import KerasTrack
from planktonbench.models.networks.network import built_network
from planktonbench.models.protocol.checks import check_track, options_of
from planktonbench.models.protocol.source_hash import track_sha256
from planktonbench.models.registry import get_track
from planktonbench.models.training.recipe import Recipe
from planktonbench.reports.tasks.classification import Classification

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (32, 32, 3)
FILE = """
import keras

def build(n_classes, input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(n_classes)])

def wide(n_classes, input_shape):
    return build(n_classes, input_shape)
"""


def build(n_classes: int, input_shape: tuple[int, int, int]) -> keras.Model:
    """Build a small network that returns probabilities."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def test_user_network_learns_shapes(image_subsets: dict[str, Objects]) -> None:
    """Shapes that differ clearly are separated; a class without training rows has score 0."""
    keras.utils.set_random_seed(3)
    track = from_keras("small", build, side=32, epochs=30, learning_rate=0.01, minutes=5)()

    track.fit(image_subsets["train"], image_subsets["valid"], rng=np.random.default_rng(0))
    scores = Classification().checked(track.predict(image_subsets["test"]), image_subsets["test"], "small")

    assert (scores.argmax(axis=1) == image_subsets["test"].y).mean() > 0.9
    assert (scores[:, 2] == 0).all()
    assert track.embeddings(image_subsets["test"]) is None


@pytest.mark.parametrize("last", ["dense", "activation", "layer"])
def test_softmax_outputs_are_converted_to_logits(last: str) -> None:
    """For every way to write a softmax, outputs are the logits of the network without it, up to a constant."""
    plain = [keras.Input(SHAPE), layers.Flatten()]
    ends = {
        "dense": [layers.Dense(4, activation="softmax")],
        "activation": [layers.Dense(4), layers.Activation("softmax")],
        "layer": [layers.Dense(4), layers.Softmax()],
    }
    with_softmax, without = keras.Sequential(plain + ends[last]), keras.Sequential([*plain, layers.Dense(4)])
    without.set_weights(with_softmax.get_weights())
    images = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), np.uint8)

    found, expected = (
        built_network(lambda *_, model=model: model, Recipe(side=32), 4).predict_on_batch({"image": images})
        for model in (with_softmax, without)
    )

    assert np.allclose(
        found - found.max(axis=1, keepdims=True), expected - expected.max(axis=1, keepdims=True), atol=1e-4
    )


def test_images_are_scaled_to_0_to_1() -> None:
    """The user's network receives values from 0 to 1."""
    model = built_network(
        lambda *_: keras.Sequential([keras.Input(SHAPE), layers.GlobalMaxPooling2D()]), Recipe(side=32), 3
    )

    found = np.asarray(model({"image": np.full((1, *SHAPE), 255, np.uint8)}))

    assert found == pytest.approx(1)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda *_: "a network", r"build\(4, \(32, 32, 3\)\) returned str; expected a keras.Model"),
        (lambda n, shape: build(n + 1, shape), r"output is \(None, 5\); expected \(None, 4\)"),
    ],
)
def test_invalid_networks_are_refused(made: Any, message: str) -> None:  # noqa: ANN401 - wrong on purpose
    """The message shows the actual and the expected return value."""
    with pytest.raises(TrackError, match=message):
        built_network(made, Recipe(side=32), 4)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda n_classes: n_classes, r"cannot be called as build\(n_classes, input_shape\)"),
        ("build", "cannot be called"),
    ],
)
def test_invalid_signature_is_refused(made: Any, message: str) -> None:  # noqa: ANN401 - wrong on purpose
    """It is refused before anything runs."""
    with pytest.raises(TrackError, match=message):
        from_keras("mine", made)


def test_options_are_those_of_the_recipe() -> None:
    """Defaults can be changed, unknown options get near matches, and options without effect are refused."""
    assert options_of(from_keras("mine", build, side=96))["side"] == 96
    with pytest.raises(TrackError, match=r"no option epoch\. Did you mean epochs"):
        from_keras("mine", build, epoch=3)
    with pytest.raises(TrackError, match="dropout and with_size have no effect"):
        from_keras("mine", build, dropout=0.5)()


def test_function_in_a_file_is_a_track(tmp_path: Path) -> None:
    """`my_network.py:build` is `my-network`, other functions append their name; a changed file changes the hash."""
    path = tmp_path / "my_network.py"
    path.write_text(FILE, encoding="utf-8")

    track = get_track(f"{path}:build")

    assert issubclass(track, KerasTrack)
    assert track.name == "my-network"
    assert get_track(f"{path}:wide").name == "my-network-wide"
    before = track_sha256(track)
    path.write_text(FILE.replace("Flatten()", "GlobalMaxPooling2D()"), encoding="utf-8")
    assert track_sha256(get_track(f"{path}:build")) != before


def test_source_hash_depends_on_defaults() -> None:
    """Other default options change the hash."""
    assert track_sha256(from_keras("mine", build)) != track_sha256(from_keras("mine", build, side=96))


def test_track_can_be_pickled_for_a_worker() -> None:
    """A track made in a notebook is pickled by value and restored unchanged."""
    track = from_keras("mine", build, side=96)

    restored = cloudpickle.loads(cloudpickle.dumps(track))

    assert check_track(restored, "restored").name == "mine"
    assert options_of(restored) == options_of(track)
    assert type(restored().build(2, SHAPE)).__name__ == "Sequential"
