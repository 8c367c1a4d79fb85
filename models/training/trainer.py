"""Trainer of all image tracks."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops
from scipy.special import softmax

from ...data_manifests.errors import TrackError
from ...data_manifests.seeds import sha256_text
from ..protocol.validation_score import macro_f1
from .augmentation import VIEWS
from .batches import Examples, PredictionBatches, TrainingBatches
from .checkpoint import (
    Checkpoint,
    State,
    TrainingProgress,
    model_values,
    set_model_values,
    set_training_values,
    training_values,
)
from .loop import predicted, train_epochs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .recipe import Recipe

FOCAL_GAMMA = 2.0  # Lin et al. 2017, section 5.1
WARM_UP = 1 / 20  # of all steps


@dataclass(frozen=True)
class TrainingData:
    """Training and validation data of a network.

    Attributes:
        train: training objects.
        y: their classes as positions in `codes`, int64 of shape (n_train,).
        valid: validation objects.
        valid_y: their class codes, int64 of shape (n_valid,); some may have no training rows.
        codes: class codes that have training rows, sorted.
        seed: seed of all draws.

    """

    train: Examples
    y: NDArray[np.int64]
    valid: Examples
    valid_y: NDArray[np.int64]
    codes: NDArray[np.int64]
    seed: int

    def identity(self, recipe: Recipe) -> str:
        """Return a hash of everything that determines this training run."""
        arrays = (self.train.rows, self.y, self.valid.rows, self.valid_y)
        texts = [repr(recipe), str(self.seed), keras.version(), keras.config.backend()]
        return sha256_text(*texts, *(array.tobytes().hex() for array in arrays))


def train(
    model: keras.Model,
    training_data: TrainingData,
    recipe: Recipe,
    *,
    scratch: Path | None,
    log: Callable[[str], object],
) -> TrainingProgress:
    """Train a network and restore the weights of the epoch that was best on validation rows.

    Args:
        model: uncompiled network; it is compiled here.
        training_data: training and validation objects.
        recipe: how to train.
        scratch: folder of this run for the state after each epoch; training resumes from the state of a killed attempt.
        log: function that logs a line after each epoch.

    Returns:
        The scores of all epochs.

    """
    batches = TrainingBatches(training_data.train, training_data.y, recipe, training_data.seed)
    compile_for(model, recipe, steps=recipe.epochs * len(batches))
    checkpoint = Checkpoint(scratch, training_data.identity(recipe))
    monitor = TrainingMonitor(training_data, batches, recipe, checkpoint, log)
    state = checkpoint.read()
    if state is not None:
        set_training_values(model, state.current)
        monitor.state = state
    progress = monitor.state.progress
    if not monitor.is_over():
        callbacks = [monitor, *_tensorboard(recipe, checkpoint)]
        train_epochs(model, batches, range(progress.epochs, recipe.epochs), callbacks)
    set_model_values(model, monitor.state.best)
    return progress


def compile_for(model: keras.Model, recipe: Recipe, steps: int) -> None:
    """Compile a network with the optimiser and loss of a recipe.

    Args:
        model: network that returns logits.
        recipe: learning rate, schedule, weight decay, and whether the loss is focal.
        steps: total number of training steps, for the schedule.

    """
    rate: Any = recipe.learning_rate
    if recipe.schedule == "cosine":
        warm = math.ceil(WARM_UP * steps)
        rate = keras.optimizers.schedules.CosineDecay(0.0, max(1, steps - warm), warmup_target=rate, warmup_steps=warm)
    if recipe.weight_decay:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        optimizer = keras.optimizers.Adam(rate)
    loss = focal_loss if recipe.imbalance == "focal" else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    optimizer.build(model.trainable_variables)  # otherwise TensorFlow traces the first step twice, taking many seconds


def focal_loss(y: Any, logits: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
    """Return cross-entropy times (1 - p) ** gamma for each row, where p is the probability of its class.

    Lin et al. 2017, "Focal Loss for Dense Object Detection" (doi 10.1109/ICCV.2017.324), equation 4.

    Args:
        y: class codes of shape (n,) or (n, 1).
        logits: of shape (n, n_classes).

    Returns:
        Of shape (n,).

    """
    classes = ops.one_hot(ops.cast(ops.reshape(y, (-1,)), "int32"), ops.shape(logits)[-1], dtype=logits.dtype)
    log_p = ops.sum(classes * ops.log_softmax(logits), axis=-1)
    return -((1 - ops.exp(log_p)) ** FOCAL_GAMMA) * log_p


def probabilities(model: keras.Model, examples: Examples, *, views: bool = False) -> NDArray[np.float64]:
    """Return probabilities, float64 of shape (n_objects, n_outputs); with `views`, the mean over the eight views."""
    shown = range(VIEWS if views else 1)
    found = [softmax(predicted(model, PredictionBatches(examples, view)).astype(np.float64), axis=1) for view in shown]
    return np.asarray(np.mean(found, axis=0))


def validation_scores(training_data: TrainingData, scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return macro F1 over the classes of the validation rows, and log loss over rows of classes seen in training."""
    truth = training_data.valid_y
    known = np.flatnonzero(np.isin(truth, training_data.codes))
    p = scores[known, np.searchsorted(training_data.codes, truth[known])]
    loss = -np.log(np.maximum(p, np.finfo(np.float32).tiny)).mean() if len(known) else 0.0
    return macro_f1(truth, training_data.codes[scores.argmax(axis=1)]), float(loss)


