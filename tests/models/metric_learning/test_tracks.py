"""Tracks of source 003: losses, sub-classes that are found and folded back, resuming, and kept models."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.image_tracks.convolutional import ImageTrack
from planktonbench.models.metric_learning.objectives import GroupObjective, MetricObjective
from planktonbench.models.metric_learning.triplet_loss import triplet_loss, two_level_triplet_loss
from planktonbench.models.networks.network import HEAD
from planktonbench.models.protocol.checks import options_of
from planktonbench.models.protocol.track import TrackContext
from planktonbench.models.registry import get_track
from scipy.special import log_softmax

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench import Objects

pytestmark = pytest.mark.usefixtures("shallow_tiny")

EPOCHS = 4 if keras.config.backend() == "tensorflow" else 12  # other back ends draw other initial weights
OPTIONS: dict[str, Any] = {
    "side": 32, "backbone": "tiny", "weights": "random", "embedding": 8, "batch": 32, "epochs": EPOCHS,
    "learning_rate": 3e-3, "rotate90": False, "flip": False,
}  # fmt: skip
NAMES = ("standard", "triplet-only", "subclass-only", "subclass-triplet", "gs-trs")
DIVIDED = {"confusion_threshold": 0.0, "max_clusters": 3}
"""Every class with an error is divided further after each epoch."""
SLOW = {"learning_rate": 1e-4}
"""Errors remain, so that classes are divided."""


class Killed(BaseException):
    """Stand-in for a signal."""


def fitted(
    name: str, subsets: dict[str, Objects], *, scratch: Path | None = None, log: Callable[[str], object] = print,
    **options: object,
) -> Any:  # noqa: ANN401 - of several types  # fmt: skip
    """Return a fitted track."""
    keras.utils.set_random_seed(0)
    track: ImageTrack = get_track(name)(**{**OPTIONS, **options})  # type: ignore[assignment]
    track.context = TrackContext(scratch=scratch, log=log)
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    return track


@pytest.fixture(scope="module")
def finished(image_subsets: dict[str, Objects]) -> Callable[..., Any]:
    """Return a function that fits a track, or returns the one that was fitted with these options before."""

    @cache
    def find(name: str, **options: object) -> Any:  # noqa: ANN401 - of several types
        return fitted(name, image_subsets, **options)

    return find


def test_the_paper_is_the_default() -> None:
    """Source 003, sections 4.1 and 4.4: each stated value is the default of its option."""
    stated = {"backbone": "resnet50", "weights": "imagenet", "embedding": 256, "side": 256, "resize": "pad"}
    stated |= {"batch": 128, "learning_rate": 2e-4, "schedule": "constant"}
    for name in NAMES:
        assert stated.items() <= options_of(get_track(name)).items()

    assert {"confusion_threshold": 0.3, "max_clusters": 5}.items() <= options_of(get_track("subclass-triplet")).items()
    assert {"margin": 0.7, "mining": "batch-hard"}.items() <= options_of(get_track("triplet-only")).items()
    assert "margin" not in options_of(get_track("subclass-only"))


@pytest.mark.parametrize("name", NAMES)
def test_each_track_learns(name: str, finished: Callable[..., Any], image_subsets: dict[str, Objects]) -> None:
    """Shapes are told apart, probabilities sum to one, and the card has the number of sub-classes of each class."""
    track = finished(name)
    test = image_subsets["test"]
    scores = track.predict(test)

    assert (scores.argmax(axis=1) == test.y).mean() > 0.7
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    assert (scores[:, 2] == 0).all()  # a class without training rows
    assert set(track.chosen["subclasses"]) == {"bar", "disc", "ring"}
    assert min(track.chosen["subclasses"].values()) >= 1


def test_sub_classes_are_used_and_folded_back(finished: Callable[..., Any], image_subsets: dict[str, Objects]) -> None:
    """Classes are divided in training; probabilities of a class are the sums of those of its sub-classes."""
    track = finished("subclass-only", **DIVIDED, **SLOW)
    active = np.asarray(track._model.get_layer(HEAD).active).reshape(3, 3) > 0
    logits = track._model.predict_on_batch(
        {"image": image_subsets["test"].network_images.batch(np.arange(160, 200))}  # type: ignore[union-attr]
    )
    folded = np.exp(log_softmax(logits, axis=1)).reshape(40, 3, 3).sum(axis=2)

    assert max(track.chosen["subclasses_per_epoch"]) > 3
    assert list(track.chosen["subclasses"].values()) == active.sum(axis=1).tolist()
    np.testing.assert_allclose(track.predict(image_subsets["test"])[:, [0, 1, 3]], folded, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), [("subclass-only", {**DIVIDED, **SLOW}), ("gs-trs", {"clusters": 2})])
def test_sub_classes_of_training_objects_are_told(
    name: str, options: dict[str, float], finished: Callable[..., Any], image_subsets: dict[str, Objects]
) -> None:
    """Every sub-class of a class that has objects is counted in the card."""
    track, train = finished(name, **options), image_subsets["train"]
    numbers = track.subclasses(train)
    counts = dict(zip(("bar", "disc", "ring"), (0, 1, 3), strict=True))

    assert numbers.shape == (len(train),)
    for taxon, code in counts.items():
        assert len(set(numbers[train.y == code])) <= track.chosen["subclasses"][taxon]


def test_groups_of_gs_trs_are_those_of_the_kept_network(
    finished: Callable[..., Any], image_subsets: dict[str, Objects]
) -> None:
    """Within a class, objects are nearer to the mean embedding of their own group than to that of the other."""
    track, train = finished("gs-trs", clusters=2), image_subsets["train"]
    groups, embeddings = track.subclasses(train), ImageTrack.embeddings(track, train)
    for code in (0, 1, 3):
        rows, group = embeddings[train.y == code], groups[train.y == code]
        means = np.stack([rows[group == number].mean(axis=0) for number in (0, 1)])
        nearest = np.linalg.norm(rows[:, None] - means, axis=2).argmin(axis=1)
        assert (nearest == group).all()


def test_classes_that_are_recognised_stay_undivided(
    finished: Callable[..., Any], image_subsets: dict[str, Objects]
) -> None:
    """With a threshold of 1, which no class exceeds, the method is standard classification, bit for bit."""
    divided = fitted("subclass-only", image_subsets, confusion_threshold=1.0)
    standard = finished("standard")

    assert set(divided.chosen["subclasses"].values()) == {1}
    assert set(divided.chosen["subclasses_per_epoch"]) == {3}
    np.testing.assert_allclose(
        divided.predict(image_subsets["test"]), standard.predict(image_subsets["test"]), atol=0.05
    )


@pytest.mark.parametrize("name", ["subclass-triplet", "gs-trs"])
def test_resumed_training_equals_an_uninterrupted_one(
    name: str, finished: Callable[..., Any], image_subsets: dict[str, Objects], tmp_path: Path
) -> None:
    """Sub-classes, limits and history are part of the stored state."""
    options = DIVIDED if name == "subclass-triplet" else {"clusters": 2}
    whole = finished(name, **options)
    lines: list[str] = []

    def kill(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            raise Killed

    with pytest.raises(Killed):
        fitted(name, image_subsets, scratch=tmp_path, log=kill, **options)
    resumed = fitted(name, image_subsets, scratch=tmp_path, **options)

    assert (resumed.predict(image_subsets["test"]) == whole.predict(image_subsets["test"])).all()
    assert resumed.chosen["subclasses_per_epoch"] == whole.chosen["subclasses_per_epoch"]


def test_triplets_are_added_to_the_cross_entropy(finished: Callable[..., Any]) -> None:
    """Equation 2: the loss is the mean cross-entropy plus the triplet loss of the batch, as computed apart."""
    track = finished("triplet-only")
    rng = np.random.default_rng(0)
    outputs, y = rng.normal(size=(12, 3 + 8)).astype(np.float32), np.arange(12) % 3
    objective = MetricObjective(track._model, track.recipe)
    entropy = -log_softmax(outputs[:, :3], axis=1)[np.arange(12), y].mean()
    triplets = float(triplet_loss(y, outputs[:, 3:], margin=0.7))

    assert float(keras.ops.mean(objective.loss(track.recipe)(y, outputs))) == pytest.approx(
        entropy + triplets, rel=1e-5
    )
    assert triplets > 0


def test_groups_of_gs_trs_affect_triplets_alone(
    finished: Callable[..., Any], image_subsets: dict[str, Objects]
) -> None:
    """The cross-entropy is that of classes; the triplet loss has a part across groups."""
    track = finished("gs-trs", clusters=2)
    data, _ = track._training_data(image_subsets["train"], image_subsets["valid"], np.random.default_rng(0))
    objective = GroupObjective(track._model, data, track.recipe)
    rng = np.random.default_rng(0)
    outputs, y, group = rng.normal(size=(12, 3 + 8)).astype(np.float32), np.arange(12) % 3, np.arange(12) % 2
    entropy = -log_softmax(outputs[:, :3], axis=1)[np.arange(12), y].mean()
    triplets = float(two_level_triplet_loss(y, 2 * y + group, outputs[:, 3:]))

    assert float(keras.ops.mean(objective.loss(track.recipe)(2 * y + group, outputs))) == pytest.approx(
        entropy + triplets, rel=1e-5
    )


def test_a_kept_track_predicts_the_same(
    finished: Callable[..., Any], image_subsets: dict[str, Objects], tmp_path: Path
) -> None:
    """A fresh instance with the same options needs the folder only."""
    track = finished("subclass-triplet", **DIVIDED)
    track.save(tmp_path)
    again: Any = get_track("subclass-triplet")(**{**OPTIONS, **DIVIDED})
    again.load(tmp_path)

    assert (again.predict(image_subsets["test"]) == track.predict(image_subsets["test"])).all()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("mining", "hardest", "Option mining is 'hardest'"),
        ("information", "mdl", "Option information is 'mdl'"),
        ("margin", -1, "Option margin is -1; expected a number of at least 0"),
        ("max_clusters", 0, "Option max_clusters is 0; expected a number of at least 1"),
    ],
)
def test_invalid_options_are_refused(option: str, value: object, message: str) -> None:
    """The message states the value and what was expected."""
    with pytest.raises(TrackError, match=message):
        get_track("subclass-triplet")(**{option: value})
