"""Units of resampling: sums, units left out, and repeated objects."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planktonbench.reports.scoring import units as module
from planktonbench.reports.scoring.metrics import confusion_matrix, totals_of
from planktonbench.reports.scoring.units import Units, cluster_units, count_units, object_units, repeated_units
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]
CLASSES = 4
objects = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES), st.integers(0, 4)), min_size=2)


def columns(rows: list[tuple[int, int, int]]) -> tuple[Codes, Codes, Codes]:
    """Return truth, predictions (the last code is an unknown name) and clusters without gaps."""
    truth, predicted, clusters = np.array(rows).T
    return truth, predicted, np.unique(clusters, return_inverse=True)[1]


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return macro F1 of scikit-learn over the classes with support; NaN without objects."""
    if not len(truth):
        return float("nan")
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


@given(objects)
@settings(max_examples=100, deadline=None)
def test_units_sum_to_the_confusion_matrix(rows: list[tuple[int, int, int]]) -> None:
    """Hits, support and predictions of clusters and of objects; unknown names are only errors."""
    truth, predicted, clusters = columns(rows)
    for of_rows in (clusters, None):
        matrix, units = count_units(truth, predicted, of_rows, CLASSES)
        whole = totals_of(matrix)

        assert matrix.tolist() == confusion_matrix(truth, predicted, CLASSES).tolist()
        assert units.n == (len(rows) if of_rows is None else clusters.max() + 1)
        for name in ("hits", "support", "predicted"):
            assert getattr(units.totals, name).tolist() == getattr(whole, name).tolist()
        of_class = [
            len(set(np.arange(len(rows))[truth == k] if of_rows is None else clusters[truth == k]))
            for k in range(CLASSES)
        ]
        assert units.clusters_of_class.tolist() == of_class


@given(objects)
@settings(max_examples=60, deadline=None)
def test_leaving_out_a_unit_equals_removing_its_rows(rows: list[tuple[int, int, int]]) -> None:
    """Macro F1 is that of scikit-learn without the rows of a cluster or without one object."""
    truth, predicted, clusters = columns(rows)
    units = cluster_units(truth, predicted, clusters, CLASSES)
    expected = [macro_f1(truth[clusters != k], predicted[clusters != k]) for k in range(units.n)]

    assert left_out(units) == pytest.approx(expected, abs=1e-12, nan_ok=True)

    single = object_units(confusion_matrix(truth, predicted, CLASSES))
    without = Counter(round(macro_f1(np.delete(truth, k), np.delete(predicted, k)), 9) for k in range(len(rows)))

    assert Counter(np.repeat(left_out(single), single.weights).round(9).tolist()) == without


def left_out(units: Units) -> NDArray[np.float64]:
    """Return macro F1 without one unit of each kind."""
    totals = units.without_each()
    return totals.macro(totals.f1)


@pytest.mark.parametrize("most", [0, 100])
def test_units_of_several_runs_are_those_of_all_rows(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Kinds with weights, or all units if they have many rows, have the same counts."""
    monkeypatch.setattr(module, "MOST_ROWS_COMPARED", most)
    rng = np.random.default_rng(0)
    truth = np.tile(rng.integers(0, CLASSES, 60), 3)
    predicted = np.where(rng.random(180) < 0.7, truth, rng.integers(0, CLASSES + 1, 180))
    rows = rng.permutation(180)
    units = np.tile(np.arange(60), 3)

    found = repeated_units(truth[rows], predicted[rows], units[rows], CLASSES)
    expected = cluster_units(truth, predicted, units, CLASSES)

    assert (len(found.weights) < 60) is bool(most)
    assert found.clusters_of_class.tolist() == expected.clusters_of_class.tolist()
    assert sorted(map(tuple, np.repeat(found.counts, found.weights, axis=0))) == sorted(map(tuple, expected.counts))


def test_units_with_a_different_number_of_rows_are_of_different_kinds() -> None:
    """An object that two runs test is not the same as one of a single run."""
    found = repeated_units(np.zeros(3, int), np.zeros(3, int), np.array([0, 0, 1]), 1)

    assert sorted(found.by_kind.support.ravel()) == [1, 2]