class TrainingMonitor(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Callback that after each epoch scores the network, keeps the best, stores the state, logs, and stops if due.

    Args:
        training_data: data whose validation rows are scored.
        batches: batches, redrawn at the beginning of each epoch.
        recipe: epochs, minutes and patience.
        checkpoint: stores the state.
        log: function that logs a line after each epoch.

    """

    def __init__(
        self,
        training_data: TrainingData,
        batches: TrainingBatches,
        recipe: Recipe,
        checkpoint: Checkpoint,
        log: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.training_data = training_data
        self.batches = batches
        self.recipe = recipe
        self.checkpoint = checkpoint
        self.log = log
        self.state = State(TrainingProgress(), [], [])

    def is_over(self) -> bool:
        """Return whether all epochs are done, time has run out, or patience is exhausted."""
        progress = self.state.progress
        waited = progress.epochs - 1 - progress.best if progress.epochs else 0
        return progress.out_of_time or progress.epochs >= self.recipe.epochs or waited >= self.recipe.patience

    def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature, here and below
        """Start the clock; the time of earlier attempts counts."""
        self._clock = time.monotonic() - self.state.progress.seconds

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Draw the rows of the epoch."""
        self.batches.draw(epoch)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        """Stop within an epoch when the time limit is reached."""
        if time.monotonic() - self._clock > 60 * self.recipe.minutes:
            self.state.progress.out_of_time = True
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Score the network, keep the best, store the state, log, and stop if due."""
        progress = self.state.progress
        score, loss = validation_scores(self.training_data, probabilities(self.model, self.training_data.valid))
        progress.macro_f1.append(score)
        progress.loss.append(loss)
        progress.seconds = time.monotonic() - self._clock
        if progress.best == epoch:
            self.state.best = model_values(self.model)
        if self.checkpoint.folder is not None:
            self.state.current = training_values(self.model)
            self.checkpoint.write(self.state)
        if logs is not None:
            logs |= {"valid_macro_f1": score, "valid_loss": loss}
        self.log(
            f"epoch {epoch + 1} of {self.recipe.epochs}: macro F1 {score:.3f}, log loss {loss:.3f} on validation; "
            f"best {progress.macro_f1[progress.best]:.3f} (epoch {progress.best + 1}); {progress.seconds:.0f} s"
        )
        if self.is_over():
            self.model.stop_training = True


def _tensorboard(recipe: Recipe, checkpoint: Checkpoint) -> list[keras.callbacks.Callback]:
    if recipe.tensorboard is None:
        return []
    if find_spec("tensorboard") is None:
        message = "The option tensorboard needs the package tensorboard: pip install 'planktonbench[tensorboard]'."
        raise TrackError(message)
    folder = Path(recipe.tensorboard).expanduser() / checkpoint.identity[:16]
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]
