"""Metrics, compared with scikit-learn for the label set of the truth."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.reports.scoring.metrics import Totals, confusion_matrix, totals_of
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_recall_fscore_support

if TYPE_CHECKING:
    from random import Random

CLASSES = 4
UNKNOWN = CLASSES  # code of any other name
ROWS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, UNKNOWN)), min_size=1, max_size=60)


def totals_from(rows: list[tuple[int, int]]) -> Totals:
    """Return the counts of rows of (truth, predicted)."""
    truth, predicted = np.array(rows).T
    return totals_of(confusion_matrix(truth, predicted, CLASSES))


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
@given(ROWS)
def test_metrics_equal_scikit_learn(rows: list[tuple[int, int]]) -> None:
    """Per class and as means, with the labels of the truth and zero_division 0."""
    truth, predicted = zip(*rows, strict=True)
    present = sorted(set(truth))
    expected = precision_recall_fscore_support(truth, predicted, labels=present, zero_division=0)
    totals = totals_from(rows)
    found = totals.precision, totals.recall, totals.f1, totals.support

    for ours, theirs in zip(found, expected, strict=True):
        assert ours[present] == pytest.approx(theirs, abs=1e-12)
    for ours, theirs in zip(found[:3], expected[:3], strict=True):
        assert totals.macro(ours) == pytest.approx(theirs.mean(), abs=1e-12)
    assert totals.accuracy == pytest.approx(accuracy_score(truth, predicted), abs=1e-12)
    assert totals.macro(totals.recall) == pytest.approx(balanced_accuracy_score(truth, predicted), abs=1e-12)


@given(ROWS, st.permutations(range(CLASSES)), st.randoms(use_true_random=False))
def test_order_of_classes_and_rows_does_not_matter(
    rows: list[tuple[int, int]], order: list[int], shuffler: Random
) -> None:
    """Renumbered classes and shuffled rows give the same means, and the same numbers for each class."""
    codes = [*order, UNKNOWN]
    changed = [(codes[truth], codes[predicted]) for truth, predicted in rows]
    shuffler.shuffle(changed)
    one, two = totals_from(rows), totals_from(changed)

    assert two.f1[order] == pytest.approx(one.f1, abs=1e-15)
    assert two.macro(two.f1) == pytest.approx(one.macro(one.f1), abs=1e-15)
    assert two.accuracy == one.accuracy


def test_a_prediction_of_an_absent_class_only_affects_the_true_class() -> None:
    """50 A, 50 B, one B predicted as C: 0.995, whereas other label sets would give 0.663 and 0.398."""
    truth = np.repeat([0, 1], 50)
    predicted = truth.copy()
    predicted[-1] = 2
    totals = totals_of(confusion_matrix(truth, predicted, 5))
    alternatives = [
        f1_score(truth, predicted, labels=labels, average="macro", zero_division=0) for labels in (None, range(5))
    ]

    assert totals.macro(totals.f1) == pytest.approx((1 + 2 * 49 / 99) / 2, abs=1e-15)
    assert alternatives == pytest.approx([0.663, 0.398], abs=5e-4)


def test_confusion_matrix_counts_truth_by_row() -> None:
    """Rows are the truth, columns the prediction, and the last column any other name."""
    matrix = confusion_matrix(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 2, 2]), 2)

    assert matrix.tolist() == [[1, 1, 0], [0, 1, 2]]


@given(ROWS)
def test_several_matrices_are_evaluated_independently(rows: list[tuple[int, int]]) -> None:
    """Leading axes are kept: the metrics of an array of matrices are those of each matrix."""
    chunks = [rows[start:stop] for start, stop in pairwise(range(len(rows) + 1))]
    matrices = np.stack([confusion_matrix(*np.array(chunk).T, CLASSES) for chunk in chunks])
    totals, singles = totals_of(matrices), [totals_from(chunk) for chunk in chunks]

    assert totals.f1.tolist() == [single.f1.tolist() for single in singles]
    assert totals.macro(totals.f1).tolist() == [float(single.macro(single.f1)) for single in singles]
    assert totals.accuracy.tolist() == [float(single.accuracy) for single in singles]


def test_counts_of_selected_classes_keep_predictions_of_other_objects() -> None:
    """Precision of a selected class also counts objects of classes that are not selected."""
    matrices = np.stack([[[4, 1, 0, 0], [2, 3, 0, 0], [3, 0, 5, 0]]] * 2)
    found = totals_of(matrices).of_classes(np.array([True, False, True]))

    assert found.precision.tolist() == [[4 / 9, 1.0]] * 2
    assert found.recall.tolist() == [[4 / 5, 5 / 8]] * 2
    assert found.macro(found.recall).tolist() == [pytest.approx((4 / 5 + 5 / 8) / 2)] * 2
