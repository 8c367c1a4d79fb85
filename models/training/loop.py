"""The loop between batches and network: the next batch is made while the network learns from the last.

Keras's own loop hands what Python makes through several queues first, which took a third of a small network's time.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ...data_manifests.images.decoding import opencv_on_one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .batches import PredictionBatches, TrainingBatches


def train_epochs(
    model: keras.Model, batches: TrainingBatches, epochs: range, callbacks: Sequence[keras.callbacks.Callback]
) -> None:
    """Train a compiled network.

    Args:
        model: callbacks may set its `stop_training`, which ends the epoch after the present batch, and the training.
        batches: as they are after each `on_epoch_begin`, where a callback may draw them anew.
        epochs: their numbers, from 0.
        callbacks: told of the beginning and end of training, epochs and batches, as `fit` tells them.

    """
    told = keras.callbacks.CallbackList(list(callbacks), model=model)
    model.stop_training = False
    told.on_train_begin()
    for epoch in epochs:
        model.reset_metrics()
        told.on_epoch_begin(epoch)
        logs: dict[str, float] = {}
        for step, batch in enumerate(_ahead(batches)):
            told.on_train_batch_begin(step)
            logs = model.train_on_batch(*batch, return_dict=True)
            told.on_train_batch_end(step, logs)
            if model.stop_training:
                break
        told.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    told.on_train_end()


def predicted(model: keras.Model, batches: PredictionBatches) -> NDArray[np.float32]:
    """Return what a network makes of objects, in their order, float32 of shape (n_objects, n_outputs)."""
    return np.concatenate([np.asarray(model.predict_on_batch(*batch), np.float32) for batch in _ahead(batches)])


def _ahead(batches: TrainingBatches | PredictionBatches) -> Iterator[tuple[Any, ...]]:
    """Yield batches in order, each made by another thread while the one before is used."""
    with opencv_on_one_thread(), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(batches.__getitem__, 0)
        for step in range(1, len(batches)):
            batch = coming.result()
            coming = thread.submit(batches.__getitem__, step)
            yield batch
        yield coming.result()
