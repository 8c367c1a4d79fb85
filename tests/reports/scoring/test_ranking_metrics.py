"""Areas under ROC curves and top-k accuracy, compared with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.scoring.ranking_metrics import OneVsRestRanks, among_top
from sklearn.metrics import roc_auc_score, top_k_accuracy_score

if TYPE_CHECKING:
    from numpy.typing import NDArray


def synthetic_objects(seed: int, n: int = 60, n_classes: int = 5) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return true classes and scores that correlate with them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n)
    scores = rng.dirichlet(np.ones(n_classes), n)
    scores[np.arange(n), truth] += rng.random(n)
    return truth, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_auroc_matches_scikit_learn(seed: int) -> None:
    """One class against all others, with ties, for all and for some rows; NaN without positive or negative objects."""
    truth, scores = synthetic_objects(seed)
    scores = np.round(scores, 1)
    truth[truth == 3] = 1
    ranks = OneVsRestRanks(truth, scores)

    for rows in (np.ones(60, bool), np.arange(60) % 3 > 0):
        expected = [roc_auc_score(truth[rows] == code, scores[rows, code]) for code in (0, 1, 2, 4)]

        assert ranks.auroc(rows)[[0, 1, 2, 4]].tolist() == pytest.approx(expected)
        assert np.isnan(ranks.auroc(rows)[3])
        assert ranks.macro_auroc(rows) == pytest.approx(np.mean(expected))
    assert np.isnan(OneVsRestRanks(np.zeros(9, int), np.ones((9, 3))).macro_auroc())


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k_matches_scikit_learn_without_ties(k: int) -> None:
    """The share of objects whose class is among the k highest scores."""
    truth, scores = synthetic_objects(3)

    assert among_top(truth, scores, k).mean() == pytest.approx(top_k_accuracy_score(truth, scores, k=k))


def test_ties_count_as_broken_at_random() -> None:
    """With four equal scores, each class is in the top two half of the time."""
    assert among_top(np.arange(4), np.full((4, 4), 0.25), 2).tolist() == [0.5] * 4


@settings(deadline=None)  # no test is timed
@given(seed=st.integers(0, 99), order=st.permutations(range(5)))
def test_order_of_classes_does_not_matter(seed: int, order: list[int]) -> None:
    """Top-k accuracy and AUROC do not depend on the order of classes, even with ties."""
    truth, scores = synthetic_objects(seed, n=30)
    scores = np.round(scores, 1)
    positions = np.argsort(order)

    assert among_top(positions[truth], scores[:, order], 2) == pytest.approx(among_top(truth, scores, 2))
    assert OneVsRestRanks(positions[truth], scores[:, order]).auroc() == pytest.approx(
        OneVsRestRanks(truth, scores).auroc()[order], nan_ok=True
    )
