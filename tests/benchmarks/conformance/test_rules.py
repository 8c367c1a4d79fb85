"""Conformance rules: shipped tracks follow all of them, and each violation is reported with the expectation."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench import Objects, Track
from planktonbench.benchmarks.conformance.rules import RULES, conformance
from planktonbench.benchmarks.conformance.synthetic_objects import (
    CLASSES,
    IDS,
    ImagesInMemory,
    renamed,
    synthetic_objects,
)
from planktonbench.features.network_images.form import ImageForm
from planktonbench.models import registry
from planktonbench.models.networks.missing_weights import MissingWeights
from planktonbench.models.registry import SHIPPED, get_track
from sklearn.neighbors import KNeighborsClassifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUICK = [name for name in SHIPPED if get_track(name).inputs == {"native"} and not name.startswith("fusion-")]


class Nearest(Track):
    """A track that follows the rules: fractions of the classes among the three nearest training areas."""

    name = "nearest"
    inputs = frozenset({"native"})

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Keep the areas."""
        self.areas, self.labels = train.table["area"].fillna(0).to_numpy(), train.y

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Count the labels of the nearest neighbours."""
        areas = objects.table["area"].fillna(0).to_numpy()
        near = abs(areas[:, None] - self.areas).argsort(axis=1)[:, :3]
        return np.eye(len(objects.classes))[self.labels[near]].mean(axis=1)


class Raises(Nearest):
    """Fails in fit."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Learn, then fail."""
        super().fit(train, valid, rng=rng)
        message = "boom"
        raise RuntimeError(message)


class RaisesInLibrary(Nearest):
    """Passes missing values to a library that does not accept them."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Fail inside the library."""
        KNeighborsClassifier().fit(train.table, train.y)


class CannotBeMade(Nearest):
    """Fails in its constructor."""

    def __init__(self, depth: int = 3) -> None:
        self.depth = depth / 0


class TooFewColumns(Nearest):
    """Omits the classes without training rows."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the columns of trained classes only."""
        return super().predict(objects)[:, np.unique(self.labels)]


class NotNumbers(Nearest):
    """Returns NaN."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return NaN for all objects."""
        return super().predict(objects) * np.nan


class NoProbabilities(Nearest):
    """Returns counts."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return counts."""
        return super().predict(objects) * 3


class LooksAtLabels(Nearest):
    """Uses labels in predict."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the truth."""
        return np.eye(len(objects.classes))[objects.y]


class Forgets(Nearest):
    """Returns different scores each time."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Count the calls."""
        self.predictions = getattr(self, "predictions", 0) + 1
        return np.roll(super().predict(objects), self.predictions, axis=1)


class SortsById(Nearest):
    """Returns rows in the order of the ids."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the scores sorted by id."""
        return super().predict(objects)[np.argsort(objects.object_ids)]


class NormalisesTheBatch(Nearest):
    """Normalises by the objects of the call."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Split at the mean of the batch."""
        areas = objects.table["area"].fillna(0).to_numpy()
        larger = (areas > areas.mean()).astype(np.intp)
        return np.eye(len(objects.classes))[larger]


class OneIsTooFew(Nearest):
    """Cannot predict one object."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Lose the axis of a single row."""
        return super().predict(objects).squeeze()


class DrawsGlobally(Nearest):
    """Draws from the global generator."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Draw labels."""
        self.areas, self.labels = train.table["area"].fillna(0).to_numpy(), np.random.permutation(train.y)  # noqa: NPY002 - the fault


class DrawsFromTheClock(DrawsGlobally):
    """Draws from its own generator without a seed."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Draw labels."""
        super().fit(train, valid, rng=rng)
        self.labels = np.random.default_rng().permutation(train.y)


class SeedsGlobally(DrawsGlobally):
    """Sets the seed of the global generator."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Set the seed and draw."""
        np.random.seed(42)  # noqa: NPY002 - the fault
        super().fit(train, valid, rng=rng)


class SeedsPython(Nearest):
    """Sets the seed of Python's generator."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Set the seed."""
        random.seed(42)
        super().fit(train, valid, rng=rng)


class FillsInPlace(Nearest):
    """Fills missing values in the table passed to fit."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Fill the table in place."""
        train.table.fillna(0, inplace=True)
        super().fit(train, valid, rng=rng)


class ScalesInPlace(Nearest):
    """Scales the table passed to predict."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Predict, then scale."""
        scores = super().predict(objects)
        objects.table["area"] /= 2
        return scores


