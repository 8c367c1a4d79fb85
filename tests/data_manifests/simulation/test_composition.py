"""Composition of a simulated data set: published proportions, a minimum for rare taxa, uneven samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench import DataError
from planktonbench.data_manifests.simulation.composition import LEAST_PER_TAXON, apportion, compose


@given(
    published=st.lists(st.integers(1, 100_000), min_size=1, max_size=40),
    spare=st.integers(0, 5000),
)
@settings(max_examples=200, deadline=None)
def test_all_objects_are_apportioned(published: list[int], spare: int) -> None:
    """No taxon is below the minimum, and larger taxa never get fewer objects than smaller ones."""
    objects = LEAST_PER_TAXON * len(published) + spare
    counts = apportion(np.array(published), objects)

    assert counts.sum() == objects
    assert counts.min() >= LEAST_PER_TAXON
    order = np.argsort(published, kind="stable")
    assert (np.diff(counts[order]) >= -1).all()


def test_shares_of_common_taxa_are_exact() -> None:
    """If no taxon is rare, counts are the published shares to within one object."""
    published = np.array([500, 300, 200])

    assert apportion(published, 1000).tolist() == [500, 300, 200]


def test_too_few_objects_are_rejected() -> None:
    """The message has the number that would be sufficient."""
    with pytest.raises(DataError, match="30 labelled objects are too few for 3 taxa of at least 12 each; request 37"):
        apportion(np.array([1, 1, 1]), 30)


def test_a_composition_has_the_apportioned_counts() -> None:
    """The numbers of labelled objects per taxon and of unlabelled objects are exact."""
    published = {"a": 600, "b": 300, "c": 10}
    composition = compose(published, 0.01, 1000, np.random.default_rng(0))
    counts = np.bincount(composition.taxon[composition.labelled])

    assert (~composition.labelled).sum() == 10
    assert counts.tolist() == apportion(np.array(list(published.values())), 990).tolist()
    assert composition.sample.max() < composition.n_samples


def test_a_subset_is_a_slice() -> None:
    """It has the corresponding rows of the whole."""
    whole = compose({"a": 5, "b": 5}, 0, 100, np.random.default_rng(0))
    subset = whole.subset(slice(10, 20))

    assert subset.taxon.tolist() == whole.taxon[10:20].tolist()
    assert subset.sample.tolist() == whole.sample[10:20].tolist()
