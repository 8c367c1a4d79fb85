"""Strategies against class imbalance: the rows of an epoch, their weights, and the rows that are augmented.

* `none`: each row once per epoch.
* `class-weights`: each row once, weighted by `balanced ** alpha` (King & Zeng 2001; source 001).
* `focal`: each row once, with a loss that down-weights easy rows (Lin et al. 2017, doi 10.1109/ICCV.2017.324).
* `per-class-epoch`: n rows of each class, redrawn for each epoch ("Low-shot learning", source 000, 5.1 and 5.2).
* `per-class-limit`: the same, but each row at most once, so that smaller classes contribute all their rows.
* `oversample`: as many rows of each class as the largest class has (imbalanced-learn, RandomOverSampler).
* `balanced-batches`: as many rows as there are, with equal shares of the classes in each batch.
* `augment-small`: small classes raised to the mean size, and only their rows augmented (an idea of source 001).

imbalanced-learn's BalancedBatchGenerator reduces all classes to the size of the rarest, which in plankton data sets may
have only one or two objects; here rows of rare classes are repeated instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..protocol.class_weights import sample_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .recipe import Recipe


def epoch_rows(y: NDArray[np.int64], recipe: Recipe, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows of one epoch in the order in which they are shown.

    Args:
        y: class codes, int array of shape (n_objects,).
        recipe: `imbalance` is the strategy, `per_class` its number of rows per class.
        rng: draws and shuffles.

    Returns:
        Positions in `y`, int64 of shape (n_shown,); n_shown is the same for each epoch.

    """
    if recipe.imbalance == "balanced-batches":
        return _balanced(y, rng)
    if recipe.imbalance in {"class-weights", "focal", "none"}:
        return rng.permutation(len(y))
    classes, counts = np.unique(y, return_counts=True)
    wanted = {
        "per-class-epoch": np.full(len(counts), recipe.per_class),
        "per-class-limit": np.minimum(counts, recipe.per_class),
        "oversample": np.full(len(counts), counts.max()),
        "augment-small": np.maximum(counts, np.ceil(counts.mean()).astype(np.int64)),
    }[recipe.imbalance]
    drawn = [_drawn(np.flatnonzero(y == code), n, rng) for code, n in zip(classes, wanted, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def row_weights(y: NDArray[np.int64], recipe: Recipe) -> NDArray[np.float32] | None:
    """Return the weight of each row in the loss, float32 of shape (n_objects,); None if all weights are equal."""
    if recipe.imbalance != "class-weights":
        return None
    return sample_weights(y, int(y.max()) + 1, recipe.alpha).astype(np.float32)


def may_be_augmented(y: NDArray[np.int64], recipe: Recipe) -> NDArray[np.bool_]:
    """Return the rows to augment, bool mask of shape (n_objects,): all, or those of classes below the mean size."""
    if recipe.imbalance != "augment-small":
        return np.full(len(y), fill_value=True)
    counts = np.bincount(y)
    return np.asarray(counts[y] < counts[counts > 0].mean())


def _drawn(members: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw n rows of a class; no row is drawn a third time before every row has been drawn twice."""
    rounds = -(-n // len(members))
    return np.concatenate([rng.permutation(members) for _ in range(rounds)])[:n]


def _balanced(y: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return as many rows as there are, in rounds that show each class once, in random order."""
    classes = np.unique(y)
    rounds = -(-len(y) // len(classes))
    drawn = np.stack([_drawn(np.flatnonzero(y == code), rounds, rng) for code in classes], axis=1)
    return rng.permuted(drawn, axis=1).ravel()[: len(y)]  # (rounds, n_classes), row by row
