"""Intervals of any statistic of rows, from the jackknife that leaves out one group of units at a time.

Scores that are functions of counts leave out each unit (`estimate.jackknife_error`). Statistics that must be computed
anew from the remaining rows, such as a calibration error, leave out one of at most 30 groups of units instead, which
costs 30 computations for any number of units (Kott 2001, The delete-a-group jackknife, Journal of Official Statistics
17, 521-526). The interval uses the quantile of Student's t for the number of groups.

It is an interval of the expected value of the statistic on test sets of this size. That of an error which cannot be
negative, such as a calibration error or a distance of counts, is above its value for an infinite test set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.seeds import derived_seed
from .estimate import FEWEST_UNITS, SCORES, Estimate, jackknife_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

MOST_GROUPS = 30


def jackknife_groups(units: NDArray[np.integer]) -> NDArray[np.intp]:
    """Assign units to at most `MOST_GROUPS` groups, whose numbers of units differ by at most one.

    Each unit is a group of its own if there are no more. Otherwise units are assigned at random, with a fixed seed:
    units in the order of their names would be stratified if names begin with the taxon.

    Args:
        units: unit of each row, codes of shape (n_rows,), from 0 without gaps, in an order independent of that of rows.

    Returns:
        Group of each row, of shape (n_rows,).

    """
    n_units = int(units.max()) + 1
    order = np.random.default_rng(derived_seed(purpose="jackknife groups")).permutation(n_units)
    return np.asarray(order[units] % MOST_GROUPS)


def grouped_estimates(
    statistic: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    units: NDArray[np.integer],
    limits: ArrayLike = SCORES,
) -> list[Estimate]:
    """Estimate statistics of rows with their jackknife errors.

    Args:
        statistic: takes the included rows, bool of shape (n_rows,), and returns values of shape (n_statistics,); NaN
            where undefined.
        units: as for `jackknife_groups`.
        limits: smallest and largest possible value, of shape (2,) or (n_statistics, 2).

    Returns:
        One estimate for each statistic. `n_units` is the number of groups.

    """
    groups = jackknife_groups(units)
    n_groups = int(groups.max()) + 1
    values = statistic(np.ones(len(units), bool))
    left_out = np.full((n_groups, len(values)), np.nan)
    if n_groups >= FEWEST_UNITS:
        left_out = np.array([statistic(groups != group) for group in range(n_groups)])
    return [
        Estimate(float(value), *jackknife_error(column), limits=(float(low), float(high)))
        for value, column, (low, high) in zip(
            values, left_out.T, np.broadcast_to(limits, (len(values), 2)), strict=True
        )
    ]


def grouped_intervals(
    statistic: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    units: NDArray[np.integer],
    limits: ArrayLike = SCORES,
) -> NDArray[np.float64]:
    """Return 95 % intervals of statistics of rows.

    Args:
        statistic: as for `grouped_estimates`.
        units: likewise.
        limits: likewise.

    Returns:
        Lower and upper bounds, float64 of shape (n_statistics, 2); NaN for an undefined statistic, and for one that is
        the same without each of the groups, whose variance is unknown.

    """
    bounds = [
        estimate.interval if estimate.error else (np.nan, np.nan)
        for estimate in grouped_estimates(statistic, units, limits)
    ]
    return np.array(bounds).reshape(-1, 2)
