"""What a simulated set holds: published proportions, a floor for rare taxa, uneven samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench import DataError
from planktonbench.data_manifests.simulation.composition import LEAST_PER_TAXON, compose, shared_out


@given(
    published=st.lists(st.integers(1, 100_000), min_size=1, max_size=40),
    spare=st.integers(0, 5000),
)
@settings(max_examples=200, deadline=None)
def test_objects_are_shared_out_to_the_last(published: list[int], spare: int) -> None:
    """All of them, none below the floor, and a larger taxon never with fewer than a smaller one."""
    objects = LEAST_PER_TAXON * len(published) + spare
    counts = shared_out(np.array(published), objects)

    assert counts.sum() == objects
    assert counts.min() >= LEAST_PER_TAXON
    order = np.argsort(published, kind="stable")
    assert (np.diff(counts[order]) >= -1).all()


def test_shares_of_common_taxa_are_exact() -> None:
    """Where no taxon is rare, counts are the published shares to within one object."""
    published = np.array([500, 300, 200])

    assert shared_out(published, 1000).tolist() == [500, 300, 200]


def test_too_few_objects_are_refused() -> None:
    """With the number that would do."""
    with pytest.raises(DataError, match="30 labelled objects are too few for 3 taxa of at least 12 each; ask for 37"):
        shared_out(np.array([1, 1, 1]), 30)


def test_a_composition_counts_what_was_shared_out() -> None:
    """Labelled objects per taxon are exact, unlabelled ones the share that was asked for."""
    published = {"a": 600, "b": 300, "c": 10}
    composition = compose(published, 0.01, 1000, np.random.default_rng(0))
    counts = np.bincount(composition.taxon[composition.labelled])

    assert (~composition.labelled).sum() == 10
    assert counts.tolist() == shared_out(np.array(list(published.values())), 990).tolist()
    assert composition.sample.max() < composition.n_samples


def test_a_part_is_a_slice() -> None:
    """Rows of a part are those of the whole."""
    whole = compose({"a": 5, "b": 5}, 0, 100, np.random.default_rng(0))
    part = whole.part(slice(10, 20))

    assert part.taxon.tolist() == whole.taxon[10:20].tolist()
    assert part.sample.tolist() == whole.sample[10:20].tolist()
