"""Head for sub-classes: hidden outputs, weights taken over, and folding back to classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from keras import ops
from planktonbench import TrackError
from planktonbench.models.metric_learning.subclass_head import Folding, SubclassHead, folded
from scipy.special import softmax

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

N_CLASSES, MOST, N_DIMENSIONS = 3, 4, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, N_DIMENSIONS)).astype(np.float32)
Y = np.arange(60) % N_CLASSES
FIRST = np.arange(0, N_CLASSES * MOST, MOST)
UNDIVIDED = np.where(np.arange(N_CLASSES * MOST) % MOST == 0, np.arange(N_CLASSES * MOST), -1)
DIVIDED = np.array([0, 0, -1, -1, -1, -1, 4, -1, 8, -1, -1, 8])  # class 1 moves to another output


def compiled(layer: keras.Layer, optimizer: str = "adam", seed: int = 0) -> keras.Model:
    """Return a network with one hidden layer that is compiled and ready to train."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((N_DIMENSIONS,)), keras.layers.Dense(N_DIMENSIONS, activation="tanh"), layer])
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    model.optimizer.learning_rate = 0.02
    model.optimizer.build(model.trainable_variables)
    return model


def train(model: keras.Model, labels: NDArray[np.int64], steps: int = 5) -> None:
    """Train some steps on all rows."""
    for _ in range(steps):
        model.train_on_batch(X, labels)


def columns(head: SubclassHead) -> NDArray[np.float32]:
    """Return weights and bias of each output, of shape (n_dimensions + 1, n_outputs)."""
    return np.concatenate([ops.convert_to_numpy(head.kernel), ops.convert_to_numpy(head.bias)[None]]).copy()


def moments(model: keras.Model) -> NDArray[np.float32]:
    """Return the absolute moments of each output, summed over all variables of the optimiser with outputs."""
    found = [ops.convert_to_numpy(variable) for variable in model.optimizer.variables]
    outputs = [np.abs(values) for values in found if values.shape[-1:] == (N_CLASSES * MOST,)]
    assert outputs

    return np.sum([values.sum(axis=tuple(range(values.ndim - 1))) for values in outputs], axis=0)


def test_undivided_classes_are_trained_as_by_a_fully_connected_layer() -> None:
    """All outputs of a class start with the same weights; from the same weights, logits and training are the same."""
    head, dense = SubclassHead(N_CLASSES, MOST), keras.layers.Dense(N_CLASSES)
    ours, plain = compiled(head), compiled(dense)
    assert (columns(head) == columns(head)[:, FIRST.repeat(MOST)]).all()
    ours.layers[0].set_weights(plain.layers[0].get_weights())
    head.kernel.assign(np.repeat(ops.convert_to_numpy(dense.kernel), MOST, axis=1))
    for _ in range(2):
        logits = ops.convert_to_numpy(ours.predict_on_batch(X))
        assert logits[:, FIRST] == pytest.approx(ops.convert_to_numpy(plain.predict_on_batch(X)), abs=1e-5)
        assert columns(head)[:-1, FIRST] == pytest.approx(ops.convert_to_numpy(dense.kernel), abs=1e-5)
        train(ours, FIRST[Y])
        train(plain, Y)


def test_hidden_outputs_have_no_probability_and_are_not_trained() -> None:
    """Their weights are bit-identical after training, those of the others are not."""
    head = SubclassHead(N_CLASSES, MOST)
    model = compiled(head)
    before = columns(head)
    train(model, FIRST[Y])
    hidden = np.setdiff1d(np.arange(N_CLASSES * MOST), FIRST)

    assert (softmax(ops.convert_to_numpy(model.predict_on_batch(X)), axis=1)[:, hidden] == 0).all()
    assert (columns(head)[:, hidden] == before[:, hidden]).all()
    assert (columns(head)[:, FIRST] != before[:, FIRST]).any(axis=0).all()
    assert (moments(model)[hidden] == 0).all()


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_weights_taken_over_are_trained(optimizer: str) -> None:
    """New outputs begin with the weights of their origin, move with training, and the hidden one stays.

    The author's code made a new layer whose weights its optimiser did not know.
    """
    head = SubclassHead(N_CLASSES, MOST)
    model = compiled(head, optimizer)
    train(model, FIRST[Y])
    before = columns(head)
    head.take_over(DIVIDED, model.optimizer)
    taken = columns(head)
    used = np.flatnonzero(DIVIDED >= 0)
    train(model, used[[0, 2, 3, 1, 2, 4]][np.arange(60) % 6])
    after = columns(head)

    assert (taken[:, used] == before[:, DIVIDED[used]]).all()
    assert (after[:, used] != taken[:, used]).any(axis=0).all()
    assert (after[:, 0] != after[:, 1]).any()
    assert (after[:, DIVIDED < 0] == taken[:, DIVIDED < 0]).all()


