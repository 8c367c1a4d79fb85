"""Intervals of proportions, compared with SciPy, a direct formula and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planktonbench.reports.scoring.proportions import (
    category_intervals,
    design_effect,
    design_effects,
    proportion_intervals,
)
from scipy import stats

Counts = NDArray[np.float64]


def of_objects(hits: int, n: int) -> NDArray[np.float64]:
    """Return the interval of independent objects, in two kinds of units: right and wrong."""
    (bounds,) = proportion_intervals(np.array([[1.0], [0.0]]), np.ones((2, 1)), np.array([hits, n - hits]))
    return bounds


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(max_examples=100, deadline=None)
def test_independent_objects_have_the_interval_of_clopper_and_pearson(numbers: tuple[int, int]) -> None:
    """As SciPy computes it, and never of zero width."""
    hits, n = numbers
    exact = stats.binomtest(hits, n).proportion_ci()
    low, high = of_objects(hits, n)

    assert (low, high) == pytest.approx(tuple(exact), abs=1e-12)
    assert 0 <= low < high <= 1


def synthetic_clusters(rng: np.random.Generator, clusters: int, between: float) -> tuple[Counts, Counts]:
    """Return hits and objects of clusters of 5 to 15 objects, with a recall of 0.8 that varies between clusters."""
    objects = rng.integers(5, 16, clusters)
    recall = rng.beta(0.8 / between, 0.2 / between, clusters) if between else np.full(clusters, 0.8)
    hits = rng.binomial(objects, recall)
    return hits[:, None].astype(float), objects[:, None].astype(float)


def test_the_design_effect_equals_its_formula() -> None:
    """The variance of a ratio over clusters, from its linearisation, relative to p (1 - p) / (n - 1)."""
    hits, objects = synthetic_clusters(np.random.default_rng(3), 12, 0.5)
    share, n = hits.sum() / objects.sum(), objects.sum()
    variance = 12 * np.var((hits - share * objects) / n, ddof=1)

    (effect,) = design_effects(hits, objects, np.ones(12, np.int64))

    assert effect == pytest.approx(variance / (share * (1 - share) / (n - 1)))


def test_kinds_are_repeated_units() -> None:
    """Weights have the same effect as repeating rows."""
    hits, objects = synthetic_clusters(np.random.default_rng(4), 9, 0.5)
    weights = np.arange(1, 10)
    repeated = np.repeat(hits, weights, axis=0), np.repeat(objects, weights, axis=0), np.ones(45, np.int64)

    assert proportion_intervals(hits, objects, weights) == pytest.approx(proportion_intervals(*repeated))


def test_clusters_have_wider_intervals_than_objects() -> None:
    """If recall varies between clusters."""
    hits, objects = synthetic_clusters(np.random.default_rng(5), 20, 0.5)
    ((low, high),) = proportion_intervals(hits, objects, np.ones(20, np.int64))
    exact = stats.binomtest(int(hits.sum()), int(objects.sum())).proportion_ci()

    assert high - low > 1.5 * (exact.high - exact.low)


def test_without_variance_the_design_effect_of_others_is_used() -> None:
    """For a proportion of 0 or 1, and for one whose objects are all of one unit."""
    certain, single = np.full((6, 1), 4.0), np.array([[2.0], [0], [0], [0], [0], [0]])
    objects, ones = np.full((6, 1), 4.0), np.ones(6, np.int64)

    assert proportion_intervals(certain, objects, ones, 4.0) == pytest.approx(of_objects(6, 6)[None])
    assert proportion_intervals(0 * certain, objects, ones, 4.0) == pytest.approx(of_objects(0, 6)[None])
    assert proportion_intervals(single, 2 * single, ones, 2.0)[0] == pytest.approx(
        stats.beta.ppf([0.025, 0.975], [1, 2], [2, 1])
    )


def test_a_proportion_of_no_objects_has_no_interval() -> None:
    """Others have one."""
    found = proportion_intervals(
        np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]), np.ones(2, int)
    )

    assert np.isnan(found).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("clusters", [6, 20, 60])
@pytest.mark.parametrize("between", [0.0, 0.3])
def test_coverage_is_at_least_nominal(clusters: int, between: float) -> None:
    """The interval contains the true recall in at least 93 % of 600 simulated data sets."""
    rng = np.random.default_rng(clusters)
    found = [
        proportion_intervals(*synthetic_clusters(rng, clusters, between), np.ones(clusters, np.int64))[0]
        for _ in range(600)
    ]

    assert np.mean([low <= 0.8 <= high for low, high in found]) >= 0.93


def test_single_objects_have_binomial_intervals() -> None:
    """In each category; rows that do not count are ignored, and four objects are too few."""
    rng = np.random.default_rng(3)
    categories = np.append(rng.integers(0, 3, 2000), [3] * 4)
    objects, units = rng.random(2004) < 0.8, np.arange(2004)
    hits = objects & (rng.random(2004) < 0.3)
    bounds = category_intervals(hits, objects, units, categories=categories, n_categories=4)

    assert np.isnan(bounds[3]).all()
    for category in range(3):
        inside = categories == category
        expected = stats.binomtest(int(hits[inside].sum()), int(objects[inside].sum())).proportion_ci()
        assert bounds[category] == pytest.approx(expected, rel=0.005)


def test_copies_of_an_object_in_a_cluster_count_once() -> None:
    """Clusters of ten equal objects have the interval of one object each, and a design effect of ten."""
    hits = np.random.default_rng(2).random(200) < 0.4
    copied, clusters = np.repeat(hits, 10), np.repeat(np.arange(200), 10)
    (single,) = category_intervals(hits, np.ones(200), np.arange(200))
    (clustered,) = category_intervals(copied, np.ones(2000), clusters)

    assert clustered == pytest.approx(single, rel=0.02)
    assert design_effect(copied, clusters) == pytest.approx(10, rel=0.01)
    assert design_effect(np.ones(2000), clusters) == 1


def test_fractional_hits_are_no_wider_than_whole_ones() -> None:
    """Expected values under random tie-breaking vary less."""
    halves = np.full(100, 0.5)
    (bounds,) = category_intervals(halves, np.ones(100), np.arange(100))

    assert bounds == pytest.approx(stats.binomtest(50, 100).proportion_ci())
