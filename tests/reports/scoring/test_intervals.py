"""Intervals of scores, compared with an explicit jackknife over scikit-learn, with SciPy, and by simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from planktonbench.reports.scoring.estimate import SCORES, Estimate
from planktonbench.reports.scoring.intervals import (
    FEWEST_CLUSTERS,
    class_intervals,
    class_table,
    interval_of,
    intervals,
    macro_f1_estimate,
    score_interval,
)
from planktonbench.reports.scoring.units import Units, cluster_units, count_units, repeated_units
from scipy import stats
from sklearn.metrics import f1_score, precision_recall_fscore_support

if TYPE_CHECKING:
    from planktonbench.reports.scoring.metrics import Totals

Codes = NDArray[np.int64]
CLASSES = 5


def synthetic_objects(n: int = 200, clusters: int = 12, *, seed: int = 0) -> tuple[Codes, Codes, Codes]:
    """Return truth, predictions with unknown names and clusters; class 0 has a single object."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, CLASSES, n)
    truth[3] = 0
    predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, CLASSES + 1, n))
    return truth, predicted, rng.permutation(np.arange(n) % clusters)


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return macro F1 over the classes of this truth, computed by scikit-learn."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def found_for(units: Units) -> Estimate:
    """Return macro F1 with its error."""
    return macro_f1_estimate(units)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_interval_equals_an_explicit_jackknife(*, clustered: bool) -> None:
    """On the arcsine scale, each unit is removed and the rest scored with scikit-learn; one empties a class."""
    truth, predicted, clusters = synthetic_objects()
    labels = clusters if clustered else np.arange(len(truth))
    n = int(labels.max()) + 1
    left_out = np.array([macro_f1(truth[labels != k], predicted[labels != k]) for k in range(n)])
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    value, half = macro_f1(truth, predicted), stats.t.ppf(0.975, n - 1) * error

    _, units = count_units(truth, predicted, clusters if clustered else None, CLASSES)

    scaled = np.arccos(1 - 2 * value) + np.array([-half, half]) / np.sqrt(value * (1 - value))
    assert intervals(units, 20, np.random.default_rng(0)).macro_f1 == pytest.approx(tuple((1 - np.cos(scaled)) / 2))
    assert (found_for(units).error, found_for(units).n_units) == (pytest.approx(error), n)


