"""Populations: objects of one taxon are more similar within a sample, which makes grouped splits harder."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.data_manifests.simulation.populations import TYPICAL, Population
from planktonbench.data_manifests.simulation.taxa import PROGRAMMES

SAMPLES = range(400)


def test_a_population_is_determined_by_seed_sample_and_taxon() -> None:
    """The same values give the same population in every process; changing one of them gives another."""
    one = Population.of(1, 2, "Copepoda")
    Population.of.cache_clear()

    assert Population.of(1, 2, "Copepoda") == one
    assert one not in {Population.of(2, 2, "Copepoda"), Population.of(1, 3, "Copepoda"), Population.of(1, 2, "silks")}


def test_all_populations_together_are_centred_on_the_taxon() -> None:
    """Sizes have mean 0 and standard deviation 1, factors have median 1."""
    populations = [Population.of(0, sample, "detritus") for sample in SAMPLES]
    sizes = np.array([population.size for population in populations])

    assert sizes.mean() == pytest.approx(0, abs=0.15)
    assert sizes.std() == pytest.approx(1, abs=0.1)
    for name in ("density", "uneven"):
        assert np.median([getattr(population, name) for population in populations]) == pytest.approx(1, abs=0.06)


def log_sizes(population: Population, seeds: range) -> np.ndarray:
    """Return the logarithm of the canvas size of some objects, which is proportional to their length."""
    programme = PROGRAMMES["Protoperidinium"]
    return np.log([len(programme.body(np.random.default_rng(seed), population).density) for seed in seeds])


def test_populations_do_not_change_the_overall_spread_of_sizes() -> None:
    """Sizes vary less within a population; over all populations they vary as specified for the taxon."""
    spread = PROGRAMMES["Protoperidinium"].spread
    together = np.concatenate(
        [log_sizes(Population(size), range(60)) for size in np.random.default_rng(0).normal(size=60)]
    )

    assert log_sizes(TYPICAL, range(300)).std() == pytest.approx(0.8 * spread, rel=0.1)
    assert together.std() == pytest.approx(spread, rel=0.15)


def test_a_dense_population_is_darker() -> None:
    """Density scales in proportion; the object is otherwise the same."""
    programme = PROGRAMMES["Protoperidinium"]
    plain, dense = (
        programme.body(np.random.default_rng(3), Population(density=density)).density for density in (1.0, 1.2)
    )

    assert dense == pytest.approx(np.minimum(1.2 * plain, 255), abs=0.51)  # rounded to integers
