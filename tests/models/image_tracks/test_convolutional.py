"""Image tracks: training, reproducibility and embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.protocol.checks import options_of
from planktonbench.models.registry import get_track
from planktonbench.reports.tasks.classification import Classification

if TYPE_CHECKING:
    from planktonbench import Objects
    from planktonbench.models.image_tracks.convolutional import ImageTrack

OPTIONS = {"side": 32, "epochs": 3, "batch": 16}


def fitted(name: str, subsets: dict[str, Objects], seed: int = 0, **options: object) -> ImageTrack:
    """Return a track fitted as by a worker: libraries seeded once, then a generator for the track."""
    import keras

    track = get_track(name)(**{**OPTIONS, **options})
    track.warm_up()
    keras.utils.set_random_seed(seed)
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(seed))
    return track  # type: ignore[return-value]


def test_network_learns_shapes(image_subsets: dict[str, Objects]) -> None:
    """Bars, discs and rings are separated; a class without training rows has score 0; rows sum to one."""
    track = fitted("cnn-lenet", image_subsets, epochs=12)
    scores = Classification().checked(
        track.predict(image_subsets["test"].without_labels()), image_subsets["test"], "cnn-lenet"
    )

    assert (scores.argmax(axis=1) == image_subsets["test"].y).mean() > 0.9
    assert (scores[:, 2] == 0).all()


@pytest.mark.parametrize("with_size", [False, True])
def test_training_is_reproducible(image_subsets: dict[str, Objects], *, with_size: bool) -> None:
    """Two trainings with the same seed give bit-identical scores, another seed different ones."""
    options = {"with_size": with_size, "rotate90": True, "rotation": 10.0, "noise": 0.02, "dropout": 0.2}
    first, second, other = (
        fitted("cnn-lenet", image_subsets, seed, **options).predict(image_subsets["test"]) for seed in (0, 0, 1)
    )

    assert (first == second).all()
    assert (first != other).any()


def test_embeddings_are_the_input_of_the_last_layer(image_subsets: dict[str, Objects]) -> None:
    """Embeddings times the weights of the last layer give the logits of the scores."""
    from scipy.special import softmax

    track = fitted("cnn-lenet", image_subsets)
    found = track.embeddings(image_subsets["test"])
    kernel, bias = (np.asarray(value) for value in track._model.get_layer("head").weights)

    assert found.shape == (len(image_subsets["test"]), 100)
    assert found.dtype == np.float32
    assert softmax(found @ kernel + bias, axis=1) == pytest.approx(
        track.predict(image_subsets["test"])[:, [0, 1, 3]], abs=1e-5
    )


def test_options_have_the_defaults_of_the_track() -> None:
    """The options are the fields of the recipe, with the defaults that the track sets."""
    options = options_of(get_track("cnn-lenet"))

    assert (options["alpha"], options["epochs"], options["rotate90"]) == (1.0, 30, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imbalance": "class-weigths"}, "imbalance is 'class-weigths'. Did you mean class-weights?"),
        ({"epochs": 0}, "epochs is 0; expected a number of at least 1"),
        ({"noise": "much"}, "noise is 'much'; expected a number of at least 0"),
    ],
)
def test_invalid_values_are_refused(options: dict[str, object], message: str) -> None:
    """Invalid values are refused when the track is constructed, with near matches."""
    with pytest.raises(TrackError) as fault:
        get_track("cnn-lenet")(**options)
    assert message in str(fault.value)


def test_missing_network_images_are_reported(make_objects: object) -> None:
    """The message states that network images are missing and how to request them."""
    from planktonbench.models.training.batches import Examples

    with pytest.raises(TrackError, match="No network images were prepared"):
        Examples.of(make_objects(np.array([0, 1]), 0), with_size=False)  # type: ignore[operator]
