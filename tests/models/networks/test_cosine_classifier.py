"""Cosine classifier: a NumPy reference, norms after each step, invariance to scale, and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import pytest
from planktonbench.models.networks.cosine_classifier import CosineClassifier, unit
from scipy.spatial.distance import cosine

if TYPE_CHECKING:
    from pathlib import Path

DIMENSIONS, CLASSES = 5, 4


def embeddings(n: int, seed: int = 0) -> np.ndarray:
    """Return embeddings of different lengths, float32 of shape (n, DIMENSIONS)."""
    return np.random.default_rng(seed).normal(1, 2, (n, DIMENSIONS)).astype(np.float32)


def classifier(*, unit_features: bool = True, unit_weights: bool = True) -> keras.Model:
    """Return a network of the classifier alone, or after normalisation."""
    keras.utils.set_random_seed(0)
    given = keras.Input((DIMENSIONS,))
    features = keras.layers.UnitNormalization()(given) if unit_features else given
    return keras.Model(given, CosineClassifier(CLASSES, scale=7.0, unit_weights=unit_weights, name="head")(features))


def test_logits_are_scaled_cosines() -> None:
    """Equation 1 of source 000, computed by SciPy; lengths of embeddings do not matter."""
    model, given = classifier(), embeddings(6)
    kernel, _ = model.get_layer("head").get_weights()
    expected = [[7 * (1 - cosine(one, weights)) for weights in kernel.T] for one in given]

    np.testing.assert_allclose(model.predict_on_batch(given), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(3 * given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unit_weights", [True, False])
def test_weights_are_normalised_after_every_step(*, unit_weights: bool) -> None:
    """Training changes weights and scale, and weight vectors keep unit length if they are to."""
    model = classifier(unit_weights=unit_weights)
    model.compile(keras.optimizers.Adam(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before, given = model.get_weights(), embeddings(16)
    for _ in range(3):
        model.train_on_batch(given, np.arange(16) % CLASSES)
    kernel, scale = model.get_weights()

    assert not np.allclose(kernel, before[0])
    assert scale != before[1]
    assert np.allclose(np.linalg.norm(kernel, axis=0), 1, atol=1e-5) is unit_weights


def test_a_step_turns_weights_towards_their_class() -> None:
    """After one step from equal weights, the cosine with objects of the class is larger, and with others smaller."""
    model = classifier()
    given, y = np.eye(2, DIMENSIONS, dtype=np.float32).repeat(4, axis=0), np.arange(2).repeat(4)
    model.compile(keras.optimizers.SGD(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    _, scale = model.get_weights()
    model.set_weights([np.full((DIMENSIONS, CLASSES), DIMENSIONS**-0.5, np.float32), scale])
    before = DIMENSIONS**-0.5
    model.train_on_batch(given, y)
    of_first, of_second, of_third = (given[[0, 4]] @ model.get_weights()[0])[:, :3].T

    assert of_first[0] > before > of_first[1]
    assert of_second[1] > before > of_second[0]
    assert (of_third < before).all()


def test_directions_are_uniform() -> None:
    """Initial weights have unit length, and no preferred direction."""
    keras.utils.set_random_seed(0)
    head = CosineClassifier(20_000)
    head.build((None, 3))
    kernel = head.get_weights()[0]

    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    assert np.abs(kernel.mean(axis=1)).max() < 0.02
    np.testing.assert_allclose(np.cov(kernel), np.eye(3) / 3, atol=0.02)


def test_it_is_stored_and_loaded(tmp_path: Path) -> None:
    """A `.keras` file restores configuration, constraint and weights."""
    model, given = classifier(), embeddings(4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert loaded.get_layer("head").get_config() == model.get_layer("head").get_config()
    assert loaded.get_layer("head").kernel.constraint is not None
    assert np.array_equal(loaded.predict_on_batch(given), model.predict_on_batch(given))


def test_rows_of_zeros_stay() -> None:
    """Other rows have unit length."""
    assert np.array_equal(unit(np.array([[3.0, 4], [0, 0]])), [[0.6, 0.8], [0, 0]])
