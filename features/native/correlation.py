"""Pearson's r between the columns of a table, by matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 16_384  # rows of a product: 8 MB for 64 columns
SURE = 1e-3  # a sum of squares that shrinks below this share when its mean is taken out has lost too many digits


@dataclass(frozen=True)
class _Moments:
    """Sums over the rows where columns i and j are both present, float64 of shape (n_features, n_features).

    Attributes:
        n: rows.
        x: sum of column i, off its centre.
        xx: sum of squares of column i.
        xy: sum of products of columns i and j.

    """

    n: NDArray[np.float64]
    x: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]


def pairwise_correlation(table: pd.DataFrame) -> pd.DataFrame:
    """Return Pearson's r of each pair of columns over the rows where both are present and finite.

    The same as `DataFrame.corr`, some ten times as quick: sums of products come from matrix products, and only pairs
    whose sums lost their digits (nearly constant where both are present) are done again by pandas. One thread, since a
    matrix product rounds differently with each number of them.

    Args:
        table: numbers, of shape (n_objects, n_features).

    Returns:
        float64 table of shape (n_features, n_features); NaN where a column does not vary over the rows of the pair.

    """
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        sums = _moments(table)
        mean = sums.x / sums.n
        variation = sums.xx - sums.x * mean
        r = (sums.xy - sums.x * mean.T) / np.sqrt(variation * variation.T)
        sure = variation > SURE * sums.xx
    r = np.clip(r, -1, 1)
    for one, other in np.argwhere(np.triu(~(sure & sure.T))):
        r[one, other] = r[other, one] = table.iloc[:, [one, other]].corr().to_numpy()[0, 1]
    return pd.DataFrame(r, index=table.columns, columns=table.columns)


def _moments(table: pd.DataFrame) -> _Moments:
    """Sum over the table in pieces of some rows; only beside columns with gaps does a sum leave rows out."""
    centres, present = _centres(table)
    gaps = np.flatnonzero(present < len(table))
    width = table.shape[1]
    xy, whole = np.zeros((width, width)), np.zeros(width)
    both, beside, squares_beside = np.zeros((len(gaps), len(gaps))), *np.zeros((2, width, len(gaps)))
    for start in range(0, len(table), ROWS):
        values = _numbers(table.iloc[start : start + ROWS]) - centres
        mask = np.isfinite(values[:, gaps])
        values[:, gaps] = np.where(mask, values[:, gaps], 0)
        xy += values.T @ values
        whole += values.sum(axis=0)
        if len(gaps):
            weights = mask.astype(np.float64)
            both += weights.T @ weights
            beside += values.T @ weights
            squares_beside += (values**2).T @ weights
    n = np.minimum.outer(present, present)
    x, xx = (np.repeat(total[:, None], width, axis=1) for total in (whole, xy.diagonal()))
    n[np.ix_(gaps, gaps)], x[:, gaps], xx[:, gaps] = both, beside, squares_beside
    return _Moments(n, x, xx, xy)


def _centres(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of each column's finite values (0 when it has none), and their number."""
    centres, present = np.zeros((2, table.shape[1]))
    for position in range(table.shape[1]):
        column = _numbers(table.iloc[:, position])
        finite = np.isfinite(column)
        present[position] = np.count_nonzero(finite)
        if present[position]:
            centres[position] = np.mean(column, where=finite)
    return centres, present


def _numbers(values: pd.DataFrame | pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
