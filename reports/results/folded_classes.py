"""Calls of a run with its classes folded into broader ones, counted as scores need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ..scoring.bootstrap import count_units
from ..scoring.score import cluster_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from ..scoring.bootstrap import Units
    from .stored_run import StoredRun


@dataclass(frozen=True)
class CodedPredictions:
    """Test objects of a run in numbers.

    Attributes:
        classes: the class list, sorted.
        truth: codes of shape (n_objects,), positions in `classes`.
        predicted: likewise.
        clusters: codes of shape (n_objects,); None where objects are resampled one by one.

    """

    classes: tuple[str, ...]
    truth: NDArray[np.integer]
    predicted: NDArray[np.integer]
    clusters: NDArray[np.integer] | None

    def folded(self, fold: Mapping[str, str]) -> tuple[tuple[str, ...], NDArray[np.int64], Units]:
        """Count the calls when each class becomes another.

        Args:
            fold: for each class the one that it becomes.

        Returns:
            Names of the folded classes, sorted; their confusion matrix, int64 of shape (n_folded, n_folded + 1); and
            what is resampled for intervals.

        """
        names = tuple(sorted({fold[name] for name in self.classes}))
        codes = pd.Index(names).get_indexer(pd.Index([fold[name] for name in self.classes]))
        return names, *count_units(codes[self.truth], codes[self.predicted], self.clusters, len(names))


def coded_predictions(run: StoredRun) -> CodedPredictions:
    """Return the test objects of a finished run, and what it called them, as codes."""
    classes, predictions = sorted(run.card.data.classes), run.predictions
    truth, predicted = (pd.Index(classes).get_indexer(pd.Index(predictions[name])) for name in ("taxon", "predicted"))
    return CodedPredictions(tuple(classes), truth, predicted, cluster_codes(predictions))
