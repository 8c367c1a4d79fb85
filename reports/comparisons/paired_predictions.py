"""Predictions of several methods for the same objects, as codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.metrics import confusion_matrix, totals_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..scoring.metrics import Totals


@dataclass(frozen=True)
class PairedPredictions:
    """Predictions of several methods for the test objects of one run.

    Attributes:
        truth: codes of shape (n_objects,), below n_classes.
        predicted: codes of shape (n_methods, n_objects), up to n_classes (any other name).
        units: resampling unit of each object (its cluster, or the object), codes of shape (n_objects,), below n_units.

    """

    truth: NDArray[np.integer]
    predicted: NDArray[np.integer]
    units: NDArray[np.integer]


def totals_by_method(predictions: PairedPredictions, n_classes: int) -> Totals:
    """Return the counts of each method in one run, of shape (n_methods, n_classes)."""
    matrices = [confusion_matrix(predictions.truth, predicted, n_classes) for predicted in predictions.predicted]
    return totals_of(np.stack(matrices))


def macro_f1_of(predictions: PairedPredictions, n_classes: int) -> NDArray[np.float64]:
    """Return macro F1 of each method in one run, shape (n_methods,)."""
    totals = totals_by_method(predictions, n_classes)
    return totals.macro(totals.f1)
