"""Class weights, which let objects of rare classes count more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def class_weights(y: NDArray[np.int64], n_classes: int, alpha: float = 1.0) -> NDArray[np.float64]:
    """Return the weight of each class, `(n / (k * n_c)) ** alpha`, like scikit-learn's `balanced` when alpha is 1.

    n is the number of rows, n_c the number of rows of class c, k the number of classes that have rows. Weights are
    floating point and indexed by class code; a class without rows has weight 0. (Source 001 stored them as integers, so
    that every weight below one became 0, and its lookup was off by one class; for the formula see King & Zeng 2001,
    Political Analysis 9:137.)

    Args:
        y: class codes from 0 to n_classes - 1, int array of shape (n_objects,); some codes may be absent.
        n_classes: number of classes.
        alpha: 0 for no weights, 1 for balanced weights, values in between for a compromise.

    Returns:
        float64 of shape (n_classes,).

    """
    counts = np.bincount(y, minlength=n_classes)
    present = counts > 0
    weights = np.zeros(n_classes)
    weights[present] = (len(y) / (present.sum() * counts[present])) ** alpha
    return weights


def sample_weights(y: NDArray[np.int64], n_classes: int, alpha: float = 1.0) -> NDArray[np.float64]:
    """Return the class weight of each row, float64 of shape (n_objects,); with alpha 1 they sum to n_objects."""
    return class_weights(y, n_classes, alpha)[y]
