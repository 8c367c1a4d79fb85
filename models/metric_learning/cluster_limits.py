"""Limits of the number of sub-classes of each class, which follow its false negatives (source 003, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import TrackError

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.3  # confusion-threshold, section 4.4
MOST = 5  # max-allowed-clusters, section 4.4


@dataclass(frozen=True)
class ClusterLimits:
    """Limits of all classes after some epochs.

    Algorithm 1 starts with limit 1 and flag 0 for every class. After each epoch, for a class whose false negatives
    exceed the threshold:

    * flag 0: the limit rises by 1; if it reaches the maximum, the flag becomes 1;
    * flag 1: the limit falls by 1; if it reaches 1, the flag becomes 0.

    False negatives are those of the confusion matrix of validation objects, whose rows are divided by their sums: the
    share of the objects of a class that are predicted as another class.

    The paper leaves open, and here is chosen:

    * The threshold must be exceeded: a class exactly at it keeps limit and flag.
    * A class below the threshold keeps its limit; the limit does not return to 1 when the class is recognised.
    * A class without validation objects has no false negatives and keeps limit and flag.
    * "The number of clusters" that reaches maximum or 1 is the limit, not the number of clusters that X-Means found,
      which may be smaller.
    * If the maximum is 1, the limit remains 1.

    Attributes:
        limits: `num-allowed-clusters`: largest number of sub-classes of each class, int64 of shape (n_classes,).
        falling: the flag, bool of shape (n_classes,): whether the limit falls.
        threshold: `confusion-threshold`, 0 to 1.
        most: `max-clusters`, at least 1.

    Raises:
        TrackError: threshold or maximum is invalid.

    """

    limits: NDArray[np.int64]
    falling: NDArray[np.bool_]
    threshold: float = THRESHOLD
    most: int = MOST

    def __post_init__(self) -> None:
        """Validate the values."""
        if not 0 <= self.threshold <= 1:
            message = f"threshold is {self.threshold}; expected a share of false negatives, from 0 to 1."
            raise TrackError(message)
        if self.most < 1:
            message = f"most is {self.most}; expected the largest number of sub-classes of a class, 1 or more."
            raise TrackError(message)

    @classmethod
    def start(cls, n_classes: int, *, threshold: float = THRESHOLD, most: int = MOST) -> ClusterLimits:
        """Return the limits before training: every class is undivided."""
        return cls(np.ones(n_classes, np.int64), np.zeros(n_classes, bool), threshold, most)

    def updated(self, false_negatives: NDArray[np.floating]) -> ClusterLimits:
        """Return the limits after one more epoch.

        Args:
            false_negatives: share of the validation objects of each class that are predicted as another class, of shape
                (n_classes,); NaN for a class without validation objects. As a quotient of counts, 3 of 10 is exactly
                a threshold of 0.3; as 1 minus recall it would exceed it by a rounding error.

        """
        confused = false_negatives > self.threshold  # not true for NaN
        step = np.where(self.falling, -1, 1)
        limits = np.clip(np.where(confused, self.limits + step, self.limits), 1, self.most)
        falling = np.where(self.falling, limits > 1, limits == self.most)
        return replace(self, limits=limits, falling=np.where(confused, falling, self.falling))
