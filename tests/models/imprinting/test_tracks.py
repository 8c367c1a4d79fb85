"""Tracks of weight imprinting: base and low-shot classes, imprinted weights, fine-tuning and ablations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.imprinting.recipe import PAPER
from planktonbench.models.imprinting.tracks import OF_TRAINING, base_classes, log_loss_of
from planktonbench.models.networks.network import HEAD
from planktonbench.models.protocol.checks import options_of
from planktonbench.models.protocol.track import BaseRun, TrackContext
from planktonbench.models.registry import get_track
from sklearn.metrics import log_loss, recall_score

if TYPE_CHECKING:
    from pathlib import Path

    from planktonbench import Objects
    from planktonbench.models.image_tracks.convolutional import ImageTrack

pytestmark = pytest.mark.usefixtures("shallow_tiny")

SUPPORT = 40  # of class 1; classes 0 and 3 have about 25 rows each
LOW_SHOT = 3
LONGER = 1 if keras.config.backend() == "tensorflow" else 4  # other back ends draw other initial weights
OPTIONS: dict[str, Any] = {
    "side": 32, "backbone": "tiny", "weights": "random", "embedding": 16, "batch": 16, "epochs": 6 * LONGER,
    "per_class": 24, "learning_rate": 3e-3, "patience": 6,
}  # fmt: skip
FINE_TUNING = {"epochs": 3 * LONGER, "per_class": 24, "learning_rate": 1e-3}


def made(name: str, **options: Any) -> ImageTrack:  # noqa: ANN401 - of several types
    """Return a track with options for a few seconds of training."""
    keras.utils.set_random_seed(0)
    return get_track(name)(**options)  # type: ignore[return-value]


def fitted(track: ImageTrack, subsets: dict[str, Objects]) -> ImageTrack:
    """Fit a track."""
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    return track


@pytest.fixture(scope="module")
def subsets(image_subsets: dict[str, Objects]) -> dict[str, Objects]:
    """Subsets in which class 3 has five training rows, and 2 has none."""
    train = image_subsets["train"]
    few = np.flatnonzero(train.y == LOW_SHOT)[:5]
    return {**image_subsets, "train": train.take(np.sort(np.concatenate([np.flatnonzero(train.y != LOW_SHOT), few])))}


@pytest.fixture(scope="module")
def base(subsets: dict[str, Objects], tmp_path_factory: pytest.TempPathFactory) -> BaseRun:
    """Finished base training with its kept network."""
    options = {**OPTIONS, "base_support": 10}
    track = fitted(made("imprint-base", **options), subsets)
    folder = tmp_path_factory.mktemp("model")
    track.save(folder)
    return BaseRun("imprint-base", get_track("imprint-base"), options, None, None, folder)


def continued(name: str, base: BaseRun, subsets: dict[str, Objects], **options: object) -> ImageTrack:
    """Return a fitted track that continues the base training."""
    track = made(name, **options)
    track.context = TrackContext(base_runs={"imprint-base": base})
    return fitted(track, subsets)


def recall(track: ImageTrack, objects: Objects, code: int) -> float:
    """Return the recall of a class."""
    return float(recall_score(objects.y == code, track.predict(objects).argmax(axis=1) == code))


def test_the_paper_is_the_default() -> None:
    """Source 000, sections 5.1 to 5.4: each stated value is the default of its option."""
    stated = {
        "backbone": "resnet18", "weights": "imagenet", "embedding": 512, "side": 128, "resize": "shrink", "crop": True,
        "channels": "grey", "batch": 128, "learning_rate": 1e-4, "least_rate": 1e-8, "schedule": "plateau",
        "patience": 25, "criterion": "balanced-loss", "per_class": 1000, "base_support": 1000, "rotate90": True,
        "flip": True, "noise": 0.001, "weight_decay": 0.0, "dropout": 0.0,
    }  # fmt: skip
    for name in ("imprint-base", "imprint-bl", "imprint-bl-w", "imprint-bl-wf"):
        assert stated.items() <= options_of(get_track(name)).items()

    assert options_of(get_track("imprint-base"))["imbalance"] == "per-class-limit"
    assert options_of(get_track("imprint-bl"))["imbalance"] == "per-class-epoch"
    assert options_of(get_track("imprint-mi-ft"))["learning_rate"] == 1e-4


def test_base_classes_have_the_support() -> None:
    """A class of exactly the threshold is one; a class without rows is none."""
    assert base_classes(np.array([0, 0, 1, 2, 2, 2]), 4, 2).tolist() == [True, False, True, False]


def test_base_training_knows_base_classes_only(base: BaseRun, subsets: dict[str, Objects]) -> None:
    """Scores of low-shot classes are 0, and the base classes are told apart."""
    track = base.restored()
    scores = track.predict(subsets["test"])
    test = subsets["test"].take(subsets["test"].y != LOW_SHOT)

    assert (scores[:, [2, LOW_SHOT]] == 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    assert (track.predict(test).argmax(axis=1) == test.y).mean() > 0.8


def test_mean_imprinting_finds_the_low_shot_class_at_once(base: BaseRun, subsets: dict[str, Objects]) -> None:
    """Its recall is above that of random imprinting, without any training."""
    mean, random = (continued(name, base, subsets) for name in ("imprint-mi", "imprint-ri"))

    assert recall(mean, subsets["test"], LOW_SHOT) > 0.4
    assert recall(random, subsets["test"], LOW_SHOT) < recall(mean, subsets["test"], LOW_SHOT)
    assert mean.trials == ()


def test_imprinted_weights_are_normalised_means(base: BaseRun, subsets: dict[str, Objects]) -> None:
    """Section 4.2: embed, normalise, average, normalise; base weights and scale stay as they were."""
    track, before = continued("imprint-mi", base, subsets), base.restored()
    old, scale = before._model.get_layer(HEAD).get_weights()  # type: ignore[attr-defined]
    kernel, kept = track._model.get_layer(HEAD).get_weights()
    rows = subsets["train"].take(subsets["train"].y == LOW_SHOT)
    network = keras.Model(before._model.input, before._model.get_layer(HEAD).input)  # type: ignore[attr-defined]
    images = rows.network_images.batch(rows.network_images.rows(rows.object_ids))  # type: ignore[union-attr]
    mean = np.mean([one / np.linalg.norm(one) for one in network.predict_on_batch({"image": images})], axis=0)

    np.testing.assert_array_equal(kernel[:, :2], old)
    assert kept == scale
    np.testing.assert_allclose(kernel[:, 2], mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("name", ["imprint-mi-ft", "imprint-ri-ft"])
def test_fine_tuning_trains_all_classes(name: str, base: BaseRun, subsets: dict[str, Objects]) -> None:
    """The low-shot class is learned, weights keep unit length, and the base network file stays as it was."""
    track = continued(name, base, subsets, **FINE_TUNING)
    kernel = track._model.get_layer(HEAD).get_weights()[0]

    assert recall(track, subsets["test"], LOW_SHOT) > 0.5
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    assert track.chosen is not None
    assert track.chosen["low_shot_classes"] == ["ring"]
    assert track.chosen["training_seconds"] > 0
    assert track.chosen["epochs"] <= FINE_TUNING["epochs"]
    assert len(track.trials) == 1


@pytest.mark.parametrize(
    ("name", "units", "weights"), [("imprint-bl", 1, 1), ("imprint-bl-w", 1, 0), ("imprint-bl-wf", 0, 0)]
)
def test_ablations_lack_a_normalisation(name: str, units: int, weights: int, subsets: dict[str, Objects]) -> None:
    """Table 2: `bl-w` has no weight normalisation, `bl-wf` no feature normalisation either; all learn all classes."""
    track = fitted(made(name, **OPTIONS), subsets)
    kernel = track._model.get_layer(HEAD).get_weights()[0]
    layers = [layer for layer in track._model.layers if isinstance(layer, keras.layers.UnitNormalization)]

    assert len(layers) == units
    assert np.allclose(np.linalg.norm(kernel, axis=0), 1, atol=1e-5) is bool(weights)
    assert (track.predict(subsets["test"]).argmax(axis=1) == subsets["test"].y).mean() > 0.6


def test_nearest_mean_needs_no_training(subsets: dict[str, Objects]) -> None:
    """Even random features of a small network tell shapes apart; the scale has the lowest log loss on validation."""
    track = fitted(made("imprint-nn", side=32, backbone="tiny", weights="random"), subsets)
    test = subsets["test"]

    assert (track.predict(test).argmax(axis=1) == test.y).mean() > 0.6
    assert track.trials == ()
    assert track.chosen is not None
    assert track.chosen["scale"] in {5, 10, 20, 40, 80, 160}
    assert not OF_TRAINING & set(options_of(type(track)))


@pytest.mark.parametrize("name", ["imprint-mi", "imprint-mi-ft"])
def test_a_kept_track_predicts_the_same(name: str, base: BaseRun, subsets: dict[str, Objects], tmp_path: Path) -> None:
    """A fresh instance with the same options needs the folder only, not the base run."""
    options = {"epochs": 1, "per_class": 8} if name == "imprint-mi-ft" else {}
    track = continued(name, base, subsets, **options)
    track.save(tmp_path)
    again = made(name, **options)
    again.load(tmp_path)

    np.testing.assert_array_equal(again.predict(subsets["test"]), track.predict(subsets["test"]))


def test_too_few_base_classes_are_reported(subsets: dict[str, Objects]) -> None:
    """The message states how many rows the largest classes have, and the option to change."""
    track = made("imprint-base", **OPTIONS, base_support=10_000)

    with pytest.raises(TrackError, match=r"0 classes have 10000 .* largest have \d+ and \d+.*base_support to a lower"):
        fitted(track, subsets)


def test_backbones_without_weights_need_random() -> None:
    """Pretrained weights are never replaced by random ones silently."""
    with pytest.raises(TrackError, match="'tiny' has no pretrained weights, but weights is 'imagenet'"):
        made("imprint-bl", backbone="tiny").warm_up()
    assert PAPER.weights == "imagenet"


def test_log_loss_equals_that_of_scikit_learn() -> None:
    """Logits are not normalised; without rows the loss is 0."""
    rng = np.random.default_rng(0)
    logits, y = rng.normal(0, 3, (20, 3)), rng.integers(0, 3, 20)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    assert log_loss_of(logits, y) == pytest.approx(log_loss(y, scores, labels=range(3)))
    assert log_loss_of(logits[:0], y[:0]) == 0


def test_no_low_shot_class_changes_nothing(subsets: dict[str, Objects], base: BaseRun) -> None:
    """If all classes are base classes, the imprinted network is that of the base training."""
    known = {**subsets, "train": subsets["train"].take(subsets["train"].y != LOW_SHOT)}
    track = continued("imprint-mi", base, known)

    assert track.chosen["low_shot_classes"] == []
    np.testing.assert_allclose(track.predict(subsets["test"]), base.restored().predict(subsets["test"]), atol=1e-6)
