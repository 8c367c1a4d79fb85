"""Agreement of clusters with taxa: compared with scikit-learn and SciPy, and by properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.scoring.clustering_metrics import (
    RANGES,
    Contingency,
    agreement,
    agreement_intervals,
    best_matching,
)
from scipy import stats
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, f1_score, normalized_mutual_info_score

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=60)


def coded(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return codes without gaps."""
    return np.unique(values, return_inverse=True)[1]


@given(labels)
@settings(deadline=None)
def test_values_equal_those_of_scikit_learn_and_scipy(pairs: list[tuple[int, int]]) -> None:
    """ACC by SciPy's matching, F1, NMI and ARI by scikit-learn, for any labels."""
    clusters, truth = (coded(np.array(column)) for column in zip(*pairs, strict=True))
    table = Contingency(clusters, truth).table
    counts = np.zeros_like(table)
    np.add.at(counts, (clusters, truth), 1)
    matching = best_matching(table)
    taxon = np.full(len(counts), -1)
    taxon[matching.clusters] = matching.classes

    found = dict(zip(RANGES, agreement(table), strict=True))

    assert (table == counts).all()
    assert found["acc"] == pytest.approx(counts[linear_sum_assignment(-counts)].sum() / len(pairs))
    assert found["nmi"] == pytest.approx(normalized_mutual_info_score(truth, clusters), abs=1e-9)
    assert found["ari"] == pytest.approx(adjusted_rand_score(truth, clusters), abs=1e-9)
    assert found["f1"] == pytest.approx(
        f1_score(truth, taxon[clusters], labels=np.unique(truth), average="macro", zero_division=0)
    )


@given(labels, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_values_do_not_depend_on_the_order_of_clusters_and_classes(
    pairs: list[tuple[int, int]], shuffler: Random
) -> None:
    """Of several matchings with the same ACC, the one with the highest F1 is used."""
    clusters, truth = (coded(np.array(column)) for column in zip(*pairs, strict=True))
    table = Contingency(clusters, truth).table
    rows, columns = (shuffler.sample(range(n), n) for n in table.shape)

    np.testing.assert_allclose(agreement(table[rows][:, columns]), agreement(table))


def test_names_of_clusters_do_not_matter() -> None:
    """A perfect clustering in another order has the value one everywhere; one cluster for all has no information."""
    truth = np.repeat([0, 1, 2], [5, 9, 4])

    assert agreement(Contingency(np.array([2, 0, 1])[truth], truth).table) == pytest.approx(1)
    accuracy, _, nmi, ari = agreement(Contingency(np.zeros(18, np.int64), truth).table)
    assert (accuracy, nmi, ari) == (0.5, 0, 0)


@pytest.mark.parametrize("grouped", [False, True])
def test_each_unit_is_left_out_once(*, grouped: bool) -> None:
    """Tables without one sample, or without one object, as counted from the remaining objects."""
    rng = np.random.default_rng(0)
    clusters, truth, samples = rng.integers(0, [[3], [4], [6]], (3, 40))
    samples[:6], clusters[:3], truth[:4] = range(6), range(3), range(4)
    expected: dict[bytes, int] = {}
    for unit in range(6 if grouped else 40):
        kept = samples != unit if grouped else np.arange(40) != unit
        table = np.zeros((3, 4), np.int64)
        np.add.at(table, (clusters[kept], truth[kept]), 1)
        expected[table.tobytes()] = expected.get(table.tobytes(), 0) + 1

    contingency = Contingency(clusters, truth, samples if grouped else None)

    assert {table.tobytes(): n for table, n in contingency.without_each_unit()} == expected


def test_the_interval_of_acc_is_that_of_a_mean() -> None:
    """With a fixed matching, ACC is a share: its interval is the t interval of the mean, on the arcsine scale."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 200)
    clusters = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 3, 200))

    values, bounds = agreement_intervals(Contingency(clusters, truth))

    right = (clusters == truth).astype(float)
    scaled = right.std(ddof=1) / np.sqrt(200) / np.sqrt(right.mean() * (1 - right.mean()))
    expected = stats.t.interval(0.95, 199, np.arccos(1 - 2 * right.mean()), scaled)
    np.testing.assert_allclose(bounds[0], (1 - np.cos(expected)) / 2)
    assert values[0] == right.mean()


@pytest.mark.parametrize("informative", [0.0, 0.6])
def test_intervals_cover_the_expected_value(informative: float) -> None:
    """Of 150 simulated sets of 15 alike samples, at least 90 % of the intervals cover the mean over all sets.

    Clusters without information are the case in which percentiles of resamples do not even contain the value.
    """
    rng = np.random.default_rng(4)
    samples = np.repeat(np.arange(15), 20)
    found = []
    for _ in range(150):
        truth = rng.choice(4, 300, p=[0.4, 0.3, 0.2, 0.1])
        right = rng.random(300) < informative * 2 * rng.random(15)[samples]
        found.append(agreement_intervals(Contingency(np.where(right, truth, rng.integers(0, 5, 300)), truth, samples)))
    values, bounds = (np.array(column) for column in zip(*found, strict=True))
    expected = values.mean(axis=0)

    assert ((bounds[..., 0] <= values) & (values <= bounds[..., 1])).all()
    assert (((bounds[..., 0] <= expected) & (expected <= bounds[..., 1])).mean(axis=0) >= 0.9).all()


def test_perfect_clusters_are_not_certain() -> None:
    """They have the interval of a proportion; ARI, which is not from 0 to 1, has none."""
    truth = np.arange(40) % 4
    values, bounds = agreement_intervals(Contingency(truth, truth, np.arange(40) // 4))
    low = stats.binomtest(40, 40).proportion_ci().low

    assert values == pytest.approx(1)
    assert bounds[:3] == pytest.approx(np.array([[low, 1]] * 3))
    assert np.isnan(bounds[3]).all()


def test_one_object_has_no_interval() -> None:
    """A single unit has no variance."""
    _, bounds = agreement_intervals(Contingency(np.array([0]), np.array([0])))

    assert np.isnan(bounds).all()
