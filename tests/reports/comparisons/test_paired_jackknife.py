"""Paired jackknife, compared with removing rows and scoring by scikit-learn, and with the units of single scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planktonbench.reports.comparisons.over_runs import OverRuns
from planktonbench.reports.comparisons.paired_jackknife import macro_f1_without_each, statistics_without_each
from planktonbench.reports.comparisons.paired_predictions import PairedPredictions, macro_f1_of
from planktonbench.reports.scoring.metrics import Totals, confusion_matrix, totals_of
from planktonbench.reports.scoring.units import cluster_units
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]
CLASSES = 4
rows = st.lists(
    st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES), st.integers(0, CLASSES), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return macro F1 of scikit-learn over the classes with support; NaN without objects."""
    if not len(truth):
        return float("nan")
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def expected(data: PairedPredictions, n_units: int) -> NDArray[np.float64]:
    """Return macro F1 of each method without the rows of each unit, by scikit-learn."""
    kept = [data.units != unit for unit in range(n_units)]
    return np.array([[macro_f1(data.truth[of], predicted[of]) for of in kept] for predicted in data.predicted])


@given(rows)
@settings(max_examples=80, deadline=None)
def test_leaving_out_a_unit_equals_removing_its_rows(objects: list[tuple[int, ...]]) -> None:
    """Also if a class or all objects are gone without it, for unknown names, and units without objects."""
    truth, a, b, units = np.array(objects).T
    data = PairedPredictions(truth, np.stack([a, b]), units)

    assert macro_f1_without_each(data, 5, CLASSES) == pytest.approx(expected(data, 5), abs=1e-12, nan_ok=True)


@given(rows)
@settings(max_examples=40, deadline=None)
def test_a_method_has_the_values_of_its_score(objects: list[tuple[int, ...]]) -> None:
    """The units of a single score give the same macro F1 without each of them."""
    truth, a, b, units = np.array(objects).T
    units = np.unique(units, return_inverse=True)[1]
    n_units = int(units.max()) + 1
    without = cluster_units(truth, a, units, CLASSES).without_each()
    found = macro_f1_without_each(PairedPredictions(truth, np.stack([a, b]), units), n_units, CLASSES)

    assert found[0] == pytest.approx(without.macro(without.f1), abs=1e-12, nan_ok=True)


def test_single_objects_are_units() -> None:
    """Each is removed once."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, 60)
    predicted = np.where(rng.random((2, 60)) < 0.7, truth, rng.integers(0, CLASSES + 1, (2, 60)))
    data = PairedPredictions(truth, predicted, np.arange(60))

    assert macro_f1_without_each(data, 60, CLASSES) == pytest.approx(expected(data, 60), abs=1e-12)


def test_the_error_over_several_runs_equals_an_explicit_jackknife() -> None:
    """A unit is removed from all runs that test it; a run of a single unit is left out of the mean without it."""
    rng = np.random.default_rng(1)

    def run(units: Codes) -> PairedPredictions:
        truth = rng.integers(0, CLASSES, len(units))
        predicted = np.where(rng.random((2, len(units))) < 0.7, truth, rng.integers(0, CLASSES + 1, (2, len(units))))
        return PairedPredictions(truth, predicted, units)

    runs = [run(rng.integers(0, 6, 50)), run(rng.integers(0, 3, 30)), run(np.full(9, 2))]
    by_run = np.array([np.subtract(*expected(data, 6)) for data in runs])
    means = np.nanmean(by_run, axis=0)
    error = np.sqrt(5 / 6 * ((means - means.mean()) ** 2).sum())

    values = np.array([np.subtract(*macro_f1_of(data, CLASSES)) for data in runs])
    left_out = np.array([np.subtract(*macro_f1_without_each(data, 6, CLASSES)) for data in runs])
    found = OverRuns(values, left_out).of_fitted_models

    assert np.isnan(by_run[2, 2])
    assert (found.value, found.error, found.n_units) == (
        pytest.approx(values.mean()),
        pytest.approx(error, abs=1e-12),
        6,
    )


def some_statistics(totals: Totals) -> NDArray[np.float64]:
    """Return macro F1 and the variance of predictions over classes."""
    return np.stack([totals.macro(totals.f1), totals.predicted.var(axis=-1)], axis=-1)


@given(rows, st.booleans())
@settings(max_examples=60, deadline=None)
def test_statistics_without_a_unit_equal_those_of_the_other_rows(objects: list[tuple[int, ...]], single: bool) -> None:
    """With single objects and with clusters as units, and for units without objects."""
    truth, a, b, units = np.array(objects).T
    units = np.arange(len(units)) if single else units
    n_units = int(units.max()) + 2
    data = PairedPredictions(truth, np.stack([a, b]), units)
    expected_values = [
        [
            some_statistics(totals_of(confusion_matrix(truth[of], predicted[of], CLASSES)))
            for of in (units != unit for unit in range(n_units))
        ]
        for predicted in data.predicted
    ]
    found = statistics_without_each(data, n_units, CLASSES, some_statistics)

    assert found == pytest.approx(np.array(expected_values), abs=1e-12, nan_ok=True)
    assert found[..., 0] == pytest.approx(macro_f1_without_each(data, n_units, CLASSES), abs=1e-12, nan_ok=True)
