"""Triplet losses: a loop over triplets, gradients, and invariances."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from keras import ops
from planktonbench import TrackError
from planktonbench.models.metric_learning.triplet_loss import (
    anchor_losses,
    distances,
    same_and_other,
    triplet_loss,
    two_level_triplet_loss,
)
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from planktonbench.models.metric_learning.triplet_loss import Mining

    IsTriplet = Callable[[int, int], bool]

MININGS: tuple[Mining, ...] = ("batch-hard", "batch-all", "semi-hard")
RNG = np.random.default_rng(0)
LABELS = np.array([0, 0, 0, 4, 4, 7, 7, 7, 7, 2])  # the last one has no positive
GROUPS = np.array([0, 0, 1, 0, 0, 0, 1, 1, 2, 0])
EMBEDDINGS = RNG.normal(size=(10, 6)).astype(np.float32)


def loss_of_anchor(to_positives: NDArray[Any], to_negatives: NDArray[Any], margin: float, mining: Mining) -> float:
    """Return the loss of an anchor from its distances to positives and negatives."""
    if mining == "batch-hard":
        return max(to_positives.max() - to_negatives.min() + margin, 0)
    if mining == "batch-all":
        return float(np.mean([max(p - n + margin, 0) for p, n in product(to_positives, to_negatives)]))
    losses = []
    for p in to_positives:
        farther = to_negatives[to_negatives > p]
        losses.append(max(p - (farther.min() if len(farther) else to_negatives.max()) + margin, 0))
    return float(np.mean(losses))


def looped(
    embeddings: NDArray[Any], positive: IsTriplet, negative: IsTriplet, margin: float, mining: Mining
) -> tuple[float, int]:
    """Return the mean loss over anchors with positives and negatives, and their number, by a loop."""
    apart, losses = cdist(embeddings, embeddings), []
    for anchor in range(len(embeddings)):
        others = [other for other in range(len(embeddings)) if other != anchor]
        positives = [other for other in others if positive(anchor, other)]
        negatives = [other for other in others if negative(anchor, other)]
        if positives and negatives:
            losses.append(loss_of_anchor(apart[anchor, positives], apart[anchor, negatives], margin, mining))
    return float(np.mean(losses)) if losses else 0.0, len(losses)


def looped_over_labels(embeddings: NDArray[Any], margin: float, mining: Mining) -> tuple[float, int]:
    """Return mean loss and number of anchors for `LABELS`."""
    return looped(embeddings, lambda a, b: LABELS[a] == LABELS[b], lambda a, b: LABELS[a] != LABELS[b], margin, mining)


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("margin", [0.0, 0.7, 3.0])
def test_losses_equal_those_of_a_loop(mining: Mining, margin: float) -> None:
    """For labels of shape (n,) and (n, 1); the object without a positive does not count as anchor."""
    expected, n_anchors = looped_over_labels(EMBEDDINGS, margin, mining)
    _, valid = anchor_losses(*same_and_other(LABELS), distances(EMBEDDINGS), margin=margin, mining=mining)

    assert n_anchors == 9
    assert ops.convert_to_numpy(valid).tolist() == [True] * 9 + [False]
    for labels in (LABELS, LABELS[:, None]):
        assert float(triplet_loss(labels, EMBEDDINGS, margin=margin, mining=mining)) == pytest.approx(
            expected, rel=1e-5
        )


def test_defaults_are_those_of_the_author() -> None:
    """Margin 0.7 and the hardest triplet of each anchor."""
    assert float(triplet_loss(LABELS, EMBEDDINGS)) == pytest.approx(
        looped_over_labels(EMBEDDINGS, 0.7, "batch-hard")[0]
    )


@pytest.mark.parametrize("mining", MININGS)
def test_two_levels_equal_two_loops(mining: Mining) -> None:
    """Across classes all of a class are positives; within a class, groups, also where classes share their numbers."""
    across, _ = looped_over_labels(EMBEDDINGS, 0.9, mining)
    within, n_anchors = looped(
        EMBEDDINGS,
        lambda a, b: LABELS[a] == LABELS[b] and GROUPS[a] == GROUPS[b],
        lambda a, b: LABELS[a] == LABELS[b] and GROUPS[a] != GROUPS[b],
        0.4,
        mining,
    )
    found = two_level_triplet_loss(
        LABELS, GROUPS, EMBEDDINGS, margin=0.9, group_margin=0.4, group_weight=0.3, mining=mining
    )

    assert n_anchors == 4
    assert float(found) == pytest.approx(across + 0.3 * within, rel=1e-5)


def test_undivided_classes_have_no_loss_across_groups() -> None:
    """With one group for each class the loss of two levels is that of one."""
    groups = np.zeros_like(LABELS)

    assert float(two_level_triplet_loss(LABELS, groups, EMBEDDINGS)) == pytest.approx(
        float(triplet_loss(LABELS, EMBEDDINGS))
    )


@pytest.mark.parametrize("mining", MININGS)
@pytest.mark.parametrize("labels", [np.zeros(10, int), np.arange(10)], ids=["one class", "ten classes"])
def test_without_triplets_the_loss_is_zero(labels: NDArray[np.int64], mining: Mining) -> None:
    """Neither an error nor a value that is not a number."""
    assert float(triplet_loss(labels, EMBEDDINGS, mining=mining)) == 0
    assert (gradient(EMBEDDINGS, labels, mining=mining) == 0).all()


def gradient(embeddings: NDArray[np.float32], labels: NDArray[np.int64], **options: object) -> NDArray[np.float64]:
    """Return the gradient of the loss on any backend: what one step of gradient descent subtracts."""
    layer = keras.layers.Dense(embeddings.shape[1], use_bias=False)
    model = keras.Sequential([keras.Input((len(embeddings),)), layer])  # the embeddings of unit vectors are its weights
    model.compile(keras.optimizers.SGD(1.0), lambda y, points: triplet_loss(y, points, **options), jit_compile=False)
    layer.kernel.assign(embeddings)
    model.train_on_batch(np.eye(len(embeddings)), labels)
    return np.asarray(embeddings - ops.convert_to_numpy(layer.kernel), np.float64)


@pytest.mark.parametrize("mining", MININGS)
def test_gradient_equals_finite_differences(mining: Mining) -> None:
    """Of the loop, for a margin at which every anchor has a loss."""
    numeric = approx_fprime(
        EMBEDDINGS.astype(np.float64).ravel(),
        lambda values: looped_over_labels(values.reshape(EMBEDDINGS.shape), 5.0, mining)[0],
        1e-7,
    )

    assert gradient(EMBEDDINGS, LABELS, margin=5.0, mining=mining) == pytest.approx(
        numeric.reshape(EMBEDDINGS.shape), abs=1e-4
    )


@pytest.mark.parametrize("mining", MININGS)
def test_descent_pulls_the_positive_and_pushes_the_negative(mining: Mining) -> None:
    """One anchor with one positive and one negative on a line; the other objects are in one distant class."""
    places = np.array([0, 1, -1.2, *[90] * 7], np.float32)
    embeddings = np.stack([places, *[np.zeros(10, np.float32)] * 5], axis=1)
    step = -gradient(embeddings, np.array([0, 0, 1, *[2] * 7]), mining=mining)[:, 0]

    assert step[1] < 0  # towards the anchor
    assert step[2] < 0  # away from it
    assert step[0] > 0  # towards the positive and away from the negative
    assert (step[3:] == 0).all()
    assert step.sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("mining", MININGS)
def test_gradient_is_finite_for_equal_embeddings(mining: Mining) -> None:
    """Duplicates have distance 0 from each other; only their distance to others contributes."""
    far = EMBEDDINGS + 100
    far[[1, 2, 3]] = far[0]
    everything_equal = np.repeat(EMBEDDINGS[:1], 10, axis=0)
    found = gradient(far, LABELS, mining=mining, margin=5.0)

    assert ops.convert_to_numpy(distances(far))[:4, :4] == pytest.approx(0, abs=0)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 0
    assert (gradient(everything_equal, LABELS, mining=mining) == 0).all()


@pytest.mark.parametrize("mining", MININGS)
def test_loss_is_zero_once_classes_are_separated_by_the_margin(mining: Mining) -> None:
    """Then nothing moves; just below, something does."""
    spread = 0.1 * EMBEDDINGS[:, 1:] / np.linalg.norm(EMBEDDINGS[:, 1:], axis=1, keepdims=True)
    separated = np.concatenate([LABELS[:, None], spread], axis=1).astype(np.float32)  # within 0.2, 2 apart

    assert float(triplet_loss(LABELS, separated, margin=1.8, mining=mining)) == 0
    assert (gradient(separated, LABELS, margin=1.8, mining=mining) == 0).all()
    assert float(triplet_loss(LABELS, separated, margin=2.2, mining=mining)) > 0


@pytest.mark.parametrize("mining", MININGS)
def test_loss_is_invariant_to_motions_and_order(mining: Mining) -> None:
    """Translations, rotations, permutations of the batch, and other names of the classes; not scale."""
    expected = float(triplet_loss(LABELS, EMBEDDINGS, mining=mining))
    order = RNG.permutation(10)
    turned = EMBEDDINGS @ ortho_group.rvs(6, random_state=1).astype(np.float32)
    cases = [(LABELS, EMBEDDINGS + 50), (LABELS, turned), (LABELS[order], EMBEDDINGS[order]), (9 - LABELS, EMBEDDINGS)]

    assert [float(triplet_loss(*case, mining=mining)) for case in cases] == pytest.approx([expected] * 4, rel=1e-4)
    assert float(triplet_loss(LABELS, 2 * EMBEDDINGS, mining=mining)) != pytest.approx(expected, rel=1e-2)


def test_distances_are_euclidean() -> None:
    """Those of SciPy, also far from the origin, and for 256 dimensions in 16 bits up to the rounding of the inputs."""
    points = RNG.normal(size=(30, 256)).astype(np.float32)
    half = ops.cast(points, "bfloat16")
    rounded = ops.convert_to_numpy(ops.cast(half, "float32"))

    assert ops.convert_to_numpy(distances(points + 1000)) == pytest.approx(cdist(points, points), abs=0.02)
    assert ops.convert_to_numpy(distances(half)) == pytest.approx(cdist(rounded, rounded), abs=0.01)
    assert keras.backend.standardize_dtype(distances(half).dtype) == "float32"


def test_the_loss_trains_a_network_in_batches_of_different_size() -> None:
    """Compiled as by the trainer, with all of the backend's optimisations, it separates two classes."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(1)
    y = np.arange(90) % 2
    x = rng.normal(size=(90, 8)).astype(np.float32)
    x[:, 0] += 4 * y
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.01), triplet_loss)
    before = float(triplet_loss(y, model.predict_on_batch(x), mining="batch-all"))
    for _ in range(30):
        for rows in (slice(0, 50), slice(50, 90)):
            model.train_on_batch(x[rows], y[rows])

    assert float(triplet_loss(y, model.predict_on_batch(x), mining="batch-all")) < 0.5 * before


def test_unknown_mining_is_refused() -> None:
    """The message suggests a near match."""
    with pytest.raises(TrackError, match=r"mining is 'batchhard'\. Did you mean batch-hard"):
        triplet_loss(LABELS, EMBEDDINGS, mining="batchhard")  # type: ignore[arg-type]
