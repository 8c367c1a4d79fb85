"""Trainer: validation scores, stopping criteria, and resuming after a crash."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.protocol.track import TrackContext
from planktonbench.models.registry import get_track
from planktonbench.models.training.checkpoint import TrainingProgress
from planktonbench.models.training.recipe import Recipe
from planktonbench.models.training.trainer import ValidationResult, plateau_rate
from scipy.special import softmax
from sklearn.metrics import f1_score, log_loss, recall_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench import Objects
    from planktonbench.models.image_tracks.convolutional import ImageTrack

OPTIONS: dict[str, Any] = {
    "side": 32,
    "epochs": 5,
    "batch": 16,
    "schedule": "cosine",
    "flip": True,
    "zoom": 0.1,
    "dropout": 0.3,
}


class Killed(BaseException):
    """Stand-in for a signal."""


def fit(
    subsets: dict[str, Objects], *, log: Callable[[str], object] = print, scratch: Path | None = None, **options: object
) -> ImageTrack:
    """Return a fitted LeNet."""
    import keras

    track = get_track("cnn-lenet")(**{**OPTIONS, **options})
    keras.utils.set_random_seed(0)
    track.context = TrackContext(scratch=scratch, log=log)
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    return track  # type: ignore[return-value]


def kill_after(epochs: int) -> Callable[[str], None]:
    """Return a log function that raises after the given number of epochs."""
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        if len(lines) == epochs:
            raise Killed

    return log


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("imbalance", ["class-weights", "balanced-batches"])
def test_resumed_training_equals_an_uninterrupted_one(
    image_subsets: dict[str, Objects], tmp_path: Path, epochs: int, imbalance: str
) -> None:
    """Training resumes after the last finished epoch without repeating any, and predictions are bit-identical."""
    uninterrupted = fit(image_subsets, imbalance=imbalance).predict(image_subsets["test"])
    with pytest.raises(Killed):
        fit(image_subsets, scratch=tmp_path, log=kill_after(epochs), imbalance=imbalance)
    lines: list[str] = []
    resumed = fit(image_subsets, scratch=tmp_path, log=lines.append, imbalance=imbalance)

    assert len(lines) == OPTIONS["epochs"] - epochs
    assert (resumed.predict(image_subsets["test"]) == uninterrupted).all()


def test_state_of_another_training_is_ignored(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """With another recipe, training starts from the beginning."""
    with pytest.raises(Killed):
        fit(image_subsets, scratch=tmp_path, log=kill_after(2))
    lines: list[str] = []
    fit(image_subsets, scratch=tmp_path, log=lines.append, zoom=0.2)

    assert len(lines) == OPTIONS["epochs"]


def test_finished_training_is_not_continued(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """If a run was killed after its last epoch but before it was stored, the next attempt only predicts."""
    first = fit(image_subsets, scratch=tmp_path)
    lines: list[str] = []
    again = fit(image_subsets, scratch=tmp_path, log=lines.append)

    assert lines == []
    assert (first.predict(image_subsets["test"]) == again.predict(image_subsets["test"])).all()


def test_validation_scores_equal_those_of_scikit_learn(image_subsets: dict[str, Objects]) -> None:
    """Macro F1 of the kept epoch equals that of its predictions of validation rows exactly, log loss to 1e-6."""
    track = fit(image_subsets)
    valid = image_subsets["valid"]
    scores = track.predict(valid)
    macro_f1 = f1_score(valid.y, scores.argmax(axis=1), labels=np.unique(valid.y), average="macro", zero_division=0)

    assert track.chosen is not None
    assert track.chosen["valid_macro_f1"] == macro_f1
    assert track.chosen["valid_loss"] == pytest.approx(log_loss(valid.y, scores, labels=range(4)), rel=1e-6)
    (trial,) = track.trials
    assert trial.curve is not None
    assert max(trial.curve.scores) == trial.valid_macro_f1 == macro_f1


def test_balanced_loss_chooses_the_epoch(image_subsets: dict[str, Objects]) -> None:
    """With this criterion, the kept epoch has the lowest mean over classes of the mean log loss of their rows."""
    track = fit(image_subsets, criterion="balanced-loss", patience=5)
    valid = image_subsets["valid"]
    losses = -np.log(track.predict(valid)[np.arange(len(valid)), valid.y])
    expected = np.mean([losses[valid.y == code].mean() for code in np.unique(valid.y)])

    assert track.chosen is not None
    assert track.chosen["valid_loss"] == pytest.approx(expected, rel=1e-5)
    (trial,) = track.trials
    assert trial.curve is not None
    assert trial.curve.measure == "log loss"
    assert min(trial.curve.scores) == pytest.approx(expected, rel=1e-5)


def test_shares_of_false_negatives_equal_recall(image_subsets: dict[str, Objects]) -> None:
    """They are one minus the recall of scikit-learn; a class without validation rows has none."""
    valid = image_subsets["valid"]
    scores = np.random.default_rng(0).dirichlet(np.ones(4), len(valid))
    codes = np.arange(4)
    data: Any = SimpleNamespace(valid_y=valid.y, codes=codes)
    found = ValidationResult.of(data, scores).false_negatives
    recalls = recall_score(valid.y, scores.argmax(axis=1), labels=codes, average=None, zero_division=np.nan)

    np.testing.assert_allclose(found, 1 - recalls)
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([], 1e-3),
        ([3, 2, 1], 1e-3),
        ([1, 1], 1e-3),
        ([1, 1, 1], 1e-4),
        ([1, 2, 3, 0.5, 2], 1e-4),
        ([1, 2, 3, 2, 2], 1e-5),
        ([1] * 20, 1e-6),
    ],
)
def test_rate_falls_on_a_plateau(losses: list[float], expected: float) -> None:
    """It falls after two epochs without improvement, again after two more, and not below the least rate."""
    recipe = Recipe(schedule="plateau", decay_patience=2, least_rate=1e-6)

    assert plateau_rate(losses, recipe) == pytest.approx(expected)


def test_plateau_survives_a_crash(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """Training resumes with the learning rate that had been reached, and predictions are bit-identical."""
    options: dict[str, Any] = {"schedule": "plateau", "decay_patience": 1, "learning_rate": 0.02, "epochs": 4}
    uninterrupted = fit(image_subsets, **options)
    with pytest.raises(Killed):
        fit(image_subsets, scratch=tmp_path, log=kill_after(3), **options)
    resumed = fit(image_subsets, scratch=tmp_path, **options)

    assert (resumed.predict(image_subsets["test"]) == uninterrupted.predict(image_subsets["test"])).all()
    rates = [float(track._model.optimizer.learning_rate.numpy()) for track in (uninterrupted, resumed)]
    assert rates[0] == rates[1]


def test_training_stops_without_progress(image_subsets: dict[str, Objects]) -> None:
    """With a learning rate of 0 the first epoch stays the best, and training stops after `patience` epochs."""
    track = fit(image_subsets, learning_rate=0.0, schedule="constant", patience=2, epochs=9)

    assert track.chosen is not None
    assert (track.chosen["best_epoch"], track.chosen["epochs"]) == (1, 3)
    assert [trial.curve.stopped for trial in track.trials if trial.curve is not None] == ["patience"]


def test_training_stops_at_its_time_limit(image_subsets: dict[str, Objects]) -> None:
    """With a time limit of 0 there is one step, its network is kept, and the card records it."""
    track = fit(image_subsets, minutes=0)

    assert track.chosen is not None
    assert (track.chosen["epochs"], track.chosen["out_of_time"]) == (1, True)
    assert np.isfinite(track.predict(image_subsets["test"])).all()


def test_each_epoch_logs_one_line(image_subsets: dict[str, Objects]) -> None:
    """The line has the epoch, macro F1 and the best epoch so far."""
    lines: list[str] = []
    fit(image_subsets, log=lines.append, epochs=2)

    assert len(lines) == 2
    assert re.fullmatch(
        r"epoch 2 of 2: macro F1 [01]\.\d{3}, log loss .* on validation; best .* \(epoch [12]\); \d+ s", lines[1]
    )


def test_focal_loss_equals_its_formula() -> None:
    """The loss is -(1 - p)² log p, computed with NumPy."""
    from planktonbench.models.training.objective import focal_loss

    logits = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    y = np.arange(9) % 4
    p = softmax(logits, axis=1)[np.arange(9), y]

    assert np.asarray(focal_loss(y, logits)) == pytest.approx(-((1 - p) ** 2) * np.log(p), rel=1e-4)


@pytest.mark.parametrize("imbalance", ["per-class-epoch", "augment-small", "oversample", "focal", "none"])
def test_every_strategy_learns(image_subsets: dict[str, Objects], imbalance: str) -> None:
    """Shapes are separated with each strategy against imbalance."""
    options: dict[str, Any] = {
        "imbalance": imbalance,
        "per_class": 40,
        "epochs": 12,
        "dropout": 0.0,
        "schedule": "constant",
    }
    scores = fit(image_subsets, **options).predict(image_subsets["test"])

    assert (scores.argmax(axis=1) == image_subsets["test"].y).mean() > 0.8


def test_views_are_averaged(image_subsets: dict[str, Objects]) -> None:
    """With eight views a turned object has the same scores as the original, otherwise it has not."""
    alone, averaged = (fit(image_subsets, views=views, epochs=1) for views in (False, True))
    objects = image_subsets["test"]
    around = rotated(objects)

    assert averaged.predict(around) == pytest.approx(averaged.predict(objects), abs=1e-6)
    assert np.abs(alone.predict(around) - alone.predict(objects)).max() > 1e-3


def rotated(objects: Objects) -> Objects:
    """Return objects with images turned by 90 degrees."""
    from dataclasses import replace

    network_images: Any = objects.network_images
    turned: NDArray[np.uint8] = np.ascontiguousarray(np.rot90(network_images.grey, axes=(1, 2)))
    return replace(objects, network_images=replace(network_images, grey=turned))


def test_tensorboard_logs_are_written_on_request(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """The given folder has an event file in a subfolder for this training."""
    pytest.importorskip("tensorboard")
    fit(image_subsets, epochs=1, tensorboard=str(tmp_path / "logs"))

    assert len(list((tmp_path / "logs").rglob("events.out.tfevents*"))) == 1


def test_tensorboard_option_without_the_package_is_refused(
    image_subsets: dict[str, Objects], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message states what to install."""
    from planktonbench.models.training import trainer as training

    monkeypatch.setattr(training, "find_spec", lambda _: None)

    with pytest.raises(TrackError, match=r"pip install 'planktonbench\[tensorboard\]'"):
        fit(image_subsets, tensorboard="logs")


def test_an_undefined_loss_is_never_the_best() -> None:
    """A loss that is not a number in the first epoch does not keep later epochs from being kept."""
    progress = TrainingProgress([0.1, 0.2, 0.3], [np.nan, 2.0, 3.0], criterion="balanced-loss")

    assert progress.best == 1
