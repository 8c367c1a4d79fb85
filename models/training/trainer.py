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

from ...data_manifests.errors import TrackError
from ...data_manifests.seeds import sha256_text
from ..protocol.validation_score import macro_f1
from .batches import Examples, TrainingBatches
from .checkpoint import (
    Checkpoint,
    State,
    TrainingProgress,
    model_values,
    set_model_values,
    set_training_values,
    training_values,
)
from .loop import train_epochs
from .objective import Objective

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .recipe import Recipe

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
    objective: Objective,
    training_data: TrainingData,
    recipe: Recipe,
    *,
    scratch: Path | None,
    log: Callable[[str], object],
) -> TrainingProgress:
    """Train a network and restore the weights of the epoch that was best on validation rows.

    Args:
        objective: what an uncompiled network is trained for; the network is compiled here.
        training_data: training and validation objects.
        recipe: how to train.
        scratch: folder of this run for the state after each epoch; training resumes from the state of a killed attempt.
        log: function that logs a line after each epoch.

    Returns:
        The scores of all epochs.

    """
    model = objective.model
    batches = TrainingBatches(training_data.train, training_data.y, recipe, training_data.seed)
    compile_for(model, recipe, steps=recipe.epochs * len(batches), loss=objective.loss(recipe))
    checkpoint = Checkpoint(scratch, training_data.identity(recipe))
    monitor = TrainingMonitor(objective, training_data, batches, recipe=recipe, checkpoint=checkpoint, log=log)
    state = checkpoint.read()
    if state is not None:
        set_training_values(model, state.current)
        objective.restore(state.objective)
        monitor.state = state
    progress = monitor.state.progress
    if not monitor.is_over():
        callbacks = [monitor, *_tensorboard(recipe, checkpoint)]
        train_epochs(model, batches, range(progress.epochs, recipe.epochs), callbacks)
    set_model_values(model, monitor.state.best)
    return progress


def compile_for(model: keras.Model, recipe: Recipe, steps: int, loss: Any = None) -> None:  # noqa: ANN401 - Keras losses have no common type
    """Compile a network with the optimiser of a recipe.

    Args:
        model: network that returns logits.
        recipe: learning rate, schedule and weight decay.
        steps: total number of training steps, for the schedule.
        loss: the loss; None for that of `Objective`.

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
    model.compile(optimizer, loss or Objective(model).loss(recipe))
    optimizer.build(model.trainable_variables)  # otherwise TensorFlow traces the first step twice, taking many seconds


@dataclass(frozen=True)
class ValidationResult:
    """Result of an epoch on validation rows.

    Attributes:
        macro_f1: macro F1 over the classes of the validation rows.
        loss: mean log loss over rows of classes that have training rows.
        balanced_loss: mean over these classes of the mean log loss of their rows; the rows are weighted by the inverse
            number of validation rows of their class.
        false_negatives: share of the validation rows of each class in training that are predicted as another class,
            float64 of shape (n_codes,); NaN for a class without validation rows.

    """

    macro_f1: float
    loss: float
    balanced_loss: float
    false_negatives: NDArray[np.float64]

    @classmethod
    def of(cls, training_data: TrainingData, scores: NDArray[np.float64]) -> ValidationResult:
        """Return the result for class probabilities, float64 of shape (n_valid, n_codes)."""
        truth, codes = training_data.valid_y, training_data.codes
        predicted = codes[scores.argmax(axis=1)]
        known = np.flatnonzero(np.isin(truth, codes))
        places = np.searchsorted(codes, truth[known])
        losses = -np.log(np.maximum(scores[known, places], np.finfo(np.float32).tiny))
        counts, sums, missed = (
            np.bincount(places, weights, len(codes)) for weights in (None, losses, predicted[known] != truth[known])
        )
        occurring = counts > 0
        shares = np.full(len(codes), np.nan)
        shares[occurring] = missed[occurring] / counts[occurring]
        return cls(
            macro_f1(truth, predicted),
            float(losses.mean()) if len(known) else 0.0,
            float((sums[occurring] / counts[occurring]).mean()) if len(known) else 0.0,
            shares,
        )

    def loss_for(self, recipe: Recipe) -> float:
        """Return the loss that the recipe's criterion uses."""
        return self.balanced_loss if recipe.criterion == "balanced-loss" else self.loss


