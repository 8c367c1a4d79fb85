"""Intervals of proportions of objects that come in clusters, such as the recall of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .estimate import FEWEST_UNITS, LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_CLUSTERS = 5  # that contain a class; with fewer, it has no interval


def proportion_intervals(
    hits: NDArray[np.float64], objects: NDArray[np.float64], weights: NDArray[np.int64], prior_effect: float = 1.0
) -> NDArray[np.float64]:
    """Return 95 % intervals of hits / objects, which are exact (Clopper & Pearson) for the effective number of objects.

    The effective number is n / design effect, where the design effect is the variance of the proportion over units,
    relative to that of independent objects, corrected for its degrees of freedom (Korn & Graubard 1998, Confidence
    intervals for proportions with small expected number of positive counts, Survey Methodology 24, section 2; not above
    n). A proportion of 0 or 1, or of the objects of a single unit, has no variance; there `prior_effect` is used.

    Args:
        hits: of one unit of each kind, float64 of shape (n_kinds, n_proportions).
        objects: likewise.
        weights: number of units of each kind, int64 of shape (n_kinds,).
        prior_effect: design effect of proportions without variance.

    Returns:
        Lower and upper bounds, float64 of shape (n_proportions, 2); NaN without objects.

    """
    from scipy.stats import beta, t

    n = weights @ objects
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weights @ hits / n
        effects = design_effects(hits, objects, weights)
        units = weights @ (objects > 0)
        of_objects, of_units = (t.ppf((1 + LEVEL) / 2, np.maximum(count - 1, 1)) for count in (n, units))
        unknown = (share == 0) | (share == 1) | (units < FEWEST_UNITS)
        effective = np.where(
            unknown, n / max(prior_effect, 1.0), np.minimum(n, n / effects * (of_objects / of_units) ** 2)
        )
        found, missed = share * effective, (1 - share) * effective
        tail = (1 - LEVEL) / 2
        low = np.where(share > 0, beta.ppf(tail, np.maximum(found, 1e-9), missed + 1), 0.0)
        high = np.where(share < 1, beta.ppf(1 - tail, found + 1, np.maximum(missed, 1e-9)), 1.0)
    return np.where((n > 0)[:, None], np.column_stack([low, high]), np.nan)


def design_effects(
    hits: NDArray[np.float64], objects: NDArray[np.float64], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the variance of each proportion over units, relative to that of independent objects.

    The variance is that of a ratio, from the residuals hits - share · objects of the units (Korn & Graubard 1998); that
    of independent objects is share · (1 - share) / (n - 1), so that single objects have a design effect of 1.

    Args:
        hits: as in `proportion_intervals`.
        objects: likewise.
        weights: likewise.

    Returns:
        float64 of shape (n_proportions,); NaN for a proportion of 0 or 1, or without objects.

    """
    n, units = weights @ objects, int(weights.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        share = weights @ hits / n
        variance = units / max(units - 1, 1) * (weights @ (hits - share * objects) ** 2) / n**2
        return np.asarray(variance / (share * (1 - share) / (n - 1)))


def category_intervals(
    hits: NDArray[np.generic],
    objects: NDArray[np.generic],
    units: NDArray[np.integer],
    *,
    categories: NDArray[np.integer] | None = None,
    n_categories: int = 1,
    prior_effect: float = 1.0,
) -> NDArray[np.float64]:
    """Return 95 % intervals of hits / objects in each category of rows; see `proportion_intervals`.

    Args:
        hits: of each row, from 0 to `objects`, of shape (n_rows,).
        objects: of each row, 1, or 0 for a row that does not count, likewise.
        units: unit of each row, codes of shape (n_rows,), from 0 without gaps.
        categories: category of each row, codes of shape (n_rows,); None for a single category. With categories, one
            whose objects are in fewer than `FEWEST_CLUSTERS` units has no interval.
        n_categories: number of categories.
        prior_effect: design effect of proportions without variance.

    Returns:
        Lower and upper bounds, float64 of shape (n_categories, 2).

    """
    of_unit, of_all, weights = _counts_by_category(hits, objects, units, categories, n_categories)
    bounds = proportion_intervals(of_unit, of_all, weights, prior_effect)
    rare = weights @ (of_all > 0) < (0 if categories is None else FEWEST_CLUSTERS)
    return np.where(rare[:, None], np.nan, bounds)


def design_effect(hits: NDArray[np.generic], units: NDArray[np.integer]) -> float:
    """Return the design effect of the share of hits among all rows; at least 1, and 1 for a share of 0 or 1.

    Args:
        hits: of each row, from 0 to 1, of shape (n_rows,).
        units: as for `category_intervals`.

    """
    (effect,) = design_effects(*_counts_by_category(hits, np.ones(len(hits)), units, None, 1))
    return 1.0 if np.isnan(effect) else max(1.0, float(effect))


def _counts_by_category(
    hits: NDArray[np.generic],
    objects: NDArray[np.generic],
    units: NDArray[np.integer],
    categories: NDArray[np.integer] | None,
    n_categories: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return hits and objects of each kind of unit and category, and the number of units of each kind.

    Single rows as units are of one kind if they are equal; other units are kinds of their own.
    """
    codes = np.zeros(len(units), np.intp) if categories is None else categories
    n_units = int(units.max()) + 1
    weights = np.ones(n_units, np.int64)
    if n_units == len(units):
        kinds, weights = np.unique(np.column_stack([codes, hits, objects]), axis=0, return_counts=True)
        codes, hits, objects = kinds[:, 0].astype(np.intp), kinds[:, 1], kinds[:, 2]
        units = np.arange(len(kinds))
    shape = len(weights), n_categories
    cells = units * n_categories + codes
    of_unit, of_all = (
        np.bincount(cells, values.astype(np.float64), shape[0] * shape[1]).reshape(shape).astype(np.float64, copy=False)
        for values in (hits, objects)
    )
    return of_unit, of_all, weights
