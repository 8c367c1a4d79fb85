"""A Keras function as a track: it learns, probabilities and logits are the same, and what is no network is refused."""

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
from planktonbench.models.protocol.checks import check_track, checked_scores, options_of
from planktonbench.models.protocol.source_hash import track_sha256
from planktonbench.models.registry import get_track
from planktonbench.models.training.recipe import Recipe

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
    """Build a small network that ends in probabilities."""
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def test_it_learns(image_subsets: dict[str, Objects]) -> None:
    """Shapes that are easy to tell apart are told apart; a class without training rows has score 0."""
    keras.utils.set_random_seed(3)
    track = from_keras("small", build, side=32, epochs=30, learning_rate=0.01, minutes=5)()

    track.fit(image_subsets["train"], image_subsets["valid"], rng=np.random.default_rng(0))
    scores = checked_scores(track.predict(image_subsets["test"]), image_subsets["test"], "small")

    assert (scores.argmax(axis=1) == image_subsets["test"].y).mean() > 0.9
    assert (scores[:, 2] == 0).all()
    assert track.embeddings(image_subsets["test"]) is None


@pytest.mark.parametrize("last", ["dense", "activation", "layer"])
def test_probabilities_become_the_logits_that_they_came_from(last: str) -> None:
    """However a softmax is written, the network returns logits up to a constant, as the same network without it."""
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


def test_images_are_shares_of_white() -> None:
    """The function's network sees 0 to 1."""
    model = built_network(
        lambda *_: keras.Sequential([keras.Input(SHAPE), layers.GlobalMaxPooling2D()]), Recipe(side=32), 3
    )

    found = np.asarray(model({"image": np.full((1, *SHAPE), 255, np.uint8)}))

    assert found == pytest.approx(1)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda *_: "a network", r"build\(4, \(32, 32, 3\)\) returned str; expected a keras.Model"),
        (lambda n, shape: build(n + 1, shape), r"output is \(None, 5\); expected \(None, 4\)"),
    ],
)
def test_what_is_no_network_of_these_classes_is_refused(made: Any, told: str) -> None:  # noqa: ANN401 - wrong on purpose
    """What was returned stands beside what was expected."""
    with pytest.raises(TrackError, match=told):
        built_network(made, Recipe(side=32), 4)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda n_classes: n_classes, r"cannot be called as build\(n_classes, input_shape\)"),
        ("build", "cannot be called"),
    ],
)
def test_another_signature_is_refused_when_it_is_named(made: Any, told: str) -> None:  # noqa: ANN401 - wrong on purpose
    """Before anything runs."""
    with pytest.raises(TrackError, match=told):
        from_keras("mine", made)


def test_options_are_those_of_the_recipe() -> None:
    """Defaults can be changed, unknown ones have near matches, and those without a place in it are refused."""
    assert options_of(from_keras("mine", build, side=96))["side"] == 96
    with pytest.raises(TrackError, match=r"no option epoch\. Did you mean epochs"):
        from_keras("mine", build, epoch=3)
    with pytest.raises(TrackError, match="dropout and with_size have no place"):
        from_keras("mine", build, dropout=0.5)()


def test_a_function_in_a_file_is_a_track(tmp_path: Path) -> None:
    """`my_network.py:build` is `my-network`, another function has its name behind, and a changed file another hash."""
    path = tmp_path / "my_network.py"
    path.write_text(FILE, encoding="utf-8")

    track = get_track(f"{path}:build")

    assert issubclass(track, KerasTrack)
    assert track.name == "my-network"
    assert get_track(f"{path}:wide").name == "my-network-wide"
    before = track_sha256(track)
    path.write_text(FILE.replace("Flatten()", "GlobalMaxPooling2D()"), encoding="utf-8")
    assert track_sha256(get_track(f"{path}:build")) != before


def test_other_defaults_are_another_track() -> None:
    """The hash of the source holds the options, too."""
    assert track_sha256(from_keras("mine", build)) != track_sha256(from_keras("mine", build, side=96))


def test_it_travels_to_a_worker() -> None:
    """A track made in a notebook is pickled by value, and is the same there."""
    track = from_keras("mine", build, side=96)

    there = cloudpickle.loads(cloudpickle.dumps(track))

    assert check_track(there, "there").name == "mine"
    assert options_of(there) == options_of(track)
    assert type(there().build(2, SHAPE)).__name__ == "Sequential"
