"""Populations: objects of one taxon are more similar within a sample than across samples.

A sample contains a few species of one season and condition. This is why classifiers perform worse on unseen samples,
and why a grouped split is harder than a stratified one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np

from ..seeds import derived_seed

SHADES, ROUGHNESSES = 0.18, 0.3  # standard deviations of the logarithm, between populations of a taxon


@dataclass(frozen=True)
class Population:
    """Deviation of the objects of a taxon in one sample from the taxon as a whole.

    Attributes:
        size: deviation of their size from the taxon's, in standard deviations between populations.
        density: factor of their optical density.
        uneven: factor of the unevenness of their density.

    """

    size: float = 0.0
    density: float = 1.0
    uneven: float = 1.0

    @classmethod
    @cache
    def of(cls, seed: int, sample: int, taxon: str) -> Self:
        """Return the population of a taxon in a sample of the simulation with this seed."""
        rng = np.random.default_rng(derived_seed(seed=seed, sample=sample, taxon=taxon, purpose="population"))
        return cls(
            size=float(rng.normal()),
            density=float(np.exp(rng.normal(0, SHADES))),
            uneven=float(np.exp(rng.normal(0, ROUGHNESSES))),
        )


TYPICAL = Population()
