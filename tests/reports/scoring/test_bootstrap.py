"""Bootstrap intervals, compared with a slow bootstrap of single objects scored by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.scoring import bootstrap
from planktonbench.reports.scoring.bootstrap import (
    Units,
    cluster_units,
    count_units,
    draws_of,
    interval_of,
    intervals,
    object_units,
)
from planktonbench.reports.scoring.metrics import Totals, confusion_matrix, totals_of
from sklearn.metrics import f1_score

if TYPE_CHECKING:
    from numpy.typing import NDArray


def synthetic_objects(
    n: int, classes: int, clusters: int, *, seed: int = 0, right: float = 0.6
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return truth, predictions and clusters of `n` objects, with unequal classes and some unknown predicted names."""
    rng = np.random.default_rng(seed)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    truth = rng.choice(classes, n, p=shares)
    predicted = np.where(rng.random(n) < right, truth, rng.integers(0, classes + 1, n))
    return truth, predicted, rng.permutation(np.arange(n) % clusters)


def macro_f1(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    """Return macro F1 over the classes of this truth, computed by scikit-learn."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def all_draws(units: Units, draws: int, seed: int) -> Totals:
    """Return all draws, concatenated."""
    batches = list(draws_of(units, draws, np.random.default_rng(seed)))
    return Totals(
        *(np.concatenate([getattr(batch, name) for batch in batches]) for name in ("hits", "support", "predicted"))
    )


def test_each_draw_equals_resampling_clusters_object_by_object() -> None:
    """For the same multinomial counts, macro F1 and accuracy of each draw equal those of the drawn objects."""
    truth, predicted, clusters = synthetic_objects(150, 5, 12)
    totals = all_draws(cluster_units(truth, predicted, clusters, 5), 40, seed=1)
    counts = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=40)
    drawn = [np.repeat(np.arange(150), times[clusters]) for times in counts]

    assert totals.macro(totals.f1) == pytest.approx(
        [macro_f1(truth[rows], predicted[rows]) for rows in drawn], abs=1e-12
    )
    assert totals.accuracy == pytest.approx([(truth[rows] == predicted[rows]).mean() for rows in drawn], abs=1e-12)
    assert totals.support.sum(axis=1).tolist() == [len(rows) for rows in drawn]


def test_drawing_cells_equals_drawing_objects() -> None:
    """The bounds from cells of the confusion matrix equal those of a loop over single objects, to 0.01."""
    truth, predicted, _ = synthetic_objects(300, 4, 1, seed=5)
    rng = np.random.default_rng(2)
    slow = []
    for _ in range(1500):
        rows = rng.integers(0, 300, 300)
        slow.append(totals_of(confusion_matrix(truth[rows], predicted[rows], 4)))
    found = intervals(object_units(confusion_matrix(truth, predicted, 4)), 4000, np.random.default_rng(3))
    macro = np.quantile([totals.macro(totals.f1) for totals in slow], [0.025, 0.975])
    accuracy = np.quantile([totals.accuracy for totals in slow], [0.025, 0.975])

    assert found.macro_f1 == pytest.approx(macro, abs=0.01)
    assert found.accuracy == pytest.approx(accuracy, abs=0.01)
    assert found.f1 == pytest.approx(np.quantile([totals.f1 for totals in slow], [0.025, 0.975], axis=0).T, abs=0.02)


@pytest.mark.parametrize("kind", ["clusters", "objects"])
def test_units_sum_to_the_confusion_matrix(kind: str) -> None:
    """The counts of all units equal those of the confusion matrix, except for unknown predicted names."""
    truth, predicted, clusters = synthetic_objects(200, 4, 9)
    matrix = confusion_matrix(truth, predicted, 4)
    units = cluster_units(truth, predicted, clusters, 4) if kind == "clusters" else object_units(matrix)
    whole = totals_of(matrix)

    assert units.n == (9 if kind == "clusters" else 200)
    assert (units.weights @ units.counts).tolist() == [*whole.hits, *whole.support, *whole.predicted]


def test_draws_without_a_class_exclude_it_and_are_counted() -> None:
    """If only a class of one cluster is predicted wrongly, draws without it score 1; their share is reported."""
    clusters = np.repeat(np.arange(8), 10)
    truth = np.where(np.arange(80) < 5, 1, 0)
    predicted = np.zeros(80, np.int64)
    units = cluster_units(truth, predicted, clusters, 2)
    totals = all_draws(units, 1000, seed=4)
    lost = totals.support[:, 1] == 0
    found = intervals(units, 1000, np.random.default_rng(4))

    assert (totals.macro(totals.f1)[lost] == 1).all()
    assert (totals.macro(totals.f1)[~lost] < 0.5).all()
    assert found.losing == lost.mean() == pytest.approx((7 / 8) ** 8, abs=0.05)


def test_the_interval_of_a_class_excludes_draws_without_it() -> None:
    """Its bounds are percentiles of the draws that contain the class."""
    truth, predicted, clusters = synthetic_objects(900, 2, 30)
    units = cluster_units(np.where(clusters < 5, truth, 0), predicted, clusters, 2)
    totals = all_draws(units, 4000, seed=0)
    values = totals.f1[totals.support[:, 1] > 0, 1]
    found = intervals(units, 4000, np.random.default_rng(0))

    assert len(values) < 4000
    assert found.f1[1] == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-12)


def test_a_class_without_support_does_not_count_as_missing_from_draws() -> None:
    """A class of the list without objects is not counted in `losing` and has no interval."""
    truth, predicted, clusters = synthetic_objects(200, 3, 10)
    found = intervals(cluster_units(truth, predicted, clusters, 4), 200, np.random.default_rng(0))

    assert found.losing == 0
    assert np.isnan(found.f1).all(axis=1).tolist() == [False, False, False, True]


@pytest.mark.parametrize(("clusters", "has_interval"), [(4, False), (5, True)])
def test_a_class_of_fewer_than_five_clusters_has_no_interval(clusters: int, *, has_interval: bool) -> None:
    """Its bounds are NaN; those of other classes and of the means are not."""
    truth = np.zeros(100, np.int64)
    truth[: 10 * clusters : 10] = 1
    units = cluster_units(truth, truth, np.repeat(np.arange(10), 10), 2)
    found = intervals(units, 300, np.random.default_rng(0))

    assert np.isfinite(found.f1).all(axis=1).tolist() == [True, has_interval]
    assert np.isfinite([*found.macro_f1, *found.accuracy]).all()


@pytest.mark.parametrize("cells", [1, 70, 1 << 10])
def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """The number of draws held in memory at once does not affect the result."""
    truth, predicted, clusters = synthetic_objects(200, 4, 10)
    units = cluster_units(truth, predicted, clusters, 4)
    expected = intervals(units, 101, np.random.default_rng(6))
    monkeypatch.setattr(bootstrap, "CELLS_AT_ONCE", cells)
    found = intervals(units, 101, np.random.default_rng(6))

    assert (found.macro_f1, found.accuracy, found.losing) == (expected.macro_f1, expected.accuracy, expected.losing)
    assert np.array_equal(found.f1, expected.f1, equal_nan=True)


def test_a_challenge_of_typical_size_can_be_evaluated() -> None:
    """With 2,000 draws of 100 clusters and 93 classes, the interval contains the point estimate."""
    truth, predicted, clusters = synthetic_objects(20_000, 93, 100)
    found = intervals(cluster_units(truth, predicted, clusters, 93), 2000, np.random.default_rng(0))

    assert found.macro_f1[0] < macro_f1(truth, predicted) < found.macro_f1[1]
    assert found.accuracy[0] < (truth == predicted).mean() < found.accuracy[1]


def test_intervals_are_not_symmetric() -> None:
    """Near 1, the interval extends further down than up."""
    truth = np.repeat([0, 1], 50)
    predicted = truth.copy()
    predicted[:2] = 1
    low, high = intervals(object_units(confusion_matrix(truth, predicted, 2)), 2000, np.random.default_rng(0)).accuracy

    assert 0.98 - low > high - 0.98 > 0


def test_the_interval_has_nominal_coverage_if_samples_differ() -> None:
    """For at least 93 % of 300 data sets with samples of varying difficulty, it contains the population macro F1."""
    rng = np.random.default_rng(11)

    def draw(samples: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        clusters = np.repeat(np.arange(samples), 20)
        truth = rng.integers(0, 3, len(clusters))
        right = rng.random(len(clusters)) < rng.beta(4, 2, samples)[clusters]
        return truth, np.where(right, truth, (truth + 1) % 3), clusters

    population = macro_f1(*draw(50_000)[:2])
    bounds = [intervals(cluster_units(*draw(80), 3), 400, rng).macro_f1 for _ in range(300)]

    assert np.mean([low <= population <= high for low, high in bounds]) >= 0.93


@pytest.mark.parametrize("draws", [1, 2])
def test_a_class_may_be_missing_from_all_draws(draws: int) -> None:
    """It has no interval, and no exception is raised."""
    units = object_units(np.array([[40, 0, 0], [0, 1, 0]]))
    found = [intervals(units, draws, np.random.default_rng(seed)) for seed in range(20)]

    assert any(interval.losing == 1 for interval in found)
    assert all(np.isfinite(interval.macro_f1).all() for interval in found)


@pytest.mark.parametrize("clustered", [True, False])
def test_intervals_of_user_defined_metrics_use_the_same_draws(*, clustered: bool) -> None:
    """With the same seed, macro F1 has the same bounds as in `intervals`."""
    truth, predicted, clusters = synthetic_objects(150, 5, 12)
    matrix, units = count_units(truth, predicted, clusters if clustered else None, 5)
    expected = intervals(units, 200, np.random.default_rng(4))
    found = interval_of(
        lambda drawn: np.column_stack([drawn.macro(drawn.f1), drawn.accuracy, np.full(len(drawn.hits), np.nan)]),
        units,
        200,
        np.random.default_rng(4),
    )

    assert matrix.tolist() == confusion_matrix(truth, predicted, 5).tolist()
    assert units.n == (12 if clustered else 150)
    assert found[:2].ravel().tolist() == [*expected.macro_f1, *expected.accuracy]
    assert np.isnan(found[2]).all()
