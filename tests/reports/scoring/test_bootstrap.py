"""Bootstrap of units, compared with explicit resampling of objects scored by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from planktonbench.reports.scoring import bootstrap as module
from planktonbench.reports.scoring.bootstrap import bootstrap, draws_of, percentile_interval
from planktonbench.reports.scoring.metrics import Totals, confusion_matrix, totals_of
from planktonbench.reports.scoring.units import Units, cluster_units, object_units
from sklearn.metrics import f1_score

Codes = NDArray[np.int64]


def synthetic_objects(n: int, classes: int, clusters: int, *, seed: int = 0) -> tuple[Codes, Codes, Codes]:
    """Return truth, predictions and clusters of `n` objects, with unequal classes and some unknown predicted names."""
    rng = np.random.default_rng(seed)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    truth = rng.choice(classes, n, p=shares)
    predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes + 1, n))
    return truth, predicted, rng.permutation(np.arange(n) % clusters)


def macro_f1(truth: Codes, predicted: Codes) -> float:
    """Return macro F1 over the classes of this truth, computed by scikit-learn."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def all_draws(units: Units, draws: int, seed: int) -> Totals:
    """Return all draws, concatenated."""
    batches = list(draws_of(units, draws, np.random.default_rng(seed)))
    return Totals(
        *(np.concatenate([getattr(batch, name) for batch in batches]) for name in ("hits", "support", "predicted"))
    )


def test_each_draw_equals_resampling_clusters_object_by_object() -> None:
    """For the same multinomial counts, macro F1 of each draw is that of the drawn objects, as are interval and bias."""
    truth, predicted, clusters = synthetic_objects(150, 5, 12)
    units = cluster_units(truth, predicted, clusters, 5)
    totals = all_draws(units, 40, seed=1)
    counts = np.random.default_rng(1).multinomial(12, np.full(12, 1 / 12), size=40)
    expected = [
        macro_f1(truth[rows], predicted[rows])
        for rows in (np.repeat(np.arange(150), times[clusters]) for times in counts)
    ]
    found = bootstrap(units, 40, np.random.default_rng(1))

    assert totals.macro(totals.f1) == pytest.approx(expected, abs=1e-12)
    assert found.interval == pytest.approx(np.quantile(expected, [0.025, 0.975]), abs=1e-12)
    assert found.bias == pytest.approx(np.mean(expected) - macro_f1(truth, predicted), abs=1e-12)


def test_drawing_cells_equals_drawing_objects() -> None:
    """The bounds from cells of the confusion matrix equal those of a loop over single objects, to 0.01."""
    truth, predicted, _ = synthetic_objects(300, 4, 1, seed=5)
    rng = np.random.default_rng(2)
    slow = []
    for _ in range(1500):
        rows = rng.integers(0, 300, 300)
        slow.append(totals_of(confusion_matrix(truth[rows], predicted[rows], 4)))
    found = bootstrap(object_units(confusion_matrix(truth, predicted, 4)), 4000, np.random.default_rng(3))
    macro = np.quantile([totals.macro(totals.f1) for totals in slow], [0.025, 0.975])

    assert found.interval == pytest.approx(macro, abs=0.01)


def test_draws_without_a_class_exclude_it_and_are_counted() -> None:
    """If only a class of one cluster is predicted wrongly, draws without it score 1; their share is reported."""
    clusters = np.repeat(np.arange(8), 10)
    units = cluster_units(np.where(np.arange(80) < 5, 1, 0), np.zeros(80, np.int64), clusters, 3)
    totals = all_draws(units, 1000, seed=4)
    lost = totals.support[:, 1] == 0

    assert (totals.macro(totals.f1)[lost] == 1).all()
    assert (totals.macro(totals.f1)[~lost] < 0.5).all()
    assert (
        bootstrap(units, 1000, np.random.default_rng(4)).losing == lost.mean() == pytest.approx((7 / 8) ** 8, abs=0.05)
    )


@pytest.mark.parametrize("cells", [1, 70, 1 << 10])
def test_batches_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """The number of draws held in memory at once does not affect the result."""
    truth, predicted, clusters = synthetic_objects(200, 4, 10)
    units = cluster_units(truth, predicted, clusters, 4)
    expected = bootstrap(units, 101, np.random.default_rng(6))
    monkeypatch.setattr(module, "CELLS_AT_ONCE", cells)

    assert bootstrap(units, 101, np.random.default_rng(6)) == expected


@pytest.mark.parametrize("draws", [1, 2])
def test_a_class_may_be_missing_from_all_draws(draws: int) -> None:
    """Macro F1 is that of the others, and no exception is raised."""
    units = object_units(np.array([[40, 0, 0], [0, 1, 0]]))
    found = [bootstrap(units, draws, np.random.default_rng(seed)) for seed in range(20)]

    assert any(one.losing == 1 for one in found)
    assert all(one.interval == (1, 1) for one in found)


def test_negated_values_have_the_mirrored_interval() -> None:
    """Exactly, so that swapping two methods only changes signs."""
    values = np.random.default_rng(7).normal(size=1001)
    low, high = percentile_interval(values)

    assert percentile_interval(-values) == (-high, -low)
    assert (low, high) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-15)
