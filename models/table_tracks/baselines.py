"""Baselines that ignore their input, as a lower bound for every method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.seeds import derived_seed
from ..protocol.track import Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..protocol.objects import Objects


class Shares(Track):
    """Base class of baselines that use only the class shares of the training rows."""

    inputs = frozenset({"native"})
    source = "baseline"

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Compute the class shares, and draw a seed for later draws."""
        self._shares = np.bincount(train.y, minlength=len(train.classes)) / len(train)
        self._seed = int(rng.integers(2**63))


class Majority(Shares):
    """Predicts the most common class for every object; the scores are the class shares of the training rows."""

    name = "majority"

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the class shares for each object."""
        return np.tile(self._shares, (len(objects), 1))


class Random(Shares):
    """Predicts classes at random, with the class shares of the training rows as probabilities."""

    name = "random"

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return one class per object with score 1; the draw depends only on the seed and the object's features."""
        rows = objects.table.to_numpy(np.float64)
        draws = [derived_seed(seed=self._seed, features=row.tobytes().hex()) / 2**64 for row in rows]
        codes = np.searchsorted(np.cumsum(self._shares), draws, side="right")
        return np.eye(len(self._shares))[np.minimum(codes, len(self._shares) - 1)]
