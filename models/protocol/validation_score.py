"""How choices are judged on validation rows: macro F1, as the evaluator has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def macro_f1(truth: NDArray[np.int64], predicted: NDArray[np.integer]) -> float:
    """Return macro F1 over the classes that the truth has.

    Args:
        truth: class codes, shape (n_objects,).
        predicted: likewise; a class without support costs its victims, and nobody else.

    """
    from sklearn.metrics import f1_score

    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))
