"""Folds of the rows that a track receives, for predictions of rows by models that have not seen them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_SEED = 2**31
FEWEST_FOLDS = 2


def folds_of(
    y: NDArray[np.int64], folds: int, rng: np.random.Generator, groups: NDArray[np.object_] | None = None
) -> NDArray[np.int64]:
    """Assign rows to folds, stratified by class; all rows of a sample are in the same fold.

    Objects of one sample resemble each other, so that a model which has seen some of them is better on the others than
    on objects of new samples. Two exceptions cannot be avoided:

    * Without samples, or with a single one, single rows are assigned.
    * A class all of whose rows would be in one fold is missing from the training of that fold's model, which therefore
      never predicts it. If the class has two rows or more, they are assigned singly, whatever their samples.

    Args:
        y: class codes, int64 of shape (n_rows,).
        folds: maximum number of folds, 2 or more. There are fewer with fewer samples or rows; no fold is empty.
        rng: shuffles samples and rows.
        groups: sample of each row, shape (n_rows,); None if samples are unknown.

    Returns:
        The fold of each row, from 0, int64 of shape (n_rows,).

    """
    fold = _by_row(y, folds, rng) if groups is None or not by_sample(groups) else _by_sample(y, folds, rng, groups)
    return np.unique(fold, return_inverse=True)[1].astype(np.int64)


def by_sample(groups: NDArray[np.object_] | None) -> bool:
    """Return whether `folds_of` assigns whole samples: they are known, and there are two or more."""
    return groups is not None and len(set(groups)) >= FEWEST_FOLDS


def _by_row(y: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign the rows of each class in turn, in random order; sizes of folds and of classes in folds differ by one."""
    fold = np.empty(len(y), np.int64)
    fold[np.lexsort((rng.random(len(y)), y))] = np.arange(len(y)) % folds
    return fold


def _by_sample(
    y: NDArray[np.int64], folds: int, rng: np.random.Generator, groups: NDArray[np.object_]
) -> NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold

    largest = int(np.bincount(y).max())
    folds = min(folds, len(set(groups)))
    if largest < folds:  # too few rows of any class to stratify
        return np.unique(groups.astype(str), return_inverse=True)[1] % folds
    fold = np.empty(len(y), np.int64)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=int(rng.integers(LARGEST_SEED)))
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # about classes with fewer rows than folds
        for k, (_, rows) in enumerate(splitter.split(y, y, groups)):
            fold[rows] = k
    for code in np.unique(y):
        of_class = np.flatnonzero(y == code)
        if len(of_class) >= FEWEST_FOLDS and np.ptp(fold[of_class]) == 0:
            fold[of_class] = _by_row(y[of_class], folds, rng)
    return fold