def plateau_rate(losses: Sequence[float], recipe: Recipe) -> float:
    """Return the learning rate after some epochs with the schedule `plateau`.

    The rate falls after each `decay_patience` epochs in a row without a new lowest loss.
    `torch.optim.lr_scheduler.ReduceLROnPlateau` waits one epoch more with the same patience, and ignores improvements
    below 0.01 %.

    Args:
        losses: validation loss after each epoch.
        recipe: learning rate, `decay_patience`, `decay_factor` and `least_rate`.

    """
    rate, best, waited = recipe.learning_rate, math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited >= recipe.decay_patience:
            rate, waited = max(rate * recipe.decay_factor, recipe.least_rate), 0
    return rate


class TrainingMonitor(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Callback that after each epoch scores the network, keeps the best, stores the state, logs, and stops if due.

    Args:
        objective: what the network is trained for.
        training_data: data whose validation rows are scored.
        batches: batches, redrawn at the beginning of each epoch.
        recipe: epochs, minutes and patience.
        checkpoint: stores the state.
        log: function that logs a line after each epoch.

    """

    def __init__(
        self,
        objective: Objective,
        training_data: TrainingData,
        batches: TrainingBatches,
        *,
        recipe: Recipe,
        checkpoint: Checkpoint,
        log: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.objective = objective
        self.training_data = training_data
        self.batches = batches
        self.recipe = recipe
        self.checkpoint = checkpoint
        self.log = log
        self.state = State(TrainingProgress(criterion=recipe.criterion), [], [])

    def is_over(self) -> bool:
        """Return whether all epochs are done, time has run out, or patience is exhausted."""
        progress = self.state.progress
        waited = progress.epochs - 1 - progress.best if progress.epochs else 0
        return progress.out_of_time or progress.epochs >= self.recipe.epochs or waited >= self.recipe.patience

    def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature, here and below
        """Start the clock; the time of earlier attempts counts."""
        self._clock = time.monotonic() - self.state.progress.seconds

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Draw the rows of the epoch, and set what the loss receives for them."""
        self.batches.draw(epoch)
        self.batches.targets = self.objective.targets(self.training_data.y)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
        """Stop within an epoch when the time limit is reached."""
        if time.monotonic() - self._clock > 60 * self.recipe.minutes:
            self.state.progress.out_of_time = True
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Score the network, keep the best, store the state, log, and stop if due."""
        progress = self.state.progress
        result = ValidationResult.of(self.training_data, self.objective.probabilities(self.training_data.valid))
        score, loss = result.macro_f1, result.loss_for(self.recipe)
        progress.macro_f1.append(score)
        progress.loss.append(loss)
        progress.seconds = time.monotonic() - self._clock
        if progress.best == epoch:
            self.state.best = model_values(self.model)
        if not self.is_over():
            self.objective.after_epoch(result.false_negatives)
        if self.recipe.schedule == "plateau":
            self.model.optimizer.learning_rate = plateau_rate(progress.loss, self.recipe)
        if self.checkpoint.folder is not None:
            self.state.current = training_values(self.model)
            self.state.objective = self.objective.state()
            self.checkpoint.write(self.state)
        if logs is not None:
            logs |= {"valid_macro_f1": score, "valid_loss": loss}
        self.log(
            f"epoch {epoch + 1} of {self.recipe.epochs}: macro F1 {score:.3f}, log loss {loss:.3f} on validation; "
            f"best {progress.best_score:.3f} (epoch {progress.best + 1}); {progress.seconds:.0f} s"
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
