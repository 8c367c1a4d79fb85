"""Agreement of clusters with taxa: compared with scikit-learn and SciPy, and by properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.scoring.clustering_metrics import MEASURES, Contingency, agreement, agreement_intervals
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, f1_score, normalized_mutual_info_score

if TYPE_CHECKING:
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
    contingency = Contingency(clusters, truth)
    counts = np.zeros(contingency.shape, np.int64)
    np.add.at(counts, (clusters, truth), 1)
    rows, columns = linear_sum_assignment(-counts)
    taxon = np.full(len(counts), -1)
    taxon[rows] = columns

    found = dict(zip(MEASURES, agreement(contingency.table), strict=True))

    assert (contingency.table == counts).all()
    assert found["acc"] == pytest.approx(counts[rows, columns].sum() / len(pairs))
    assert found["nmi"] == pytest.approx(normalized_mutual_info_score(truth, clusters), abs=1e-9)
    assert found["ari"] == pytest.approx(adjusted_rand_score(truth, clusters), abs=1e-9)
    assert found["f1"] == pytest.approx(
        f1_score(truth, taxon[clusters], labels=np.unique(truth), average="macro", zero_division=0)
    )


def test_names_of_clusters_do_not_matter() -> None:
    """A perfect clustering in another order has the value one everywhere; one cluster for all has no information."""
    truth = np.repeat([0, 1, 2], [5, 9, 4])

    assert agreement(Contingency(np.array([2, 0, 1])[truth], truth).table) == pytest.approx(1)
    accuracy, _, nmi, ari = agreement(Contingency(np.zeros(18, np.int64), truth).table)
    assert (accuracy, nmi, ari) == (0.5, 0, 0)


@pytest.mark.parametrize("grouped", [False, True])
def test_resampled_tables_hold_the_objects_of_the_drawn_units(*, grouped: bool) -> None:
    """Each resample has as many units as the data; whole samples are drawn."""
    rng = np.random.default_rng(0)
    clusters, truth, samples = rng.integers(0, [[3], [4], [6]], (3, 90))
    samples[:6], clusters[:3], truth[:4] = range(6), range(3), range(4)
    contingency = Contingency(clusters, truth, samples if grouped else None)
    by_sample = np.zeros((6, *contingency.shape), np.int64)
    np.add.at(by_sample, (samples, clusters, truth), 1)

    tables = np.concatenate(list(contingency.draws(200, np.random.default_rng(1))))

    assert tables.shape == (200, 3, 4)
    if grouped:
        drawn = np.linalg.lstsq(by_sample.reshape(6, -1).T, tables.reshape(200, -1).T, rcond=None)[0]
        np.testing.assert_allclose(drawn, drawn.round(), atol=1e-8)
        np.testing.assert_allclose(drawn.sum(axis=0), 6)
    else:
        assert (tables.sum(axis=(1, 2)) == 90).all()
        np.testing.assert_allclose(tables.mean(axis=0), contingency.table, atol=1)


def test_intervals_contain_the_value_and_widen_with_alike_samples() -> None:
    """With three samples that agree within themselves, resampling samples gives a wider interval than objects."""
    rng = np.random.default_rng(2)
    samples = np.repeat(np.arange(12), 30)
    truth = rng.integers(0, 3, 360)
    right = rng.random(12)[samples] > 0.5
    clusters = np.where(right, truth, rng.integers(0, 3, 360))
    bounds = {}
    for name, units in (("objects", None), ("samples", samples)):
        values, bounds[name] = agreement_intervals(Contingency(clusters, truth, units), 400, np.random.default_rng(3))
        assert (bounds[name][:, 0] <= values).all()
        assert (values <= bounds[name][:, 1]).all()

    assert (np.diff(bounds["samples"]) > 1.5 * np.diff(bounds["objects"])).all()
