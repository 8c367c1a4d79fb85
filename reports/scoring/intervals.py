"""Intervals of the scores of one run.

Macro F1 has a jackknife interval with Student's t. Of the percentile, expanded percentile, bias-corrected and jackknife
intervals it is the one with sufficient coverage for few clusters, rare classes and patchy classes alike (`tox -e
bench-statistics`). It is an interval of the expected macro F1 on test sets of this size: a small test set lacks rare
classes, so that its expected macro F1 differs from that of an infinite one. Accuracy and the scores of single classes
are proportions, which are often 0 or 1, so that their intervals are asymmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .bootstrap import Bootstrap, bootstrap
from .estimate import FEWEST_UNITS, LEVEL, SCORES, Estimate, jackknife_error
from .proportions import FEWEST_CLUSTERS, design_effects, proportion_intervals

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from .metrics import Totals
    from .units import Units


@dataclass(frozen=True)
class Intervals:
    """95 % intervals; those of proportions need not be symmetric.

    Attributes:
        macro_f1: lower and upper bound.
        accuracy: lower and upper bound.
        bootstrap: percentile interval and bias of macro F1.

    """

    macro_f1: tuple[float, float]
    accuracy: tuple[float, float]
    bootstrap: Bootstrap


def intervals(units: Units, draws: int, rng: np.random.Generator) -> Intervals:
    """Return the intervals of the scores of one run.

    Args:
        units: from `units.count_units`.
        draws: number of resamples for the bootstrap.
        rng: random generator for the bootstrap.

    """
    ((low, high),) = proportion_intervals(*_right_and_all(units), units.weights)
    return Intervals(
        macro_f1=score_interval(macro_f1_estimate(units), int(units.totals.support.sum())),
        accuracy=(float(low), float(high)),
        bootstrap=bootstrap(units, draws, rng),
    )


def macro_f1_estimate(units: Units) -> Estimate:
    """Return macro F1 with its jackknife error."""
    totals, without = units.totals, units.without_each()
    error, n = jackknife_error(without.macro(without.f1), units.weights)
    return Estimate(float(totals.macro(totals.f1)), error, n, limits=SCORES)


def score_interval(estimate: Estimate, n_objects: int) -> tuple[float, float]:
    """Return the interval of a score from 0 to 1.

    A score that is the same without each unit, such as 0 or 1, has no variance over units, however many there are. In
    place of it, the interval is that of a proportion of independent objects (Clopper & Pearson), combined with the
    variation over runs as in `Estimate.half_width` (Zou & Donner 2008, equation 1, for asymmetric intervals). A single
    unit shows nothing about a score between 0 and 1.

    Args:
        estimate: the score with its jackknife error.
        n_objects: number of objects that it is about.

    """
    value = estimate.value
    if estimate.error or (estimate.n_units < FEWEST_UNITS and value not in SCORES):
        return estimate.interval
    ((low, high),) = proportion_intervals(np.array([[value]]), np.ones((1, 1)), np.array([n_objects], dtype=np.int64))
    if not estimate.run_error:
        return float(low), float(high)
    runs = estimate.run_half_width(1 - LEVEL)
    return max(0.0, float(value - np.hypot(value - low, runs))), min(1.0, float(value + np.hypot(high - value, runs)))


def interval_of(
    metrics: Callable[[Totals], NDArray[np.float64]], units: Units, n_objects: ArrayLike
) -> NDArray[np.float64]:
    """Return 95 % intervals of user-defined metrics from 0 to 1, as those of macro F1.

    Args:
        metrics: takes counts of shape (..., n_classes) and returns values of shape (..., n_metrics); NaN where
            undefined.
        units: from `units.count_units`.
        n_objects: number of objects that each metric is about, of shape (n_metrics,), or that all are about.

    Returns:
        Lower and upper bounds, float64 of shape (n_metrics, 2); NaN for an undefined metric.

    """
    values, left_out = metrics(units.totals), metrics(units.without_each())
    bounds, objects = np.full((len(values), 2), np.nan), np.broadcast_to(n_objects, values.shape)
    for metric in np.flatnonzero(~np.isnan(values)):
        error, n = jackknife_error(left_out[:, metric], units.weights)
        estimate = Estimate(float(values[metric]), error, n, limits=SCORES)
        bounds[metric] = score_interval(estimate, int(objects[metric]))
    return bounds


def class_table(names: list[str], units: Units) -> pd.DataFrame:
    """Return taxon, precision, recall, f1, support, and their 95 % intervals as precision_lo, precision_hi and so on.

    Args:
        names: the class list, of which each class has a row.
        units: from `units.count_units` or `units.repeated_units`.

    """
    totals = units.totals
    scores = {name: getattr(totals, name) for name in ("precision", "recall", "f1")}
    bounds = class_intervals(units)
    ends = {f"{name}_{end}": bound for name in bounds for end, bound in zip(("lo", "hi"), bounds[name].T, strict=True)}
    return pd.DataFrame({"taxon": names, **scores, "support": totals.support.astype(np.int64), **ends})


def class_intervals(units: Units) -> dict[str, NDArray[np.float64]]:
    """Return the intervals of precision, recall and f1 of each class, float64 of shape (n_classes, 2), by name.

    F1 = 2 J / (1 + J) increases with J = hits / (support + predicted - hits), which is a proportion (Hand, Christen &
    Kirielle 2021, F*: an interpretable transformation of the F-measure, doi 10.1007/s10994-021-05964-1, equation 3).
    A class that is always right or wrong has no variance; the design effect of accuracy is used for it. A class that
    occurs in fewer than five units has no interval (NaN).
    """
    counts = units.by_kind
    (effect,) = design_effects(*_right_and_all(units), units.weights)
    prior_effect = 1.0 if np.isnan(effect) else float(effect)
    objects = {
        "precision": counts.predicted,
        "recall": counts.support,
        "f1": counts.support + counts.predicted - counts.hits,
    }
    found = {
        name: proportion_intervals(counts.hits, of_all, units.weights, prior_effect) for name, of_all in objects.items()
    }
    found["f1"] = 2 * found["f1"] / (1 + found["f1"])
    rare = units.clusters_of_class < FEWEST_CLUSTERS
    return {name: np.where(rare[:, None], np.nan, bounds) for name, bounds in found.items()}


def _right_and_all(units: Units) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the number of correctly predicted objects and of all objects of one unit, of shape (n_kinds, 1)."""
    counts = units.by_kind
    return counts.hits.sum(axis=1, keepdims=True), counts.support.sum(axis=1, keepdims=True)
