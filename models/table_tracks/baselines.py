"""Baselines that look at nothing: what any method must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.seeds import derived_seed
from ..protocol.track import Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..protocol.objects import Objects


class Shares(Track):
    """Base of baselines that know the shares of the classes in training, and nothing else."""

    inputs = frozenset({"native"})
    source = "baseline"

    def fit(self, train: Objects, valid: Objects, *, rng: np.random.Generator) -> None:  # noqa: ARG002 - protocol
        """Count the classes, and draw the seed of whatever is drawn later."""
        self._shares = np.bincount(train.y, minlength=len(train.classes)) / len(train)
        self._seed = int(rng.integers(2**63))


class Majority(Shares):
    """Every object is of the commonest class; the scores are the shares of the classes in training."""

    name = "majority"

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return the same shares for each object."""
        return np.tile(self._shares, (len(objects), 1))


class Random(Shares):
    """Every object is of a class drawn by the shares of the classes in training."""

    name = "random"

    def predict(self, objects: Objects) -> NDArray[np.float64]:
        """Return one class per object with score 1; the draw of an object depends on the seed and its id alone."""
        draws = [derived_seed(seed=self._seed, object_id=str(name)) / 2**64 for name in objects.object_ids]
        codes = np.searchsorted(np.cumsum(self._shares), draws, side="right")
        return np.eye(len(self._shares))[np.minimum(codes, len(self._shares) - 1)]
