"""Predictions of a run with classes folded into broader ones, as counts for scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..scoring.score import cluster_codes
from ..scoring.units import count_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..scoring.units import Units
    from .stored_run import StoredRun


@dataclass(frozen=True)
class CodedPredictions:
    """Test objects of a run as integer codes.

    Attributes:
        classes: the class list, sorted.
        truth: codes of shape (n_objects,), positions in `classes`.
        predicted: codes of the predicted classes, likewise.
        clusters: codes of shape (n_objects,); None if single objects are units.

    """

    classes: tuple[str, ...]
    truth: NDArray[np.integer]
    predicted: NDArray[np.integer]
    clusters: NDArray[np.integer] | None

    @property
    def units(self) -> NDArray[np.integer]:
        """Unit of each object for intervals, of shape (n_objects,): its cluster, or itself if there are none."""
        return np.arange(len(self.truth)) if self.clusters is None else self.clusters

    def folded(self, fold: Mapping[str, str]) -> tuple[tuple[str, ...], NDArray[np.int64], Units]:
        """Count predictions after mapping each class to a broader one.

        Args:
            fold: the new class of each class.

        Returns:
            Names of the folded classes, sorted; their confusion matrix, int64 of shape (n_folded, n_folded + 1); and
            the units of intervals.

        """
        names = tuple(sorted({fold[name] for name in self.classes}))
        codes = pd.Index(names).get_indexer(pd.Index([fold[name] for name in self.classes]))
        return names, *count_units(codes[self.truth], codes[self.predicted], self.clusters, len(names))


def coded_predictions(run: StoredRun) -> CodedPredictions:
    """Return true and predicted classes of the test objects of a finished run as codes."""
    classes, predictions = sorted(run.card.data.classes), run.predictions
    truth, predicted = (pd.Index(classes).get_indexer(pd.Index(predictions[name])) for name in ("taxon", "predicted"))
    return CodedPredictions(tuple(classes), truth, predicted, cluster_codes(predictions))
