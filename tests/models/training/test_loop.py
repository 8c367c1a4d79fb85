"""Training and prediction loop: same results as Keras's own loop."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from planktonbench.models.training.loop import predicted, train_epochs

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(10, 3)).astype(np.float32), RNG.integers(3, size=10)
WEIGHTS = np.linspace(0.1, 2, 10)


class Batches:
    """Batches of at most four rows."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, step: int) -> tuple[Any, ...]:
        rows = slice(4 * step, 4 * step + 4)
        return X[rows], Y[rows], WEIGHTS[rows]


def network() -> keras.Model:
    """Return a small compiled network, the same each time."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_training_equals_that_of_keras() -> None:
    """Three epochs give the same weights as `fit` without shuffling, with sample weights."""
    ours, theirs = network(), network()

    train_epochs(ours, Batches(), range(3), [])  # type: ignore[arg-type]  # has all that the loop needs
    theirs.fit(X, Y, sample_weight=WEIGHTS, batch_size=4, epochs=3, shuffle=False, verbose=0)

    for one, two in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert one == pytest.approx(two, abs=1e-5)


def test_callbacks_are_called_as_by_keras() -> None:
    """They are called at the beginning and end of training, epochs and batches, in order, with the loss."""
    calls: list[tuple[str, int]] = []
    losses: list[float] = []

    class Notes(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature, here and below
            calls.append(("begin", 0))

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
            calls.append(("epoch", epoch))

        def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
            calls.append(("batch", batch))
            losses.append(logs["loss"])

        def on_train_end(self, logs: object = None) -> None:  # noqa: ARG002
            calls.append(("end", 0))

    train_epochs(network(), Batches(), range(4, 6), [Notes()])  # type: ignore[arg-type]  # as above

    batches = [("batch", step) for step in range(3)]
    assert calls == [("begin", 0), ("epoch", 4), *batches, ("epoch", 5), *batches, ("end", 0)]
    assert losses[5] < losses[2]  # running means over the batches of an epoch


def test_callback_can_stop_training_within_an_epoch() -> None:
    """No further batch is trained on, and `on_epoch_end` is called."""
    trained: list[int] = []
    ended: list[int] = []

    class Stop(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            trained.append(batch)
            self.model.stop_training = batch == 1

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
            ended.append(epoch)

    train_epochs(network(), Batches(), range(5), [Stop()])  # type: ignore[arg-type]  # as above

    assert (trained, ended) == ([0, 1], [0])


def test_error_in_a_batch_is_raised() -> None:
    """An error in the thread that makes batches reaches the caller."""

    def fails(step: int) -> tuple[Any, ...]:
        message = f"no batch {step}"
        raise OSError(message)

    class Failing(SimpleNamespace):
        def __len__(self) -> int:
            return 2

        def __getitem__(self, step: int) -> tuple[Any, ...]:
            return fails(step)

    with pytest.raises(OSError, match="no batch 0"):
        train_epochs(network(), Failing(), range(1), [])  # type: ignore[arg-type]  # as above


def test_predictions_follow_the_order_of_batches() -> None:
    """Predictions of batches equal Keras's predictions of all rows at once."""
    model = network()

    class Inputs(Batches):
        def __getitem__(self, step: int) -> tuple[Any, ...]:
            return (super().__getitem__(step)[0],)

    assert predicted(model, Inputs()) == pytest.approx(model.predict(X, verbose=0), abs=1e-6)  # type: ignore[arg-type]  # as above


def test_no_objects_have_no_predictions() -> None:
    """TensorFlow refuses empty batches, for instance those of the low-shot classes where there are none."""
    assert predicted(network(), []).shape == (0, 3)  # type: ignore[arg-type]
