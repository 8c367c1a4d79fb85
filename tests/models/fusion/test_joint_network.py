"""Joint fusion: a network with two branches solves what neither branch can alone; invalid options are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.errors import TrackError
from planktonbench.models.fusion.joint_network import FusionJoint
from planktonbench.models.image_tracks.convolutional import LeNet
from planktonbench.models.protocol.track import BaseRun, TrackContext
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from planktonbench import Objects

BASE = {"side": 32, "epochs": 8, "batch": 16}
JOINT = {**BASE, "epochs": 12, "rotate90": False, "flip": False}
SPLIT = ("bar", "disc", "never seen", "large disc")


@pytest.fixture(scope="module")
def halves(image_subsets: dict[str, Objects]) -> dict[str, Objects]:
    """Objects whose image separates bar from disc, and whose table separates large discs; some values missing."""
    found = {}
    for subset, objects in image_subsets.items():
        rng = np.random.default_rng(len(objects))
        kept = objects.take(np.flatnonzero(objects.y < 2))
        large = (kept.y == 1) & (rng.random(len(kept)) < 0.5)
        table = pd.DataFrame(
            {"size": np.where(large, 8.0, -8.0) + rng.normal(size=len(kept)), "noise": rng.normal(size=len(kept))}
        )
        table.loc[table.index[::9], "noise"] = np.nan
        native = table.set_index(pd.Index(kept.object_ids, name="object_id"))
        found[subset] = replace(kept, classes=SPLIT, native=native, codes=np.where(large, 3, kept.y))
    return found


@pytest.fixture(scope="module")
def base_run(halves: dict[str, Objects]) -> BaseRun:
    """Base run of a network that was trained on the images alone."""
    keras.utils.set_random_seed(0)
    network = LeNet(**BASE)
    network.warm_up()
    network.fit(halves["train"], halves["valid"], rng=np.random.default_rng(0))
    embeddings = pd.concat(
        [
            pd.DataFrame(network.embeddings(one.without_labels()), index=pd.Index(one.object_ids))
            for one in halves.values()
        ]
    )
    return BaseRun("cnn-lenet", LeNet, BASE, pd.DataFrame(), embeddings)


def fitted(
    subsets: Mapping[str, Objects],
    base_run: BaseRun,
    **options: Any,  # noqa: ANN401 - options of the track
) -> tuple[FusionJoint, NDArray[np.float64]]:
    """Fit a joint network from a fixed state of the libraries; return it with its scores of the test objects."""
    keras.utils.set_random_seed(5)
    track = FusionJoint(**options)
    track.context = TrackContext(base_runs={"cnn-lenet": base_run})
    track.warm_up()
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(2))
    return track, track.predict(subsets["test"].without_labels())


def macro_f1(objects: Objects, scores: NDArray[np.float64]) -> float:
    """Return macro F1 over the classes that occur."""
    return float(f1_score(objects.y, scores.argmax(axis=1), average="macro", zero_division=0))


@pytest.mark.parametrize("join", ["together", "late"])
def test_both_branches_are_used(halves: dict[str, Objects], base_run: BaseRun, join: str) -> None:
    """Neither image nor table alone separates all classes; a class without rows has score 0, and rows sum to one."""
    track, scores = fitted(halves, base_run, join=join, **JOINT)

    assert macro_f1(halves["test"], scores) > 0.9
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert (scores[:, 2] == 0).all()
    assert track.base_models == ("cnn-lenet", "xgb-native")
    assert set(track.preparation()["feature"]) == {"size", "noise"}
    assert track.embeddings(halves["test"]).shape[0] == len(halves["test"])


def test_training_is_reproducible(halves: dict[str, Objects], base_run: BaseRun) -> None:
    """Two trainings with the same seed give bit-identical scores."""
    found = [fitted(halves, base_run, **{**JOINT, "epochs": 2})[1] for _ in range(2)]

    np.testing.assert_array_equal(*found)


def test_late_uses_stored_embeddings_only(halves: dict[str, Objects], base_run: BaseRun) -> None:
    """With shuffled embeddings the score drops, so the images themselves are not used."""
    assert base_run.embeddings is not None
    shuffled = base_run.embeddings.sample(frac=1, random_state=0).set_axis(base_run.embeddings.index)

    _, scores = fitted(halves, replace(base_run, embeddings=shuffled), join="late", **JOINT)

    assert macro_f1(halves["test"], scores) < 0.8


def test_late_refuses_augmentation() -> None:
    """Stored embeddings cannot be augmented; the message names the options to set."""
    with pytest.raises(TrackError, match="expected rotate90, flip and views false"):
        FusionJoint(join="late")
    with pytest.raises(TrackError, match="Did you mean late"):
        FusionJoint(join="lately")
