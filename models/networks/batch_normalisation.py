"""Batch normalisation as a single operation, on backends that have one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

IMAGES = 4  # axes: objects, rows, columns, channels


@keras.saving.register_keras_serializable("planktonbench")
class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Batch normalisation of images over objects and positions (Ioffe & Szegedy 2015, arXiv 1502.03167).

    Keras composes it from about ten operations, which on a CPU take longer than the convolutions between them.
    TensorFlow has a single fused operation, which this layer uses; on other backends it behaves as Keras's own layer.
    The running variance is computed as in TensorFlow, with n - 1 in the denominator.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ANN401, FBT001 - Keras's signature; its tensors have no type
        """Normalise by batch statistics in training, otherwise by running statistics."""
        if keras.config.backend() != "tensorflow" or len(inputs.shape) != IMAGES:
            return super().call(inputs, training=training, mask=mask)
        from tensorflow.compat.v1.nn import fused_batch_norm

        arguments = {
            "x": inputs,
            "scale": ops.convert_to_tensor(self.gamma),
            "offset": ops.convert_to_tensor(self.beta),
        }
        running = ops.convert_to_tensor(self.moving_mean), ops.convert_to_tensor(self.moving_variance)
        if not (training and self.trainable):
            return fused_batch_norm(
                **arguments, mean=running[0], variance=running[1], epsilon=self.epsilon, is_training=False
            )[0]
        found, mean, variance = fused_batch_norm(**arguments, epsilon=self.epsilon, is_training=True)
        self.moving_mean.assign(running[0] * self.momentum + mean * (1 - self.momentum))
        self.moving_variance.assign(running[1] * self.momentum + variance * (1 - self.momentum))
        return found
