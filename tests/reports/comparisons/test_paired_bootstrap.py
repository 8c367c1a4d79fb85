"""Paired comparison against SciPy's bootstrap, loops, simulated repetitions, and what must not matter."""

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
    """Return methods that are right so often, with some calls of no known class; 0 clusters draw single objects."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, n, p=SHARES)
    truth[:CLASSES] = np.arange(CLASSES)
    predicted = np.stack([np.where(rng.random(n) < one, truth, rng.integers(0, CLASSES + 1, n)) for one in right])
    units = np.arange(n) * clusters // n if clusters else np.arange(n)
    return PairedPredictions(truth, predicted, units)


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return scikit-learn's macro F1 over the classes with support."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def resampled(*runs: PairedPredictions, draws: int = 1000, seed: int = 0) -> Resampled:
    """Resample with a generator of its own."""
    n_units = 1 + max(int(one.units.max()) for one in runs)
    return resample(runs, n_units, CLASSES, draws=draws, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("clusters", [0, 20])
def test_values_are_those_of_scikit_learn(clusters: int) -> None:
    """Both macro F1 and their difference."""
    made = predictions(clusters=clusters)

    found = resampled(made, draws=10).pair(0, 1)

    assert found.macro_f1_a == pytest.approx(macro_f1(made.truth, made.predicted[0]))
    assert found.macro_f1_b == pytest.approx(macro_f1(made.truth, made.predicted[1]))
    assert found.delta == found.macro_f1_a - found.macro_f1_b


def test_each_draw_equals_resampling_object_by_object() -> None:
    """SubmittedRun the same clusters, the difference of each draw is that of the objects drawn."""
    made = predictions(clusters=12)
    drawn = np.random.default_rng(7).integers(12, size=(30, 12))
    rows = [np.concatenate([np.flatnonzero(made.units == unit) for unit in units]) for units in drawn]
    expected = [
        macro_f1(made.truth[of], made.predicted[0][of]) - macro_f1(made.truth[of], made.predicted[1][of]) for of in rows
    ]

    assert resampled(made, draws=30, seed=7).pair(0, 1).drawn == pytest.approx(expected, abs=1e-12)


def test_interval_is_that_of_scipy() -> None:
    """Single objects: SciPy's paired percentile bootstrap has the same ends, but for chance."""
    made = predictions()

    def difference(truth: Codes, a: Codes, b: Codes) -> float:
        return float(np.mean([f1(truth == k, a == k) - f1(truth == k, b == k) for k in np.unique(truth)]))

    def f1(is_class: NDArray[np.bool_], was_called: NDArray[np.bool_]) -> float:
        return float(2 * (is_class & was_called).sum() / (is_class.sum() + was_called.sum()))

    told = bootstrap(
        (made.truth, *made.predicted), difference, n_resamples=1000, paired=True, vectorized=False,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip

    np.testing.assert_allclose(resampled(made, draws=4000).pair(0, 1).interval, told, atol=0.012)


def test_several_runs_are_averaged_draw_by_draw() -> None:
    """A unit that is drawn is drawn in each run; a run that has no object in a draw is left out of that draw's mean."""
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
    """Bit for bit: methods in another order, or fewer of them, and a swap of two only turns the sign."""
    made = predictions(120, right=(0.9, 0.8, 0.8, 0.3), clusters=clusters, seed=seed)
    whole, shuffled = resampled(made, draws=60), resampled(replace(made, predicted=made.predicted[order]), draws=60)
    two = resampled(replace(made, predicted=made.predicted[order[:2]]), draws=60)
    a, b = order[:2]

    for found in (shuffled.pair(0, 1), two.pair(0, 1)):
        assert told(found) == told(whole.pair(a, b))
    delta, (low, high), p_value, detectable = told(whole.pair(a, b))
    assert told(whole.pair(b, a)) == (-delta, (-high, -low), p_value, detectable)


def told(found: Paired) -> tuple[float, tuple[float, float], float, float]:
    """Return what a comparison says, as numbers."""
    return found.delta, found.interval, found.p_value, found.detectable


def test_size_of_batches_does_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little memory gives the same numbers."""
    made = predictions(clusters=20)
    before = resampled(made).drawn
    monkeypatch.setattr(paired, "CELLS_AT_ONCE", 300)

    assert (resampled(made).drawn == before).all()


def test_the_same_calls_are_a_tie() -> None:
    """No difference in any draw, nothing to detect."""
    made = predictions()

    found = resampled(replace(made, predicted=made.predicted[[0, 0]])).pair(0, 1)

    assert told(found) == (0, (0, 0), 1.0, 0)
    assert found.verdict == "tie"


def test_a_clear_difference_is_told() -> None:
    """Verdict and p agree; p is never 0."""
    found = resampled(predictions(right=(0.95, 0.5)))

    assert found.pair(0, 1).verdict == "a"
    assert found.pair(1, 0).verdict == "b"
    assert found.pair(0, 1).p_value == pytest.approx(2 / 1001)


def test_without_a_difference_one_test_in_twenty_finds_one() -> None:
    """Of 800 pairs of equally good methods 5 ± 2 % differ, by interval and by p, on clustered data."""
    found = list(compared(100, range(800), draws=400, objects=1000))

    assert 3 < 100 * np.mean([one.verdict != "tie" for one in found]) < 7
    assert 3 < 100 * np.mean([one.p_value <= 0.05 for one in found]) < 7


def test_a_difference_is_covered_and_found_as_often_as_is_said() -> None:
    """Of 500 intervals 93 % or more hold the true difference; the detectable one is found in 80 % of cases."""
    rng = np.random.default_rng(12)
    found = [
        resampled(two_methods(rng, right=(0.72, 0.65), clusters=100, objects=1000), draws=400, seed=k).pair(0, 1)
        for k in range(500)
    ]
    true, detectable = (
        float(np.mean(values)) for values in ([one.delta for one in found], [one.detectable for one in found])
    )
    held = [one.interval[0] <= true <= one.interval[1] for one in found]
    told_apart = [one.interval[0] + detectable - true > 0 for one in found]

    assert np.mean(held) >= 0.93
    assert 0.75 < np.mean(told_apart) < 0.85


def test_objects_of_clusters_drawn_one_by_one_understate_the_width() -> None:
    """Where each sample is called all right or all wrong, single objects seem to tell far more than they do."""
    rng = np.random.default_rng(14)
    units = np.repeat(np.arange(40), 25)
    truth = rng.choice(CLASSES, 1000, p=SHARES)
    predicted = np.where((rng.random((2, 40)) < 0.7)[:, units], truth, (truth + 1) % CLASSES)
    whole, singly = (
        resampled(PairedPredictions(truth, predicted, drawn)).pair(0, 1) for drawn in (units, np.arange(1000))
    )

    assert whole.detectable > 2 * singly.detectable
