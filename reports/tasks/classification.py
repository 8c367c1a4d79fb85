"""Classification: a probability of each class for each object, learned from labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import TrackError, listed
from ..run_files.card import CLASSIFICATION
from ..run_files.predictions import SCORE
from .task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .task import Prediction, TaskObjects, Values

SUM_TOLERANCE = 1e-3
"""Largest difference from one of the sum of probabilities: scores are stored in single precision."""

SAME = 1e-3
"""Largest difference of scores accepted as rounding: a network sums in a different order if the batch is larger."""


class Classification(Task):
    """The taxon of each object, by the highest score."""

    name = CLASSIFICATION
    labels = "all"
    has_scores = True
    output = "probabilities, one row per object and one column per class"

    def checked(self, output: object, objects: TaskObjects, track: str) -> NDArray[np.float32]:
        """Check that scores are probabilities of shape (n_objects, n_classes), and return them as float32.

        Raises:
            TrackError: they have another shape or dtype, are not from 0 to 1, or their rows do not sum to one.

        """
        array = np.asarray(output)
        expected = (len(objects), len(objects.classes))
        if array.shape != expected or not np.issubdtype(array.dtype, np.number):
            message = (
                f"{track}.predict returned shape {array.shape} of dtype {array.dtype}; "
                f"expected {expected} of a float dtype."
            )
            raise TrackError(message)
        if not np.isfinite(array).all():
            rows = objects.object_ids[~np.isfinite(array).all(axis=1)]
            message = (
                f"{track}.predict returned values that are not finite for objects {listed(rows)}; "
                "expected probabilities."
            )
            raise TrackError(message)
        sums = array.sum(axis=1)
        wrong = (np.abs(sums - 1) > SUM_TOLERANCE) | (array < 0).any(axis=1)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            message = (
                f"{track}.predict: {int(wrong.sum()):,} of {len(objects):,} rows are not probabilities "
                f"(object {objects.object_ids[first]}: sum {sums[first]:.4g}, minimum {array[first].min():.4g}); "
                "expected values from 0 to 1 that sum to one in each row."
            )
            raise TrackError(message)
        return array.astype(np.float32)

    def differs(self, one: Values, other: Values) -> NDArray[np.bool_]:
        """Return which objects have a score that differs by more than `SAME`."""
        return np.asarray(np.abs(one - other).max(axis=1) > SAME)

    def as_text(self, value: Values) -> str:
        """Return the scores of an object with three decimals."""
        return "[" + ", ".join(f"{score:.3f}" for score in value) + "]"

    def tables(self, test: Prediction, valid: Prediction) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return object_id, taxon with the highest score, and one score column per class."""
        return _table(test), _table(valid)


def _table(predicted: Prediction) -> pd.DataFrame:
    names = np.asarray(predicted.objects.classes, dtype=object)
    table = pd.DataFrame(predicted.output, columns=[f"{SCORE}{name}" for name in names])
    table.insert(0, "object_id", predicted.objects.object_ids)
    table.insert(1, "taxon", names[predicted.output.argmax(axis=1)])
    return table