def test_moments_of_changed_outputs_are_reset_and_those_of_others_kept() -> None:
    """Without moments an output that is no longer in use stops at once."""
    head = SubclassHead(N_CLASSES, MOST)
    model = compiled(head)
    train(model, FIRST[Y])
    before = moments(model)
    head.take_over(DIVIDED, model.optimizer)
    after = moments(model)

    assert (before[FIRST] > 0).all()
    assert (after[[0, 8]] == before[[0, 8]]).all()
    assert (np.delete(after, [0, 8]) == 0).all()


def test_moments_of_other_layers_are_kept() -> None:
    """Only variables of this layer change, although the one before has the same name and as many units."""
    keras.utils.set_random_seed(0)
    head = SubclassHead(N_CLASSES, MOST, name="head")
    before = keras.layers.Dense(N_CLASSES * MOST, name="head_before")
    model = keras.Sequential([keras.Input((N_DIMENSIONS,)), before, head])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    train(model, FIRST[Y])
    kept = {v.path: ops.convert_to_numpy(v).copy() for v in model.optimizer.variables if "head_before" in v.path}
    head.take_over(DIVIDED, model.optimizer)

    assert len(kept) == 4
    for variable in model.optimizer.variables:
        if variable.path in kept:
            assert (ops.convert_to_numpy(variable) == kept[variable.path]).all()


@pytest.mark.skipif(keras.config.backend() == "torch", reason="PyTorch compiles nothing")
def test_taking_over_compiles_nothing_anew() -> None:
    """The training step is traced once, before and after the change."""
    traced: list[int] = []

    def loss(y: Any, logits: Any) -> Any:  # noqa: ANN401 - Keras tensors have no type
        traced.append(1)
        return keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)

    head = SubclassHead(N_CLASSES, MOST)
    model = compiled(head)
    model.compile("adam", loss)
    train(model, FIRST[Y])
    n_traced = len(traced)
    head.take_over(DIVIDED, model.optimizer)
    train(model, np.array([0, 6, 11])[Y])

    assert n_traced >= 1
    assert len(traced) == n_traced


def test_a_saved_network_predicts_the_same(tmp_path: Path) -> None:
    """Weights and hidden outputs are in the file, and the class is known without naming it."""
    head = SubclassHead(N_CLASSES, MOST)
    model = compiled(head)
    head.take_over(DIVIDED, model.optimizer)
    train(model, np.array([0, 6, 11])[Y])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)

    assert (ops.convert_to_numpy(loaded.predict_on_batch(X)) == ops.convert_to_numpy(model.predict_on_batch(X))).all()
    assert (ops.convert_to_numpy(loaded.layers[-1].active) == (DIVIDED >= 0)).all()
    assert loaded.layers[-1].get_config() == head.get_config()


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "float32"])
def test_hidden_outputs_stay_hidden_in_16_bits(precision: str) -> None:
    """The logit of hidden outputs can be represented, and probabilities of the others sum to one."""
    head = SubclassHead(N_CLASSES, MOST, dtype=precision)
    p = softmax(ops.convert_to_numpy(ops.cast(head(X), "float32")).astype(np.float64), axis=1)

    assert p[:, FIRST].sum(axis=1) == pytest.approx(1)
    assert (np.delete(p, FIRST, axis=1) == 0).all()


@pytest.mark.parametrize(
    "origins",
    [
        pytest.param(UNDIVIDED[:-1], id="one output too few"),
        pytest.param(np.where(np.arange(12) < 8, UNDIVIDED, -1), id="a class without output"),
    ],
)
def test_invalid_origins_are_refused(origins: NDArray[np.int64]) -> None:
    """Before anything changes."""
    head = SubclassHead(N_CLASSES, MOST, name="head")
    head.build((None, N_DIMENSIONS))

    with pytest.raises(TrackError, match=r"head: origins have shape .* expected 12 outputs, 4 for each of 3 classes"):
        head.take_over(origins)
    assert ops.convert_to_numpy(head.active).sum() == 3


@pytest.mark.parametrize("folding", ["sum", "largest"])
def test_folding_equals_a_loop(folding: Folding) -> None:
    """Rows sum to one; for `largest` the class of the most probable sub-class is named."""
    p = softmax(RNG.normal(size=(20, 12)), axis=1)
    gather = {"sum": sum, "largest": max}[folding]
    expected = np.array([[gather(row[4 * code : 4 * code + 4]) for code in range(3)] for row in p])
    found = folded(p, 4, folding)

    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True))
    assert found.sum(axis=1) == pytest.approx(1)
    if folding == "largest":
        assert (found.argmax(axis=1) == p.argmax(axis=1) // 4).all()


def test_folding_undivided_classes_changes_nothing() -> None:
    """Whichever way."""
    p = softmax(RNG.normal(size=(20, 3)), axis=1)
    wide = np.zeros((20, 12))
    wide[:, ::4] = p

    assert folded(wide, 4) == pytest.approx(p)
    assert folded(wide, 4, "largest") == pytest.approx(p)


def test_unknown_folding_is_refused() -> None:
    """The message suggests a near match."""
    with pytest.raises(TrackError, match=r"folding is 'sums'\. Did you mean sum"):
        folded(np.ones((1, 4)), 4, "sums")  # type: ignore[arg-type]