class PeeksAtTest(Track):
    """Reads images of test objects during fit."""

    name = "peeks"
    inputs = frozenset({"images"})

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Read an image of a test object."""
        assert train.images is not None
        train.images.read(IDS.of(["test-0"])[0])

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Never reached."""
        raise NotImplementedError


class UsesIds(Nearest):
    """Predicts by the id of an object."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Take the class from the last digit of the id."""
        codes = [int(object_id[-1], 16) % len(objects.classes) for object_id in objects.object_ids]
        return np.eye(len(objects.classes))[codes]


class LearnsIds(Nearest):
    """Learns from the ids of training objects."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Take the labels from the last digits of the ids."""
        super().fit(train, valid, rng=rng)
        self.labels = np.array([int(object_id[-1], 16) % len(train.classes) for object_id in train.object_ids])


class UsesPositions(Nearest):
    """Predicts by the position of an object."""

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Cut the rows into as many blocks as there are classes."""
        return np.eye(len(objects.classes))[np.arange(len(objects)) * len(objects.classes) // len(objects)]


class ReadsPaths(PeeksAtTest):
    """Reads the names of the files of images, as an image store has them."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Read the file names."""
        self.names = dict(train.images.members)  # type: ignore[union-attr]  # the fault


class Kept(Nearest):
    """Can be kept."""

    name = "kept"
    can_be_kept = True

    def save(self, folder: Path) -> None:
        """Write areas and labels."""
        np.savez(folder / "learnt.npz", areas=self.areas, labels=self.labels)

    def load(self, folder: Path) -> None:
        """Read areas and labels."""
        stored = np.load(folder / "learnt.npz")
        self.areas, self.labels = stored["areas"], stored["labels"]


class LosesHalf(Kept):
    """Does not save its labels, and reads those of a class."""

    def load(self, folder: Path) -> None:
        """Read the areas alone."""
        super().load(folder)
        self.labels = np.zeros_like(self.labels)


class ReadsLater(Kept):
    """Reads its files when it predicts."""

    def load(self, folder: Path) -> None:
        """Keep the folder."""
        self.folder = folder

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Read the files if there is a folder."""
        if hasattr(self, "folder"):
            super().load(self.folder)
        return super().predict(objects)


class WritesObjects(Kept):
    """Writes an array of objects, which is a pickle."""

    def save(self, folder: Path) -> None:
        """Write the areas as objects."""
        np.savez(folder / "learnt.npz", areas=self.areas.astype(object), labels=self.labels)


class LosesEmbeddings(Kept):
    """Embeds by something that is not saved."""

    def embeddings(self, objects: Objects) -> NDArray[np.float32]:
        """Return whether the track was fitted."""
        return np.full((len(objects), 2), hasattr(self, "fitted"), np.float32)

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Note that it was fitted."""
        super().fit(train, valid, rng=rng)
        self.fitted = True


class Continues(Kept):
    """Starts from another fitted track."""

    name = "continues-kept"
    continues = "kept"  # type: ignore[assignment]  # a constant property

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Add the areas of the other track."""
        super().fit(train, valid, rng=rng)
        base: Any = self.context.base_run("kept").restored()
        self.areas, self.labels = np.r_[self.areas, base.areas], np.r_[self.labels, base.labels]


class ContinuesWithoutModel(Continues):
    """Starts from a track that cannot be kept."""

    continues = "majority"  # type: ignore[assignment]  # a constant property


class Cuts(Track):
    """A clustering that follows the rules: two clusters by the mean of a feature."""

    name = "cuts"
    task = "clustering"
    inputs = frozenset({"native"})

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Keep the mean."""
        self.mean = train.table["area"].mean()

    def predict(self, objects: Objects) -> NDArray[np.generic]:
        """Compare with the mean."""
        return (objects.table["area"] > self.mean).to_numpy().astype(np.int64)


class ClustersByLabel(Cuts):
    """A clustering that uses labels, which it does not receive."""

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:
        """Ask for the labels."""
        super().fit(train, valid, rng=rng)
        self.most = np.bincount(train.y).argmax()


class ClusterNames(Cuts):
    """Returns text instead of cluster numbers."""

    def predict(self, objects: Objects) -> NDArray[np.generic]:
        """Name the clusters."""
        return np.where(super().predict(objects) > 0, "large", "small")


