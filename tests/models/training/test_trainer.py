"""The trainer: judged as scikit-learn judges, stopped in time, taken up again as if nothing had happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.registry import get_track
from scipy.special import softmax
from sklearn.metrics import f1_score, log_loss

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
    """Stands for a signal."""


def fit(
    subsets: dict[str, Objects], *, log: Callable[[str], object] = print, scratch: Path | None = None, **options: object
) -> ImageTrack:
    """Return a fitted LeNet."""
    import keras

    track = get_track("cnn-lenet")(**{**OPTIONS, **options})
    keras.utils.set_random_seed(0)
    track.scratch, track.log = scratch, log
    track.fit(subsets["train"], subsets["valid"], rng=np.random.default_rng(0))
    return track  # type: ignore[return-value]


def kill_after(epochs: int) -> Callable[[str], None]:
    """Return what is told of epochs and raises after so many."""
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        if len(lines) == epochs:
            raise Killed

    return log


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("imbalance", ["class-weights", "balanced-batches"])
def test_a_killed_training_ends_as_an_undisturbed_one(
    image_subsets: dict[str, Objects], tmp_path: Path, epochs: int, imbalance: str
) -> None:
    """Taken up after its last finished epoch it repeats none, and its predictions are the same bits."""
    undisturbed = fit(image_subsets, imbalance=imbalance).predict(image_subsets["test"])
    with pytest.raises(Killed):
        fit(image_subsets, scratch=tmp_path, log=kill_after(epochs), imbalance=imbalance)
    lines: list[str] = []
    resumed = fit(image_subsets, scratch=tmp_path, log=lines.append, imbalance=imbalance)

    assert len(lines) == OPTIONS["epochs"] - epochs
    assert (resumed.predict(image_subsets["test"]) == undisturbed).all()


def test_the_state_of_another_training_is_not_taken_up(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """With another recipe the training begins anew."""
    with pytest.raises(Killed):
        fit(image_subsets, scratch=tmp_path, log=kill_after(2))
    lines: list[str] = []
    fit(image_subsets, scratch=tmp_path, log=lines.append, zoom=0.2)

    assert len(lines) == OPTIONS["epochs"]


def test_a_finished_training_is_not_trained_on(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """Killed between its last epoch and the storing of the run, it predicts at once."""
    first = fit(image_subsets, scratch=tmp_path)
    lines: list[str] = []
    again = fit(image_subsets, scratch=tmp_path, log=lines.append)

    assert lines == []
    assert (first.predict(image_subsets["test"]) == again.predict(image_subsets["test"])).all()


def test_it_is_judged_as_scikit_learn_judges(image_subsets: dict[str, Objects]) -> None:
    """Macro F1 and log loss of the kept epoch are those of its predictions of validation rows, to the last bit."""
    track = fit(image_subsets)
    valid = image_subsets["valid"]
    scores = track.predict(valid)
    macro_f1 = f1_score(valid.y, scores.argmax(axis=1), labels=np.unique(valid.y), average="macro", zero_division=0)

    assert track.chosen is not None
    assert track.chosen["valid_macro_f1"] == macro_f1
    assert track.chosen["valid_loss"] == pytest.approx(log_loss(valid.y, scores, labels=range(4)), rel=1e-6)
    assert max(track.chosen["valid_macro_f1_by_epoch"]) == macro_f1


def test_it_stops_when_there_is_no_progress(image_subsets: dict[str, Objects]) -> None:
    """At a learning rate of nothing the first epoch stays the best, and patience ends."""
    track = fit(image_subsets, learning_rate=0.0, schedule="constant", patience=2, epochs=9)

    assert track.chosen is not None
    assert (track.chosen["best_epoch"], track.chosen["epochs"]) == (1, 3)


def test_it_stops_when_time_runs_out(image_subsets: dict[str, Objects]) -> None:
    """Without minutes there is one step, the network is kept as it is then, and the card says so."""
    track = fit(image_subsets, minutes=0)

    assert track.chosen is not None
    assert (track.chosen["epochs"], track.chosen["out_of_time"]) == (1, True)
    assert np.isfinite(track.predict(image_subsets["test"])).all()


def test_each_epoch_is_told_in_one_line(image_subsets: dict[str, Objects]) -> None:
    """Epoch, macro F1 and the best so far."""
    lines: list[str] = []
    fit(image_subsets, log=lines.append, epochs=2)

    assert len(lines) == 2
    assert re.fullmatch(
        r"epoch 2 of 2: macro F1 [01]\.\d{3}, log loss .* on validation; best .* \(epoch [12]\); \d+ s", lines[1]
    )


def test_the_focal_loss_is_that_of_its_source() -> None:
    """-(1 - p)² log p, by NumPy."""
    from planktonbench.models.training.trainer import focal_loss

    logits = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    y = np.arange(9) % 4
    p = softmax(logits, axis=1)[np.arange(9), y]

    assert np.asarray(focal_loss(y, logits)) == pytest.approx(-((1 - p) ** 2) * np.log(p), rel=1e-4)


@pytest.mark.parametrize("imbalance", ["per-class-epoch", "augment-small", "oversample", "focal", "none"])
def test_every_strategy_learns(image_subsets: dict[str, Objects], imbalance: str) -> None:
    """Shapes are told apart under each strategy against imbalance."""
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
    """With eight views a turned object has the scores of the object as it is; without it has not."""
    alone, averaged = (fit(image_subsets, views=views, epochs=1) for views in (False, True))
    objects = image_subsets["test"]
    around = rotated(objects)

    assert averaged.predict(around) == pytest.approx(averaged.predict(objects), abs=1e-6)
    assert np.abs(alone.predict(around) - alone.predict(objects)).max() > 1e-3


def rotated(objects: Objects) -> Objects:
    """Return objects whose images are turned by a quarter."""
    from dataclasses import replace

    network_images: Any = objects.network_images
    turned: NDArray[np.uint8] = np.ascontiguousarray(np.rot90(network_images.grey, axes=(1, 2)))
    return replace(objects, network_images=replace(network_images, grey=turned))


def test_logs_for_tensorboard_are_written_when_asked_for(image_subsets: dict[str, Objects], tmp_path: Path) -> None:
    """The folder holds an event file after a training that names it, in a folder of this training."""
    pytest.importorskip("tensorboard")
    fit(image_subsets, epochs=1, tensorboard=str(tmp_path / "logs"))

    assert len(list((tmp_path / "logs").rglob("events.out.tfevents*"))) == 1


def test_logs_without_tensorboard_are_refused(
    image_subsets: dict[str, Objects], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says what to install."""
    from planktonbench.models.training import trainer as training

    monkeypatch.setattr(training, "find_spec", lambda _: None)

    with pytest.raises(TrackError, match=r"pip install 'planktonbench\[tensorboard\]'"):
        fit(image_subsets, tensorboard="logs")
