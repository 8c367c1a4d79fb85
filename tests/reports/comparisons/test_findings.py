"""Findings of a paper: sides, bounds, Holm's correction, and values in the paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from planktonbench.reports.comparisons.all_pairs import AllPairs
from planktonbench.reports.comparisons.findings import PublishedFinding, RunFinding, evaluated, findings_on
from planktonbench.reports.scoring.estimate import LEVEL
from scipy.stats import ttest_rel
from statsmodels.stats.multitest import multipletests

NAMES = ("a", "b", "c")


def pairs_of(means: tuple[float, ...], *, spread: float = 0.3, n_units: int = 400, n_runs: int = 3) -> AllPairs:
    """Return scores of methods that are means over independent units, each in another run."""
    rng = np.random.default_rng(0)
    units = rng.normal(np.array(means)[:, None], spread, (n_runs, len(means), n_units))
    units += np.array(means)[:, None] - units.mean(axis=2, keepdims=True)
    left_out = (units.sum(axis=2, keepdims=True) - units) / (n_units - 1)
    return AllPairs(units.mean(axis=2), left_out)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (PublishedFinding("", "x", "a", "b"), "holds"),
        (PublishedFinding("", "x", "b", "a"), "does not hold"),
        (PublishedFinding("", "x", "b", "a", "below"), "holds"),
        (PublishedFinding("", "x", "a", "b", "below"), "does not hold"),
        (PublishedFinding("", "x", "b", "c"), "inconclusive"),
        (PublishedFinding("", "x", "b", "c", "below"), "inconclusive"),
        (PublishedFinding("", "x", "b", "c", "below", 0.2), "holds"),
        (PublishedFinding("", "x", "a", "b", "below", 0.2), "does not hold"),
        (PublishedFinding("", "x", "b", side="below", bound=0.9), "holds"),
        (PublishedFinding("", "x", "b", side="above", bound=0.9), "does not hold"),
    ],
)
def test_a_finding_holds_on_its_side_of_the_bound(finding: PublishedFinding, verdict: str) -> None:
    """Methods have the scores 0.9, 0.5 and 0.5; a difference that is not detected is inconclusive, not absent."""
    (found,) = evaluated([finding], NAMES, {"x": pairs_of((0.9, 0.5, 0.5))}).values()

    assert found.verdict == verdict
    assert found.interval == pytest.approx(found.estimate.interval)
    assert len(found.scores) == len(finding.methods)


def test_p_values_are_adjusted_for_all_tested_findings() -> None:
    """By Holm's method, as in statsmodels; findings whose methods have no runs or no score do not count."""
    pairs = {"x": pairs_of((0.56, 0.5, 0.51)), "y": AllPairs(np.full((3, 3), np.nan), np.full((3, 3, 9), np.nan))}
    findings = [
        *findings_on("1", ["x"], "a", "b"), *findings_on("2", ["x"], "a", "c"), *findings_on("3", ["x"], "b", "c"),
        *findings_on("4", ["x"], "a", "missing"), *findings_on("5", ["y"], "a", "b"),
    ]  # fmt: skip
    found = evaluated(findings, NAMES, pairs)

    assert [finding.statement for finding in found] == ["1", "2", "3"]
    expected = multipletests([one.p_value for one in found.values()], method="holm")[1]
    assert [one.p_holm for one in found.values()] == pytest.approx(expected)
    single = evaluated(findings[:1], NAMES, pairs)[findings[0]]
    assert single.p_holm == single.p_value == found[findings[0]].p_value


def test_a_score_of_zero_is_below_a_bound_if_there_are_enough_units() -> None:
    """Its interval is that of a proportion of the objects; of few units nothing is known."""
    finding = PublishedFinding("", "x", "a", side="below", bound=0.01)
    many, few = (AllPairs(np.zeros((1, 1)), np.zeros((1, 1, n)), n_objects=n) for n in (500, 3))

    (certain,) = evaluated([finding], ["a"], {"x": many}).values()
    (unknown,) = evaluated([finding], ["a"], {"x": few}).values()

    assert (certain.verdict, unknown.verdict) == ("holds", "inconclusive")
    assert certain.interval == (0, pytest.approx(1 - 0.025 ** (1 / 500)))


@pytest.mark.parametrize("n_runs", [1, 3])
@pytest.mark.parametrize(("n_objects", "verdict"), [(100, "inconclusive"), (400, "holds")])
def test_a_score_of_zero_is_judged_by_its_interval(n_runs: int, n_objects: int, verdict: str) -> None:
    """Zero of 100 objects may be 0.036, so that it is not below 0.01, however many units and runs agree."""
    finding = PublishedFinding("", "x", "a", side="below", bound=0.01)
    pairs = AllPairs(np.zeros((n_runs, 1)), np.zeros((n_runs, 1, 3000)), n_objects=n_objects)
    (found,) = evaluated([finding], ["a"], {"x": pairs}).values()

    assert found.verdict == verdict
    assert found.interval == (0, pytest.approx(1 - 0.025 ** (1 / n_objects)))
    assert found.p_value == pytest.approx(min(1, 2 * 0.99**n_objects))


