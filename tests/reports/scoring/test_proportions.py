"""Intervals of proportions in categories of rows."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.reports.scoring.proportions import category_intervals, design_effect
from scipy.stats import binomtest


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
        expected = binomtest(int(hits[inside].sum()), int(objects[inside].sum())).proportion_ci()
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

    assert bounds == pytest.approx(binomtest(50, 100).proportion_ci())
