"""Populations: objects of one taxon in one sample are alike, which is what a grouped split is about."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.data_manifests.simulation.populations import TYPICAL, Population
from planktonbench.data_manifests.simulation.taxa import PROGRAMMES

SAMPLES = range(400)


def test_a_population_is_that_of_its_seed_sample_and_taxon() -> None:
    """The same three make the same population, in every process; another one of the three makes another."""
    one = Population.of(1, 2, "Copepoda")
    Population.of.cache_clear()

    assert Population.of(1, 2, "Copepoda") == one
    assert one not in {Population.of(2, 2, "Copepoda"), Population.of(1, 3, "Copepoda"), Population.of(1, 2, "silks")}


def test_all_populations_together_are_centred_on_the_taxon() -> None:
    """Sizes deviate by one unit around none, factors lie around one."""
    populations = [Population.of(0, sample, "detritus") for sample in SAMPLES]
    sizes = np.array([population.size for population in populations])

    assert sizes.mean() == pytest.approx(0, abs=0.15)
    assert sizes.std() == pytest.approx(1, abs=0.1)
    for name in ("density", "uneven"):
        assert np.median([getattr(population, name) for population in populations]) == pytest.approx(1, abs=0.06)


def sides(population: Population, seeds: range) -> np.ndarray:
    """Return the logarithm of the canvas of some objects, which is in proportion to their length."""
    programme = PROGRAMMES["Protoperidinium"]
    return np.log([len(programme.body(np.random.default_rng(seed), population).density) for seed in seeds])


def test_sizes_spread_as_much_as_without_populations() -> None:
    """Within a population less than in the taxon, over all of them as much as the taxon's programme says."""
    spread = PROGRAMMES["Protoperidinium"].spread
    together = np.concatenate([sides(Population(size), range(60)) for size in np.random.default_rng(0).normal(size=60)])

    assert sides(TYPICAL, range(300)).std() == pytest.approx(0.8 * spread, rel=0.1)
    assert together.std() == pytest.approx(spread, rel=0.15)


def test_a_dense_population_is_darker() -> None:
    """In proportion, the same object otherwise."""
    programme = PROGRAMMES["Protoperidinium"]
    plain, dense = (
        programme.body(np.random.default_rng(3), Population(density=density)).density for density in (1.0, 1.2)
    )

    assert dense == pytest.approx(np.minimum(1.2 * plain, 255), abs=0.51)  # whole steps of 255
