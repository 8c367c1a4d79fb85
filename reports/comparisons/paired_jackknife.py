"""Paired jackknife: scores of all methods without one unit (cluster or object) at a time.

For macro F1: a unit contains few classes, and only the F1 of its true and predicted classes changes without it. Other
statistics are computed from the counts of all classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..scoring.metrics import Totals, confusion_matrix, totals_of
from ..scoring.units import cluster_units

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from .paired_predictions import PairedPredictions

    Statistics = Callable[[Totals], NDArray[np.float64]]
    """Takes counts of shape (..., n_classes) and returns values of shape (..., n_statistics)."""


def macro_f1_without_each(predictions: PairedPredictions, n_units: int, n_classes: int) -> NDArray[np.float64]:
    """Return macro F1 of each method in one run without each unit.

    Args:
        predictions: predictions of the run.
        n_units: number of units over all runs; one without objects in this run changes nothing.
        n_classes: number of classes.

    Returns:
        float64 of shape (n_methods, n_units); NaN if no object remains.

    """
    return np.stack([_without_each(predictions, method, n_units, n_classes) for method in predictions.predicted])


def _without_each(
    predictions: PairedPredictions, predicted: NDArray[np.integer], n_units: int, n_classes: int
) -> NDArray[np.float64]:
    """Return macro F1 of one method without each unit, from the cells (class, unit) that contain objects."""
    truth, known = predictions.truth, predicted < n_classes
    cell_of_truth = truth * n_units + predictions.units
    cell_of_prediction = predicted[known] * n_units + predictions.units[known]
    cells, position = np.unique(np.concatenate([cell_of_truth, cell_of_prediction]), return_inverse=True)
    of_truth, of_prediction = position[: len(truth)], position[len(truth) :]
    classes, units = np.divmod(cells, n_units)

    counts = Totals(
        hits=_sums(of_truth, predicted == truth, len(cells)),
        support=_sums(of_truth, np.ones(len(of_truth)), len(cells)),
        predicted=_sums(of_prediction, np.ones(len(of_prediction)), len(cells)),
    )
    whole = Totals(
        hits=_sums(classes, counts.hits, n_classes),
        support=_sums(classes, counts.support, n_classes),
        predicted=_sums(classes, counts.predicted, n_classes),
    )
    of_class = Totals(whole.hits[classes], whole.support[classes], whole.predicted[classes])
    less = Totals(of_class.hits - counts.hits, of_class.support - counts.support, of_class.predicted - counts.predicted)
    was_present, is_present = of_class.support > 0, less.support > 0
    change = _sums(units, less.f1 * is_present - of_class.f1 * was_present, n_units)
    lost = _sums(units, was_present & ~is_present, n_units)
    present = whole.support > 0
    with np.errstate(invalid="ignore"):
        return np.asarray((whole.f1[present].sum() + change) / (present.sum() - lost))


def statistics_without_each(
    predictions: PairedPredictions, n_units: int, n_classes: int, statistics: Statistics
) -> NDArray[np.float64]:
    """Return statistics of the counts of each method in one run without each unit.

    Single objects with the same true and predicted class are interchangeable, so that one of each kind is left out.

    Args:
        predictions: predictions of the run.
        n_units: number of units over all runs; one without objects in this run changes nothing.
        n_classes: number of classes.
        statistics: the statistics, in terms of counts.

    Returns:
        float64 of shape (n_methods, n_units, n_statistics); NaN where undefined.

    """
    return np.stack(
        [
            _statistics_without_each(predictions, predicted, n_units, n_classes, statistics)
            for predicted in predictions.predicted
        ]
    )


def _statistics_without_each(
    predictions: PairedPredictions,
    predicted: NDArray[np.integer],
    n_units: int,
    n_classes: int,
    statistics: Statistics,
) -> NDArray[np.float64]:
    """Return the statistics of one method without each unit, of shape (n_units, n_statistics)."""
    truth, units = predictions.truth, predictions.units
    present, kind = np.unique(units, return_inverse=True)
    if len(present) == len(units):
        cells, kind = np.unique(truth * (n_classes + 1) + predicted, return_inverse=True)
        of_kind = cluster_units(*np.divmod(cells, n_classes + 1), np.arange(len(cells)), n_classes).by_kind
    else:
        of_kind = cluster_units(truth, predicted, kind, n_classes).by_kind
    whole = totals_of(confusion_matrix(truth, predicted, n_classes))
    left_out = statistics(
        Totals(whole.hits - of_kind.hits, whole.support - of_kind.support, whole.predicted - of_kind.predicted)
    )
    values = np.tile(statistics(whole), (n_units, 1))
    values[units] = left_out[kind]
    return values


def _sums(codes: NDArray[np.integer], values: ArrayLike, n_codes: int) -> NDArray[np.float64]:
    """Return the sum of the values of each code, of shape (n_codes,)."""
    return np.bincount(codes, np.asarray(values, np.float64), n_codes).astype(np.float64)
