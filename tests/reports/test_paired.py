"""Paired comparison against SciPy's bootstrap, a loop, and what must not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from planktonbench.reports.paired import Calls, Paired, compare_calls
from scipy.stats import bootstrap
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]
CLASSES = 5


def calls(n: int = 400, *, better: float = 0.8, worse: float = 0.7, clusters: int = 0, seed: int = 0) -> Calls:
    """Return two methods that are right so often, with some calls of no known class."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, n, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    truth[:CLASSES] = np.arange(CLASSES)
    a, b = (np.where(rng.random(n) < right, truth, rng.integers(0, CLASSES + 1, n)) for right in (better, worse))
    groups = np.arange(n) * clusters // n if clusters else None
    return Calls(truth, a, b, groups, CLASSES)


def macro_f1(truth: Codes, called: Codes) -> float:
    """Return scikit-learn's macro F1 over the classes with support."""
    return float(f1_score(truth, called, labels=np.unique(truth), average="macro", zero_division=0))


def compared(made: Calls, draws: int = 1000, seed: int = 0) -> Paired:
    """Compare with a generator of its own."""
    return compare_calls(made, draws, np.random.default_rng(seed))


@pytest.mark.parametrize("clusters", [0, 20])
def test_values_are_those_of_scikit_learn(clusters: int) -> None:
    """Both macro F1 and their difference."""
    made = calls(clusters=clusters)

    found = compared(made, draws=10)

    assert found.macro_f1_a == pytest.approx(macro_f1(made.truth, made.a))
    assert found.macro_f1_b == pytest.approx(macro_f1(made.truth, made.b))
    assert found.delta == pytest.approx(found.macro_f1_a - found.macro_f1_b)


def test_interval_is_that_of_scipy() -> None:
    """Single objects: SciPy's paired percentile bootstrap has the same ends, but for chance."""
    made = calls()

    def difference(truth: Codes, a: Codes, b: Codes) -> float:
        return macro_f1(truth, a) - macro_f1(truth, b)

    told = bootstrap(
        (made.truth, made.a, made.b), difference, n_resamples=1000, paired=True, vectorized=False,
        method="percentile", rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip

    np.testing.assert_allclose(compared(made, draws=4000).interval, told, atol=0.012)


def test_interval_of_clusters_is_that_of_a_loop() -> None:
    """Whole clusters are drawn, and the same ones for both."""
    made = calls(clusters=12)
    groups = made.clusters
    assert groups is not None
    rng, deltas = np.random.default_rng(5), []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(groups == k) for k in rng.integers(0, 12, 12)])
        deltas.append(macro_f1(made.truth[rows], made.a[rows]) - macro_f1(made.truth[rows], made.b[rows]))

    found = compared(made, draws=4000)

    np.testing.assert_allclose(found.interval, np.quantile(deltas, [0.025, 0.975]), atol=0.012)
    assert found.n_clusters == 12


@pytest.mark.parametrize("clusters", [0, 20])
def test_who_is_first_only_turns_the_sign(clusters: int) -> None:
    """Bit for bit."""
    made = calls(clusters=clusters)
    there, back = compared(made), compared(replace(made, a=made.b, b=made.a))

    assert there.delta == -back.delta
    assert there.interval == (-back.interval[1], -back.interval[0])
    assert there.p_value == back.p_value


def test_order_of_objects_does_not_matter() -> None:
    """Single objects are counted, not listed."""
    made = calls()
    order = np.random.default_rng(2).permutation(len(made.truth))
    shuffled = replace(made, truth=made.truth[order], a=made.a[order], b=made.b[order])

    assert compared(made) == compared(shuffled)


def test_the_same_calls_are_a_tie() -> None:
    """No difference in any draw."""
    made = calls()

    found = compared(replace(made, b=made.a))

    assert (found.delta, found.interval, found.p_value, found.verdict) == (0, (0, 0), 1.0, "tie")


def test_a_clear_difference_is_told() -> None:
    """Verdict and p agree; p is never 0."""
    found = compared(calls(better=0.95, worse=0.5))

    assert found.verdict == "a"
    assert found.p_value == pytest.approx(2 / 1001)
    assert found.turned().verdict == "b"


def test_without_a_difference_the_test_rarely_finds_one() -> None:
    """Of 200 pairs of equally good methods about 5 % differ at the 5 % level."""
    found = [compared(calls(150, better=0.7, worse=0.7, seed=seed), draws=200).verdict for seed in range(200)]

    assert 0.5 < 100 * np.mean([verdict != "tie" for verdict in found]) < 11
