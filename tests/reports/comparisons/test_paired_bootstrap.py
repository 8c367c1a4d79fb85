"""Paired bootstrap, compared with SciPy, explicit loops and simulations; invariance to order and batch size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from planktonbench.benchmarks.studies.false_alarms import N_CLASSES as CLASSES
from planktonbench.benchmarks.studies.false_alarms import SHARES, compared, two_methods
from planktonbench.reports.comparisons import paired_bootstrap as paired
from planktonbench.reports.comparisons.paired_bootstrap import Paired, PairedPredictions, Resampled, resample
from scipy.stats import bootstrap
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]


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


@pytest.mark.parametrize("clusters", [0, 20])
def test_values_equal_those_of_scikit_learn(clusters: int) -> None:
    """Macro F1 of both methods and their difference."""
    data = predictions(clusters=clusters)

    found = resampled(data, draws=10).pair(0, 1)

    assert found.macro_f1_a == pytest.approx(macro_f1(data.truth, data.predicted[0]))
    assert found.macro_f1_b == pytest.approx(macro_f1(data.truth, data.predicted[1]))
    assert found.delta == found.macro_f1_a - found.macro_f1_b


def test_each_draw_equals_explicit_resampling_of_objects() -> None:
    """For the same clusters, the difference of each draw is that of the drawn objects."""
    data = predictions(clusters=12)
    drawn = np.random.default_rng(7).integers(12, size=(30, 12))
    rows = [np.concatenate([np.flatnonzero(data.units == unit) for unit in units]) for units in drawn]
    expected = [
        macro_f1(data.truth[of], data.predicted[0][of]) - macro_f1(data.truth[of], data.predicted[1][of]) for of in rows
    ]

    assert resampled(data, draws=30, seed=7).pair(0, 1).drawn == pytest.approx(expected, abs=1e-12)


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

    np.testing.assert_allclose(resampled(data, draws=4000).pair(0, 1).interval, expected, atol=0.012)


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

    for found in (shuffled.pair(0, 1), two.pair(0, 1)):
        assert values_of(found) == values_of(whole.pair(a, b))
    delta, (low, high), p_value, detectable = values_of(whole.pair(a, b))
    assert values_of(whole.pair(b, a)) == (-delta, (-high, -low), p_value, detectable)


def values_of(found: Paired) -> tuple[float, tuple[float, float], float, float]:
    """Return difference, interval, p-value and detectable difference."""
    return found.delta, found.interval, found.p_value, found.detectable


def test_batch_size_does_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are the same with small batches."""
    data = predictions(clusters=20)
    before = resampled(data).drawn
    monkeypatch.setattr(paired, "CELLS_AT_ONCE", 300)

    assert (resampled(data).drawn == before).all()


def test_identical_predictions_are_a_tie() -> None:
    """The difference is zero in all draws."""
    data = predictions()

    found = resampled(replace(data, predicted=data.predicted[[0, 0]])).pair(0, 1)

    assert values_of(found) == (0, (0, 0), 1.0, 0)
    assert found.verdict == "tie"


def test_a_large_difference_is_significant() -> None:
    """Verdict and p-value agree; the p-value is never 0."""
    found = resampled(predictions(right=(0.95, 0.5)))

    assert found.pair(0, 1).verdict == "a"
    assert found.pair(1, 0).verdict == "b"
    assert found.pair(0, 1).p_value == pytest.approx(2 / 1001)


def test_false_positive_rate_is_five_percent() -> None:
    """Of 800 pairs of equally good methods, 5 ± 2 % differ by interval and by p-value on clustered data."""
    found = list(compared(100, range(800), draws=400, objects=1000))

    assert 3 < 100 * np.mean([one.verdict != "tie" for one in found]) < 7
    assert 3 < 100 * np.mean([one.p_value <= 0.05 for one in found]) < 7


def test_coverage_and_power_are_as_documented() -> None:
    """At least 93 % of 500 intervals contain the true difference; the detectable difference is found in 80 %."""
    rng = np.random.default_rng(12)
    found = [
        resampled(two_methods(rng, right=(0.72, 0.65), clusters=100, objects=1000), draws=400, seed=k).pair(0, 1)
        for k in range(500)
    ]
    true, detectable = (
        float(np.mean(values)) for values in ([one.delta for one in found], [one.detectable for one in found])
    )
    covered = [one.interval[0] <= true <= one.interval[1] for one in found]
    detected = [one.interval[0] + detectable - true > 0 for one in found]

    assert np.mean(covered) >= 0.93
    assert 0.75 < np.mean(detected) < 0.85


def test_resampling_clustered_objects_individually_understates_the_width() -> None:
    """If whole samples are predicted correctly or wrongly, intervals from single objects are much too narrow."""
    rng = np.random.default_rng(14)
    units = np.repeat(np.arange(40), 25)
    truth = rng.choice(CLASSES, 1000, p=SHARES)
    predicted = np.where((rng.random((2, 40)) < 0.7)[:, units], truth, (truth + 1) % CLASSES)
    clustered, single = (
        resampled(PairedPredictions(truth, predicted, drawn)).pair(0, 1) for drawn in (units, np.arange(1000))
    )

    assert clustered.detectable > 2 * single.detectable