def test_the_jackknife_has_the_width_of_the_bootstrap() -> None:
    """With many clusters and no rare class, both intervals are the same up to 10 % of their width."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 3000)
    predicted = np.where(rng.random(3000) < 0.7, truth, rng.integers(0, 3, 3000))
    found = intervals(cluster_units(truth, predicted, np.arange(3000) % 100, 3), 2000, rng)
    low, high = found.bootstrap.interval

    assert found.macro_f1 == pytest.approx((low, high), abs=0.1 * (high - low))


def test_accuracy_has_an_asymmetric_interval() -> None:
    """Near 1, it extends further down than up, and is that of Clopper and Pearson."""
    truth = np.repeat([0, 1], 50)
    predicted = np.where(np.arange(100) < 2, 1, truth)
    low, high = intervals(count_units(truth, predicted, None, 2)[1], 10, np.random.default_rng(0)).accuracy

    assert 0.98 - low > high - 0.98 > 0
    assert (low, high) == pytest.approx(tuple(stats.binomtest(98, 100).proportion_ci()))


@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize("clustered", [True, False])
def test_a_perfect_or_useless_score_has_a_width(*, wrong: bool, clustered: bool) -> None:
    """Macro F1 of 0 or 1 has the interval of accuracy, that of Clopper and Pearson."""
    truth = np.arange(40) % 2
    predicted = 1 - truth if wrong else truth
    _, units = count_units(truth, predicted, np.arange(40) // 5 if clustered else None, 2)
    found = intervals(units, 10, np.random.default_rng(0))

    assert found.macro_f1 == found.accuracy
    assert found.macro_f1 == pytest.approx(tuple(stats.binomtest(0 if wrong else 40, 40).proportion_ci()))


@pytest.mark.parametrize("n_samples", [2, 5, 6, 40])
def test_identical_samples_have_the_interval_of_independent_objects(n_samples: int) -> None:
    """However few or many they are: macro F1 is 1/3 in all of them, which is no certainty."""
    truth, predicted = np.tile([0, 1], 2 * n_samples), np.zeros(4 * n_samples, np.int64)
    found = intervals(
        cluster_units(truth, predicted, np.repeat(np.arange(n_samples), 4), 2), 10, np.random.default_rng(0)
    )
    n = 4 * n_samples
    tails = stats.beta.ppf([0.025, 0.975], [n / 3, n / 3 + 1], [2 * n / 3 + 1, 2 * n / 3])

    assert found.macro_f1 == pytest.approx(tuple(tails))
    assert found.accuracy == pytest.approx(tuple(stats.binomtest(n // 2, n).proportion_ci()))


def test_identical_samples_vary_over_runs() -> None:
    """Both components are combined in quadrature on each side, within the range of a score."""
    low, high = score_interval(Estimate(0.4, 0, 8, limits=SCORES), 50)
    runs = stats.t.ppf(0.975, 2) * 0.03

    assert score_interval(Estimate(0.4, 0, 8, 0.03, 2, SCORES), 50) == pytest.approx(
        (0.4 - np.hypot(0.4 - low, runs), 0.4 + np.hypot(high - 0.4, runs))
    )
    assert score_interval(Estimate(0.4, 0, 8, 9.0, 2, SCORES), 50) == (0, 1)


def test_one_object_of_one_class() -> None:
    """Nothing is known; no exception is raised."""
    for predicted, expected in ((0, (0.025, 1)), (1, (0, 0.975))):
        _, units = count_units(np.array([0]), np.array([predicted]), None, 1)
        found = intervals(units, 5, np.random.default_rng(0))

        assert found.macro_f1 == pytest.approx(expected)
        assert class_table(["a"], units)["f1_lo"].isna().all()


def test_a_score_of_one_cluster_has_the_whole_range() -> None:
    """A single unit has no variance."""
    assert score_interval(Estimate(0.7, 0, 1, limits=SCORES), 50) == (0, 1)


def test_metrics_of_scikit_learn_by_class() -> None:
    """Precision, recall, F1 and support; each within its bounds."""
    truth, predicted, clusters = synthetic_objects()
    table = class_table(list("abcde"), count_units(truth, predicted, clusters, CLASSES)[1])
    expected = precision_recall_fscore_support(truth, predicted, labels=range(CLASSES), zero_division=0)

    assert table["taxon"].tolist() == list("abcde")
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        assert table[name].tolist() == pytest.approx(values.tolist())
    for name in ("precision", "recall", "f1"):
        bounded = table.dropna()
        assert (bounded[f"{name}_lo"] <= bounded[name]).all()
        assert (bounded[name] <= bounded[f"{name}_hi"]).all()
        assert (bounded[f"{name}_lo"] < bounded[f"{name}_hi"]).all()
    assert table.set_index("taxon")["f1_lo"].isna().to_dict() == dict(zip("abcde", [True] + 4 * [False], strict=True))


def test_the_interval_of_f1_is_that_of_jaccard() -> None:
    """F1 = 2 J / (1 + J) of the proportion of hits among the objects of the class or predicted as it."""
    truth, predicted, _ = synthetic_objects(600)
    bounds = class_intervals(count_units(truth, predicted, None, CLASSES)[1])["f1"][2]
    both = (truth == 2) & (predicted == 2)
    either = (truth == 2) | (predicted == 2)
    jaccard = stats.binomtest(int(both.sum()), int(either.sum())).proportion_ci()

    assert bounds == pytest.approx([2 * end / (1 + end) for end in jaccard])
    assert bounds[0] < f1_score(truth == 2, predicted == 2) < bounds[1]


def test_recall_is_the_interval_of_a_proportion() -> None:
    """Of independent objects; wider if the objects of a cluster are alike."""
    truth, predicted, _ = synthetic_objects(600)
    hits, support = int(((truth == 2) & (predicted == 2)).sum()), int((truth == 2).sum())
    exact = stats.binomtest(hits, support).proportion_ci()
    single = class_intervals(count_units(truth, predicted, None, CLASSES)[1])["recall"][2]
    alike = np.repeat(truth, 4), np.repeat(predicted, 4), np.repeat(np.arange(600), 4)
    clustered = class_intervals(cluster_units(*alike, CLASSES))["recall"][2]

    assert single == pytest.approx(tuple(exact))
    assert clustered == pytest.approx(single, abs=0.01)


@pytest.mark.parametrize(("clusters", "has_interval"), [(FEWEST_CLUSTERS - 1, False), (FEWEST_CLUSTERS, True)])
def test_a_class_of_fewer_than_five_clusters_has_no_interval(clusters: int, *, has_interval: bool) -> None:
    """Its bounds are NaN; those of other classes and of the means are not."""
    truth = np.zeros(100, np.int64)
    truth[: 10 * clusters : 10] = 1
    units = cluster_units(truth, truth, np.repeat(np.arange(10), 10), 2)
    found = intervals(units, 30, np.random.default_rng(0))

    for bounds in class_intervals(units).values():
        assert np.isfinite(bounds).all(axis=1).tolist() == [True, has_interval]
    assert np.isfinite([*found.macro_f1, *found.accuracy]).all()


def test_a_class_that_is_always_right_has_a_width() -> None:
    """It is wider if accuracy varies more between clusters than between objects."""
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(20), 20)
    truth = np.where(np.arange(400) % 4 == 0, 1, 0)
    predicted = np.where((truth == 0) & (rng.random(20) < 0.5)[clusters], 2, truth)
    single, clustered = (
        class_intervals(count_units(truth, predicted, units, 2)[1])["recall"][1] for units in (None, clusters)
    )

    assert clustered[0] < single[0] - 0.1 < 1
    assert clustered[1] == single[1] == 1


def test_repeated_objects_are_no_further_evidence() -> None:
    """Three runs with the same predictions have the interval of one."""
    truth, predicted, _ = synthetic_objects(600)
    one = class_intervals(count_units(truth, predicted, None, CLASSES)[1])
    three = class_intervals(
        repeated_units(np.tile(truth, 3), np.tile(predicted, 3), np.tile(np.arange(600), 3), CLASSES)
    )

    for name, bounds in one.items():
        assert three[name][1:] == pytest.approx(bounds[1:], abs=0.01)


@pytest.mark.parametrize("clustered", [True, False])
def test_user_defined_metrics_have_the_same_intervals(*, clustered: bool) -> None:
    """Macro F1 has the same bounds as in `intervals`; an undefined metric has none, a metric of 1 has a width."""
    truth, predicted, clusters = synthetic_objects()
    _, units = count_units(truth, predicted, clusters if clustered else None, CLASSES)

    def metrics(totals: Totals) -> NDArray[np.float64]:
        values = totals.macro(totals.f1)
        return np.stack([values, np.full_like(values, np.nan), np.ones_like(values)], axis=-1)

    found = interval_of(metrics, units, 40)

    assert found[0].tolist() == list(intervals(units, 5, np.random.default_rng(0)).macro_f1)
    assert np.isnan(found[1]).all()
    assert found[2] == pytest.approx(tuple(stats.binomtest(40, 40).proportion_ci()))


def test_each_metric_may_be_about_other_objects() -> None:
    """The interval of a score of 1 is that of a proportion of its number of objects."""
    truth, predicted, _ = synthetic_objects()
    _, units = count_units(truth, predicted, None, CLASSES)
    found = interval_of(lambda totals: np.ones((*totals.hits.shape[:-1], 2)), units, [10, 40])

    assert found[:, 0].tolist() == pytest.approx([stats.binomtest(n, n).proportion_ci().low for n in (10, 40)])


@pytest.mark.parametrize("samples", [8, 40])
def test_the_interval_covers_the_expected_macro_f1_if_samples_differ(samples: int) -> None:
    """In at least 93 % of 400 data sets with samples of varying difficulty, and not in all of them."""
    rng = np.random.default_rng(11)

    def draw() -> Estimate:
        clusters = np.repeat(np.arange(samples), 20)
        truth = rng.choice(3, len(clusters), p=[0.6, 0.35, 0.05])
        right = rng.random(len(clusters)) < rng.beta(4, 2, samples)[clusters]
        return macro_f1_estimate(cluster_units(truth, np.where(right, truth, (truth + 1) % 3), clusters, 3))

    found = [draw() for _ in range(400)]
    expected = np.mean([one.value for one in found])
    covered = np.mean([one.interval[0] <= expected <= one.interval[1] for one in found])

    assert 0.93 <= covered < 0.99
