"""Batch normalisation in one operation, where the backend has one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

IMAGES = 4  # axes: objects, rows, columns, channels


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Batch normalisation of images over objects and positions (Ioffe & Szegedy 2015, arXiv 1502.03167).

    Keras composes it of some ten operations, which on a processor take longer than the convolutions between them.
    TensorFlow has it as one; this layer uses that, and is Keras's own elsewhere. It counts the running variance as
    TensorFlow does, with n - 1 in the denominator.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ANN401, FBT001 - Keras's signature; its tensors have no type
        """Normalise by the batch in training, and by the running statistics else."""
        if keras.config.backend() != "tensorflow" or len(inputs.shape) != IMAGES:
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1.nn import fused_batch_norm

        given = {"x": inputs, "scale": ops.convert_to_tensor(self.gamma), "offset": ops.convert_to_tensor(self.beta)}
        running = ops.convert_to_tensor(self.moving_mean), ops.convert_to_tensor(self.moving_variance)
        if not (training and self.trainable):
            return fused_batch_norm(
                **given, mean=running[0], variance=running[1], epsilon=self.epsilon, is_training=False
            )[0]
        found, mean, variance = fused_batch_norm(**given, epsilon=self.epsilon, is_training=True)
        self.moving_mean.assign(running[0] * self.momentum + mean * (1 - self.momentum))
        self.moving_variance.assign(running[1] * self.momentum + variance * (1 - self.momentum))
        return found