class NoiseBelowZero(Cuts):
    """Marks objects by a negative number."""

    def predict(self, objects: Objects) -> NDArray[np.generic]:
        """Return -1 and 0."""
        return super().predict(objects) - 1


class ClustersTheBatch(Cuts):
    """Compares objects with the mean of the same call."""

    def predict(self, objects: Objects) -> NDArray[np.generic]:
        """Compare with the mean of the objects to predict."""
        area = objects.table["area"].fillna(0)
        return (area > area.mean()).to_numpy().astype(np.int64)


BROKEN: list[tuple[type[Track], str, str]] = [
    (Raises, "fit", r"it raised RuntimeError: boom \(test_rules.py:\d+\)"),
    (RaisesInLibrary, "fit", r"it raised ValueError: Input X contains NaN.*\(test_rules.py:\d+\)"),
    (CannotBeMade, "made", "ZeroDivisionError"),
    (TooFewColumns, "output", r"returned shape \(17, 3\) of dtype float64; expected \(17, 5\)"),
    (NotNumbers, "output", "not finite"),
    (NoProbabilities, "output", "expected values from 0 to 1 that sum to one"),
    (LooksAtLabels, "output", "These objects have no labels"),
    (Forgets, "repeat", r"in a second call for the same objects, Forgets returns a different output for 17 of 17"),
    (SortsById, "order", "for the same objects in another order"),
    (NormalisesTheBatch, "company", "alone, NormalisesTheBatch returns a different output"),
    (OneIsTooFew, "company", r"shape \(5,\) of dtype float64; expected \(1, 5\)"),
    (DrawsGlobally, "rng", "random_state=int"),
    (DrawsFromTheClock, "rng", "fitted again with the same rng"),
    (SeedsGlobally, "global", "global generator np.random in the same state"),
    (FillsInPlace, "inputs", "fit modified the native table of the training objects"),
    (ScalesInPlace, "inputs", "predict modified the native table of the objects to predict"),
    (PeeksAtTest, "fit", "Object o[0-9a-f]{20} has no readable image"),
    (UsesIds, "ids", "under other ids, UsesIds returns a different output for"),
    (LearnsIds, "ids", "fitted to the same objects under other ids"),
    (ReadsPaths, "fit", "'ImagesInMemory' object has no attribute 'members'"),
    (ClustersByLabel, "fit", "only if its task uses labels"),
    (ClusterNames, "output", r"of dtype <U5; expected \(17,\) of an integer dtype"),
    (NoiseBelowZero, "output", "returned -1 for object o"),
    (LosesHalf, "kept", "after save, and load in a new instance, LosesHalf returns a different output for"),
    (ReadsLater, "kept", r"it raised FileNotFoundError.*learnt.npz"),
    (WritesObjects, "kept", "wrote learnt.npz, which is or contains a pickle"),
    (LosesEmbeddings, "kept", "LosesEmbeddings returns different embeddings; expected the same"),
    (
        ContinuesWithoutModel,
        "fit",
        "it continues 'majority', which cannot be kept; expected a track with save and load",
    ),
    (ClustersTheBatch, "company", r"has cluster \d; expected cluster \d as before"),
]


def broken_rules(track: type[Track]) -> dict[str, str]:
    """Return the rules that a track breaks, each with its message."""
    return {verdict.rule.name: verdict.message for verdict in conformance(track) if verdict.state == "failed"}


@pytest.mark.parametrize("name", QUICK)
def test_shipped_tracks_follow_every_rule(name: str) -> None:
    """No shipped track breaks a rule."""
    verdicts = list(conformance(get_track(name)))

    assert [verdict.rule for verdict in verdicts] == list(RULES)
    assert {verdict.state for verdict in verdicts} == {"passed"}, verdicts


@pytest.mark.parametrize("name", ["cnn-lenet", "fusion-stack", "fusion-joint"])
def test_a_network_and_fusions_follow_every_rule(name: str) -> None:
    """Network images are made in memory, and the base models of a fusion are fitted first."""
    assert broken_rules(get_track(name)) == {}


@pytest.mark.parametrize("track", [Nearest, Cuts, Kept])
def test_a_track_that_follows_all_rules_gets_no_message(track: type[Track]) -> None:
    """The counterpart of the broken tracks below."""
    assert [(verdict.state, verdict.message) for verdict in conformance(track)] == [("passed", "")] * len(RULES)