@pytest.mark.parametrize(("mean", "end"), [(0.02, 1), (0.5, 0), (0.5, 1), (0.97, 0), (0.0, 1), (1.0, 0)])
@pytest.mark.parametrize("n_runs", [1, 3])
def test_p_values_of_a_score_agree_with_its_interval(mean: float, end: int, n_runs: int) -> None:
    """At the end of the 95 % interval the p-value is 0.05, whether or not the score varies over units."""
    pairs = pairs_of((mean,), n_units=80, n_runs=n_runs, spread=0.1 * (0 < mean < 1))
    pairs = replace(pairs, n_objects=80)
    bound = pairs.intervals[0][end]
    inside, outside = (
        evaluated([PublishedFinding("", "x", "a", bound=bound + step)], ["a"], {"x": pairs}).popitem()[1]
        for step in ((1e-4, -1e-4) if end == 0 else (-1e-4, 1e-4))
    )

    assert outside.p_value < 1 - LEVEL < inside.p_value
    assert inside.p_value - outside.p_value < 0.01
    assert (inside.verdict, outside.verdict) == ("inconclusive", "does not hold" if end else "holds")


def test_a_score_without_variation_over_units_may_vary_over_runs() -> None:
    """Its p-value agrees with the interval, which contains both components."""
    pairs = AllPairs(np.array([[0.0], [1.0]]), np.repeat([[[0.0]], [[1.0]]], 30, axis=2), n_objects=30)
    finding = PublishedFinding("", "x", "a", side="below", bound=0.9)
    (found,) = evaluated([finding], ["a"], {"x": pairs}).values()

    assert found.interval == (0, 1)
    assert (found.verdict, found.p_value > 1 - LEVEL) == ("inconclusive", True)


def test_a_score_of_a_single_unit_shows_nothing() -> None:
    """Its p-value is 1, as is that of a score without objects, and that of the score itself."""
    single = AllPairs(np.full((1, 1), 0.5), np.full((1, 1, 1), np.nan), n_objects=9)
    none = AllPairs(np.zeros((1, 1)), np.zeros((1, 1, 9)))
    for pairs, bound in ((single, 0.1), (none, 0.1), (replace(none, n_objects=9), 0.0)):
        (found,) = evaluated([PublishedFinding("", "x", "a", bound=bound)], ["a"], {"x": pairs}).values()

        assert (found.verdict, found.p_value) == ("inconclusive", 1)


def test_values_in_the_paper_are_differences_of_its_scores() -> None:
    """Experiments without the score are left out."""
    published = {"one": {"a": {"x": 0.5}, "b": {"x": 0.2}}, "two": {"a": {"x": 0.1}}}

    assert PublishedFinding("", "x", "a", "b").published_values(published) == {"one": pytest.approx(0.3)}
    assert PublishedFinding("", "x", "a").published_values(published) == {"one": 0.5, "two": 0.1}


@pytest.mark.parametrize("is_ratio", [False, True])
def test_numbers_of_runs_are_compared_by_a_paired_t_test(*, is_ratio: bool) -> None:
    """As in scipy, for ratios on the scale of logarithms; the interval is transformed back."""
    numbers = np.array([[18.0, 40.0], [25.0, 44.0], [17.0, 47.0], [21.0, 41.0]])
    bound = 1.0 if is_ratio else 0.0
    finding = RunFinding("", "x", "a", "b", numbers, side="below", bound=bound, is_ratio=is_ratio)
    test = ttest_rel(*(np.log(numbers) if is_ratio else numbers).T)

    interval = test.confidence_interval()
    expected = np.array([np.diff(numbers[:, ::-1] if not is_ratio else np.log(numbers[:, ::-1])).mean(), *interval])
    assert [finding.value, *finding.interval] == pytest.approx(np.exp(expected) if is_ratio else expected)
    assert finding.p_value == pytest.approx(test.pvalue)
    assert finding.verdict == "holds"


@pytest.mark.parametrize(
    ("numbers", "facts", "verdict"),
    [
        ([[1, 4], [2, 7], [1, 5]], {}, "does not hold"),
        ([[4, 1], [7, 2], [5, 1]], {}, "holds"),
        ([[4, 1], [7, 2], [5, 1]], {"bound": 20.0}, "does not hold"),
        ([[4, 1], [7, 2], [5, 1]], {"side": "below", "bound": 20.0}, "holds"),
        ([[4, 1], [1, 2], [5, 1]], {}, "inconclusive"),
        ([[4, 1], [7, 2], [5, 1]], {"obstacle": "a was stopped"}, "inconclusive"),
        ([[4, 1]], {}, "not tested"),
        ([[4, 1]] * 2, {}, "inconclusive"),
        ([[4, 1]] * 6, {}, "holds"),
        ([[1, 1]] * 6, {}, "inconclusive"),
    ],
)
def test_a_finding_on_runs_holds_if_its_interval_is_on_the_side(
    numbers: list[list[float]], facts: dict[str, Any], verdict: str
) -> None:
    """A single run shows nothing, nor do a few that agree; the interval of a finding that holds excludes the bound."""
    finding = RunFinding("", "x", "a", "b", np.array(numbers, float), **{"bound": 1.0, "is_ratio": True, **facts})

    assert finding.verdict == verdict
    assert np.isnan([*finding.interval, finding.p_value]).all() == (len(numbers) == 1)
