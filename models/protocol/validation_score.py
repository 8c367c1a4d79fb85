"""Macro F1 on validation rows, computed as in the evaluator; the criterion for all choices made in fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def macro_f1(truth: NDArray[np.int64], predicted: NDArray[np.integer]) -> float:
    """Return macro F1 over the classes that occur in the truth.

    Args:
        truth: class codes, shape (n_objects,).
        predicted: predicted class codes, shape (n_objects,). Predicting a class that the truth lacks is an error for
            the object's true class; the class itself is not part of the mean.

    """
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))
