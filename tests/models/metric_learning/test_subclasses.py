"""Sub-classes of training objects: divisions, persistent labels, origins, and the loop of an epoch."""

from __future__ import annotations

from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING
from unittest.mock import Mock

import keras
import numpy as np
import pytest
from planktonbench import TrackError
from planktonbench.models.metric_learning.cluster_limits import ClusterLimits
from planktonbench.models.metric_learning.subclass_head import SubclassHead, folded
from planktonbench.models.metric_learning.subclasses import NONE, Subclasses, groups
from planktonbench.models.metric_learning.xmeans import x_means

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from planktonbench.models.metric_learning.subclasses import ClassClustering

MOST = 5
CODES = np.repeat([0, 1, 2, 0, 2], [30, 40, 1, 20, 9])
N_CLASSES = 3


def features() -> NDArray[np.float32]:
    """Return three clumps for class 0, two for class 1, none for class 2, all far apart."""
    rng = np.random.default_rng(0)
    clumps = np.concatenate([np.arange(30) % 2, 3 + np.arange(40) % 5 // 3, [9], np.full(20, 2), np.full(9, 9)])
    return (rng.normal(size=(100, 16)) + 20 * rng.normal(size=(10, 16))[clumps]).astype(np.float32)


def divided(
    limits: list[int], before: Subclasses | None = None, seed: int = 0, **options: ClassClustering
) -> Subclasses:
    """Return the classes divided once."""
    before = before or Subclasses.undivided(CODES, N_CLASSES)
    return before.divided(features(), np.array(limits), rng=np.random.default_rng(seed), **options)


def relabelled(labels: list[int], most: int = MOST) -> Subclasses:
    """Return sub-classes of a single class."""
    return Subclasses(np.array(labels), 1, most)


def test_undivided_classes_use_their_first_output() -> None:
    """Labels are multiples of the number of outputs of a class."""
    start = Subclasses.undivided(CODES, N_CLASSES)

    assert (start.labels == 5 * CODES).all()
    assert (start.classes == CODES).all()
    assert start.counts.tolist() == [1, 1, 1]
    assert np.flatnonzero(start.active).tolist() == [0, 5, 10]


@pytest.mark.parametrize(("limits", "counts"), [([5, 5, 5], [3, 2, 1]), ([2, 1, 1], [2, 1, 1]), ([1, 1, 1], [1, 1, 1])])
def test_classes_are_divided_up_to_their_limits(limits: list[int], counts: list[int]) -> None:
    """The clumps of each class become sub-classes; objects never leave their class."""
    found = divided(limits)

    assert found.counts.tolist() == counts
    assert (found.classes == CODES).all()
    assert (found.labels == found.classes * MOST + found.within).all()


def test_the_largest_sub_class_keeps_the_output_of_the_class() -> None:
    """When a class is divided for the first time, most objects keep their label."""
    found = divided([5, 5, 5])

    assert (found.within == 0).sum() == 20 + 24 + 10
    assert (found.labels[CODES == 0].reshape(-1, 10)[3:] == found.labels[-29]).all()  # the third clump is whole


@pytest.mark.parametrize("clustering", [x_means, partial(x_means, criterion="aic"), groups], ids=["bic", "aic", "gs"])
def test_the_same_division_keeps_all_labels(clustering: ClassClustering) -> None:
    """Also if the clustering numbers or finds its clusters in another order, with another seed."""
    first = divided([3, 2, 1], clustering=clustering)

    for seed in range(1, 5):
        assert (divided([3, 2, 1], first, seed, clustering=clustering).labels == first.labels).all()


def test_as_many_objects_as_possible_keep_their_label() -> None:
    """Of all ways to place the new clusters, the one chosen has the fewest changes."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        before = relabelled([int(label) for label in rng.integers(0, 4, 40)], most=4)
        clusters = np.unique(rng.integers(0, rng.integers(1, 5), 40), return_inverse=True)[1]
        n_clusters = int(clusters.max()) + 1
        clustering = Mock(return_value=clusters)
        after = before.divided(np.zeros((40, 1)), np.array([4]), rng=rng, clustering=clustering)
        kept = max((np.array(places)[clusters] == before.labels).sum() for places in permutations(range(4), n_clusters))

        assert (after.labels == before.labels).sum() == kept
        assert len({*zip(after.labels, clusters, strict=True)}) == n_clusters


def drawn(rows: NDArray[np.floating], limit: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Divide rows at random."""
    return np.unique(rng.integers(0, limit, len(rows)), return_inverse=True)[1].astype(np.int64)


def test_a_class_is_divided_independently_of_the_others() -> None:
    """Other limits of the other classes do not change the random numbers with which a class is divided."""
    one, two = divided([1, 5, 3], clustering=drawn), divided([4, 5, 1], clustering=drawn)

    assert one.counts[1] == 5
    assert (one.labels[CODES == 1] == two.labels[CODES == 1]).all()
    assert (one.labels[CODES == 1] != divided([1, 5, 3], seed=1, clustering=drawn).labels[CODES == 1]).any()


def test_groups_are_as_many_as_asked_for() -> None:
    """K-means divides every class, whether it has clumps or not, as far as it has objects."""
    assert divided([3, 3, 3], clustering=groups).counts.tolist() == [3, 3, 3]
    assert divided([5, 5, 5], clustering=groups).counts.tolist() == [5, 5, 5]
    assert groups(np.zeros((7, 2)), 3, rng=np.random.default_rng(0)).tolist() == [0] * 7
    assert sorted(groups(np.eye(2), 3, rng=np.random.default_rng(0)).tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("before", "after", "origins"),
    [
        pytest.param([0, 0, 0], [0, 0, 0], [0, -1, -1], id="nothing changes"),
        pytest.param([0, 0, 0, 0], [0, 0, 0, 2], [0, -1, 0], id="a part leaves"),
        pytest.param([0, 1, 1, 2], [1, 1, 1, 1], [-1, 1, -1], id="all join"),
        pytest.param([0, 0, 0, 1], [0, 1, 1, 1], [0, 0, -1], id="most objects of the second come from the first"),
        pytest.param([0, 0, 1, 1], [1, 1, 1, 1], [-1, 1, -1], id="of equally many, its own"),
        pytest.param([0, 0, 1, 1], [2, 2, 2, 2], [-1, -1, 0], id="of equally many others, the first"),
    ],
)
def test_origins_are_where_most_objects_come_from(before: list[int], after: list[int], origins: list[int]) -> None:
    """For each output in use; -1 for the others."""
    assert NONE == -1
    assert relabelled(after, 3).origins(relabelled(before, 3)).tolist() == origins


def test_origins_stay_in_the_class() -> None:
    """No sub-class comes from another class, and one that keeps its objects keeps its weights."""
    before = divided([3, 2, 1])
    origins = divided([2, 2, 1], before).origins(before)

    used = origins != NONE
    assert (origins[used] // MOST == np.flatnonzero(used) // MOST).all()
    assert used.reshape(3, 5).sum(axis=1).tolist() == [2, 2, 1]
    assert (before.origins(before)[before.active] == np.flatnonzero(before.active)).all()


@pytest.mark.parametrize("clustering", [x_means, groups])
def test_features_of_a_diverged_training_are_refused(clustering: ClassClustering) -> None:
    """The message says what may have happened."""
    start, wrong = Subclasses.undivided(CODES, N_CLASSES), features()
    wrong[3] = np.nan

    with pytest.raises(TrackError, match=r"1 of 50 rows .* row 3; expected finite numbers.*the training diverged"):
        start.divided(wrong, np.array([2, 2, 2]), rng=np.random.default_rng(0), clustering=clustering)


def test_invalid_arguments_are_refused() -> None:
    """Limits beyond the outputs of a class, and classes without objects."""
    with pytest.raises(TrackError, match="limits are 1 to 6; expected numbers of sub-classes from 1 to 5"):
        divided([1, 6, 1])
    with pytest.raises(TrackError, match=r"No training object has class code 1, 3; .* each code from 0 to 3"):
        Subclasses.undivided(np.array([0, 2, 2]), 4)


def test_the_loop_separates_a_class_of_two_kinds() -> None:
    """A class on both sides of another is found by sub-classes; one linear output for it cannot.

    Each epoch trains on the present labels, predicts classes, moves the limits, and divides anew.
    """
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 0, 1], [40, 40, 100])
    x = rng.normal(0, 0.3, (180, 8)).astype(np.float32)
    x[:, 0] += np.repeat([-2, 2, 0], [40, 40, 100])
    head = SubclassHead(2, 3)
    model = keras.Sequential([keras.Input((8,)), head])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.3), loss, jit_compile=False)
    subclasses, limits, accuracy = Subclasses.undivided(y, 2, 3), ClusterLimits.start(2, most=3), []
    for _ in range(3):
        for _ in range(12):
            model.train_on_batch(x, subclasses.labels)
        probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict_on_batch(x)))
        missed = folded(probabilities, 3).argmax(axis=1) != y
        accuracy.append(1 - missed.mean())
        limits = limits.updated(np.array([missed[:80].mean(), missed[80:].mean()]))
        after = subclasses.divided(x, limits.limits, rng=rng)
        head.take_over(after.origins(subclasses), model.optimizer)
        subclasses = after

    assert accuracy[0] < 0.8
    assert accuracy[1] > 0.98
    assert limits.limits.tolist() == [2, 1]
    assert subclasses.counts.tolist() == [2, 1]
