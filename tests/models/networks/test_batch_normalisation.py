"""Batch normalisation as a single operation is equivalent to Keras's own layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops
from planktonbench.models.networks.batch_normalisation import BatchNormalization

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(3, 2, (8, 5, 6, 4)).astype(np.float32)
TARGET = RNG.normal(size=IMAGES.shape).astype(np.float32)


def model(layer: keras.Layer) -> keras.Model:
    """Return a compiled network of one normalisation layer."""
    image = keras.Input(IMAGES.shape[1:])
    built = keras.Model(image, layer(image))
    built.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    return built


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_training_and_prediction_equal_those_of_keras(precision: str, tolerance: float) -> None:
    """Outputs, running statistics, scale and offset agree after three steps."""
    ours = BatchNormalization(momentum=0.5, epsilon=1e-3, dtype=precision)
    theirs = keras.layers.BatchNormalization(momentum=0.5, epsilon=1e-3, dtype=precision)
    first, second = model(ours), model(theirs)
    for _ in range(3):
        for network in (first, second):
            network.train_on_batch(IMAGES, TARGET)
    bessel = IMAGES[..., 0].size / (IMAGES[..., 0].size - 1) if keras.config.backend() == "tensorflow" else 1.0
    for name in ("gamma", "beta", "moving_mean"):
        one, two = (ops.convert_to_numpy(getattr(layer, name)) for layer in (ours, theirs))
        assert one == pytest.approx(two, abs=tolerance)
    variance = ops.convert_to_numpy(theirs.moving_variance)
    started = 0.5**3  # remaining share of the initial variance of 1
    assert ops.convert_to_numpy(ours.moving_variance) == pytest.approx(
        started + (variance - started) * bessel, abs=tolerance
    )
    # n - 1 instead of n in the running variance changes predictions by a few thousandths
    assert first.predict(IMAGES, verbose=0) == pytest.approx(second.predict(IMAGES, verbose=0), abs=0.02 + tolerance)


def test_frozen_layer_keeps_its_statistics() -> None:
    """A layer that is not trainable uses the running statistics in training too."""
    layer = BatchNormalization()
    network = model(layer)
    layer.trainable = False

    seen = ops.convert_to_numpy(layer(IMAGES, training=True))

    assert seen == pytest.approx(network.predict(IMAGES, verbose=0), abs=1e-5)
    assert (ops.convert_to_numpy(layer.moving_mean) == 0).all()


def test_vectors_are_normalised_by_keras() -> None:
    """Inputs that are not images are normalised column by column."""
    vectors = IMAGES.reshape(-1, 4)

    found = ops.convert_to_numpy(BatchNormalization(epsilon=1e-6)(vectors, training=True))

    assert found == pytest.approx((vectors - vectors.mean(axis=0)) / vectors.std(axis=0), abs=1e-3)