@pytest.mark.parametrize(("track", "rule", "message"), BROKEN, ids=[track.__name__ for track, _, _ in BROKEN])
def test_one_fault_breaks_one_rule(track: type[Track], rule: str, message: str) -> None:
    """One fault breaks one rule, and the message contains the result and the expectation."""
    broken = broken_rules(track)

    assert list(broken) == [rule]
    assert re.search(message, broken[rule]), broken


def test_a_track_that_continues_another_is_fitted_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is saved, and loaded by it; nothing remains on the disk."""
    monkeypatch.setitem(registry._registered, "kept", Kept)
    before = set(Path(gettempdir()).glob("planktonbench-*"))
    verdicts = {verdict.rule.name: verdict for verdict in conformance(Continues)}

    assert {verdict.state for verdict in verdicts.values()} == {"passed"}, verdicts
    assert verdicts["made"].message == "it continues kept, which is fitted first"
    assert set(Path(gettempdir()).glob("planktonbench-*")) == before


def test_predictions_by_position_break_rules() -> None:
    """They follow neither the order of the objects nor the company."""
    assert list(broken_rules(UsesPositions)) == ["order", "company"]


def test_python_s_generator_is_checked_unless_keras_draws_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras seeds its layers by Python's generator, which is therefore not checked if Keras is imported."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)

    broken = broken_rules(SeedsPython)

    assert list(broken) == ["global"]
    assert "global generator random in the same state" in broken["global"]


def test_what_cannot_be_tried_says_why() -> None:
    """After a failed fit, predict is not called, and each rule names the failed one that it needs."""
    verdicts = {verdict.rule.name: verdict for verdict in conformance(Raises)}

    assert verdicts["output"].state == "not tried"
    assert verdicts["output"].message == "because 'fit' failed"
    assert verdicts["order"].message == "because 'repeat' failed"
    assert "RuntimeError: boom" in verdicts["fit"].trace


def test_a_track_without_its_weights_is_not_judged() -> None:
    """Missing weights are not a fault of the method."""

    class NoWeights(Nearest):
        """Lacks its weights."""

        def warm_up(self) -> None:
            """Fail to find the weights."""
            message = "no weights"
            raise MissingWeights(message)

    with pytest.raises(MissingWeights, match="no weights"):
        list(conformance(NoWeights))


def test_synthetic_objects_have_the_documented_difficulties() -> None:
    """Values are missing, classes lack training rows or all rows, and test images have a separate reader."""
    made = synthetic_objects({"native", "images"}, ImageForm(32))

    trained = {CLASSES[code] for code in made.train.y}

    assert trained == {"bar", "disc", "ring"}
    assert {CLASSES[code] for code in made.valid.y} == {"bar", "disc", "ring", "untrained"}
    assert all(objects.table.isna().any().any() for objects in (made.train, made.valid, made.test))
    assert made.test.codes is None
    assert isinstance(made.train.images, ImagesInMemory)
    assert made.train.images.images.keys().isdisjoint(made.test.object_ids)


def test_synthetic_objects_are_reproducible() -> None:
    """Two calls make equal tables, labels and network images; inputs that are not requested are None."""
    one, other = (synthetic_objects({"native", "images"}, ImageForm(32)) for _ in range(2))
    plain = synthetic_objects({"native"}, None)

    assert one.train.table.equals(other.train.table)
    assert one.train.network_images is not None
    assert other.train.network_images is not None
    assert np.array_equal(one.train.network_images.grey, other.train.network_images.grey)
    assert plain.train.images is None
    assert plain.train.network_images is None
    assert plain.train.table.equals(one.train.table)


def test_renamed_objects_are_the_same_objects() -> None:
    """Features, images and network images of each row stay; no id does."""
    made = synthetic_objects({"native", "images"}, ImageForm(32)).test
    other = renamed(made)

    assert set(made.object_ids).isdisjoint(other.object_ids)
    assert np.array_equal(made.table.to_numpy(), other.table.to_numpy(), equal_nan=True)
    assert made.images is not None
    assert other.images is not None
    for object_id, other_id in zip(made.object_ids, other.object_ids, strict=True):
        assert np.array_equal(made.images.read(object_id), other.images.read(other_id))
    batches = [one.network_images.batch(one.network_images.rows(one.object_ids)) for one in (made, other)]  # type: ignore[union-attr]  # made above
    assert np.array_equal(*batches)
