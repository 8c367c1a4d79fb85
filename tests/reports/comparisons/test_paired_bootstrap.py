"""Paired bootstrap, compared with SciPy and explicit loops; invariance to order and batch size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planktonbench.reports.comparisons import paired_bootstrap as paired
from planktonbench.reports.comparisons.paired_bootstrap import Resampled, resample
from planktonbench.reports.comparisons.paired_predictions import PairedPredictions
from scipy.stats import bootstrap
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]
SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
CLASSES = len(SHARES)


def predictions(
    n: int = 400, *, right: tuple[float, ...] = (0.8, 0.7), clusters: int = 0, seed: int = 0
) -> PairedPredictions:
    """Return predictions with shares `right` known and the rest guessed; 0 clusters resample single objects."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, n, p=SHARES)
    truth[:CLASSES] = np.arange(CLASSES)
    predicted = np.stack([np.where(rng.random(n) < one, truth, rng.integers(0, CLASSES + 1, n)) for one in right])
    units = np.arange(n) * clusters // n if clusters else np.arange(n)
    return PairedPredictions(truth, predicted, units)


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return macro F1 of scikit-learn over the classes with support."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def resampled(*runs: PairedPredictions, draws: int = 1000, seed: int = 0) -> Resampled:
    """Resample with a new random generator."""
    n_units = 1 + max(int(one.units.max()) for one in runs)
    return resample(runs, n_units, CLASSES, draws=draws, rng=np.random.default_rng(seed))


def test_each_draw_equals_explicit_resampling_of_objects() -> None:
    """For the same clusters, the value of each draw is that of the drawn objects; so are interval and mean."""
    data = predictions(clusters=12)
    drawn = np.random.default_rng(7).integers(12, size=(30, 12))
    rows = [np.concatenate([np.flatnonzero(data.units == unit) for unit in units]) for units in drawn]
    expected = np.array([[macro_f1(data.truth[of], one[of]) for of in rows] for one in data.predicted])
    found = resampled(data, draws=30, seed=7)

    assert found.drawn == pytest.approx(expected, abs=1e-12)
    assert found.interval(0, 1) == pytest.approx(np.quantile(expected[0] - expected[1], [0.025, 0.975]), abs=1e-12)
    assert found.mean(0, 1) == pytest.approx((expected[0] - expected[1]).mean(), abs=1e-12)


def test_interval_equals_that_of_scipy() -> None:
    """For single objects, it has the bounds of SciPy's paired percentile bootstrap, except for random variation."""
    data = predictions()

    def difference(truth: Codes, a: Codes, b: Codes) -> float:
        return float(np.mean([f1(truth == k, a == k) - f1(truth == k, b == k) for k in np.unique(truth)]))

    def f1(is_class: NDArray[np.bool_], is_predicted: NDArray[np.bool_]) -> float:
        return float(2 * (is_class & is_predicted).sum() / (is_class.sum() + is_predicted.sum()))

    expected = bootstrap(
        (data.truth, *data.predicted), difference, n_resamples=1000, paired=True, vectorized=False,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip

    np.testing.assert_allclose(resampled(data, draws=4000).interval(0, 1), expected, atol=0.012)


def test_several_runs_are_averaged_in_each_draw() -> None:
    """A unit is drawn in all runs; a run without any object in a draw is excluded from the mean of that draw."""
    one, other = predictions(60, clusters=4, seed=1), predictions(30, clusters=2, seed=2)
    drawn = np.random.default_rng(3).integers(4, size=(50, 4))

    def mean_of(units: Codes, method: int) -> float:
        rows = [np.concatenate([np.flatnonzero(run.units == unit) for unit in units]) for run in (one, other)]
        pairs = [(run, of) for run, of in zip((one, other), rows, strict=True) if len(of)]
        return float(np.mean([macro_f1(run.truth[of], run.predicted[method][of]) for run, of in pairs]))

    assert any(not np.isin(units, [0, 1]).any() for units in drawn)
    found = resampled(one, other, draws=50, seed=3)
    assert found.drawn[1] == pytest.approx([mean_of(units, 1) for units in drawn], abs=1e-12)


@given(st.permutations(range(4)), st.integers(0, 3), st.sampled_from([0, 15]))
@settings(max_examples=20, deadline=None)
def test_order_of_methods_does_not_matter(order: list[int], seed: int, clusters: int) -> None:
    """Results are identical in another order or with fewer methods; swapping two only changes the sign."""
    data = predictions(120, right=(0.9, 0.8, 0.8, 0.3), clusters=clusters, seed=seed)
    whole, shuffled = resampled(data, draws=60), resampled(replace(data, predicted=data.predicted[order]), draws=60)
    two = resampled(replace(data, predicted=data.predicted[order[:2]]), draws=60)
    a, b = order[:2]
    low, high = whole.interval(a, b)

    for found in (shuffled, two):
        assert (found.interval(0, 1), found.mean(0, 1)) == (whole.interval(a, b), whole.mean(a, b))
    assert (whole.interval(b, a), whole.mean(b, a)) == ((-high, -low), -whole.mean(a, b))


def test_batch_size_does_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are the same with small batches."""
    data = predictions(clusters=20)
    before = resampled(data).drawn
    monkeypatch.setattr(paired, "CELLS_AT_ONCE", 300)

    assert (resampled(data).drawn == before).all()


def test_identical_predictions_do_not_differ_in_any_draw() -> None:
    """The interval and the mean difference are zero."""
    data = predictions()
    found = resampled(replace(data, predicted=data.predicted[[0, 0]]))

    assert (found.interval(0, 1), found.mean(0, 1)) == ((0, 0), 0)
