"""Training and prediction loop that prepares the next batch while the network processes the current one.

Keras's own loop passes data from Python through several queues, which took a third of the time of a small network.
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
        model: compiled network; callbacks may set its `stop_training`, which ends the epoch and the
            training after the current batch.
        batches: batches of an epoch; a callback may redraw them in `on_epoch_begin`.
        epochs: numbers of the epochs, from 0.
        callbacks: called at the beginning and end of training, epochs and batches, as by `fit`.

    """
    callback_list = keras.callbacks.CallbackList(list(callbacks), model=model)
    model.stop_training = False
    callback_list.on_train_begin()
    for epoch in epochs:
        model.reset_metrics()
        callback_list.on_epoch_begin(epoch)
        logs: dict[str, float] = {}
        for step, batch in enumerate(_ahead(batches)):
            callback_list.on_train_batch_begin(step)
            logs = model.train_on_batch(*batch, return_dict=True)
            callback_list.on_train_batch_end(step, logs)
            if model.stop_training:
                break
        callback_list.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callback_list.on_train_end()


def predicted(model: keras.Model, batches: PredictionBatches) -> NDArray[np.float32]:
    """Return the outputs of a network for all batches in order, float32 of shape (n_objects, n_outputs)."""
    if not len(batches):  # TensorFlow refuses empty batches
        return np.empty((0, *model.output_shape[1:]), np.float32)
    return np.concatenate([np.asarray(model.predict_on_batch(*batch), np.float32) for batch in _ahead(batches)])


def _ahead(batches: TrainingBatches | PredictionBatches) -> Iterator[tuple[Any, ...]]:
    """Yield batches in order; each is made by another thread while the previous one is in use."""
    with opencv_on_one_thread(), ThreadPoolExecutor(1) as thread:
        coming = thread.submit(batches.__getitem__, 0)
        for step in range(1, len(batches)):
            batch = coming.result()
            coming = thread.submit(batches.__getitem__, step)
            yield batch
        yield coming.result()
