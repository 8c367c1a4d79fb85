"""Pearson correlation of the columns of a table, computed by matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 16_384  # rows per matrix product: 8 MB for 64 columns
PRECISE = 1e-3  # smallest share of a sum of squares that may remain once the mean is removed; below, digits are lost


@dataclass(frozen=True)
class _Moments:
    """Sums over the rows where columns i and j are both present, float64 of shape (n_features, n_features).

    Attributes:
        n: number of rows.
        x: sum of column i after centring.
        xx: sum of squares of column i.
        xy: sum of products of columns i and j.

    """

    n: NDArray[np.float64]
    x: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]


def pairwise_correlation(table: pd.DataFrame) -> pd.DataFrame:
    """Return Pearson's r of each pair of columns over the rows where both are present and finite.

    Equivalent to `DataFrame.corr`, but about ten times as fast: sums are computed by matrix products. Pairs whose sums
    are imprecise, since a column is nearly constant where both are present, are recomputed by pandas. Only one thread
    is used, since the rounding of matrix products depends on the number of threads.

    Args:
        table: numeric table of shape (n_objects, n_features).

    Returns:
        float64 table of shape (n_features, n_features); NaN where a column does not vary over the rows of the pair.

    """
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        sums = _moments(table)
        mean = sums.x / sums.n
        variation = sums.xx - sums.x * mean
        r = (sums.xy - sums.x * mean.T) / np.sqrt(variation * variation.T)
        precise = variation > PRECISE * sums.xx
    r = np.clip(r, -1, 1)
    for one, other in np.argwhere(np.triu(~(precise & precise.T))):
        r[one, other] = r[other, one] = table.iloc[:, [one, other]].corr().to_numpy()[0, 1]
    return pd.DataFrame(r, index=table.columns, columns=table.columns)


def _moments(table: pd.DataFrame) -> _Moments:
    """Return the sums over the table, computed in chunks of `ROWS` rows; rows are masked only for columns with gaps."""
    centres, present = _centres(table)
    gaps = np.flatnonzero(present < len(table))
    width = table.shape[1]
    xy, totals = np.zeros((width, width)), np.zeros(width)
    n_both, masked, masked_squares = np.zeros((len(gaps), len(gaps))), *np.zeros((2, width, len(gaps)))
    for start in range(0, len(table), ROWS):
        values = _numbers(table.iloc[start : start + ROWS]) - centres
        mask = np.isfinite(values[:, gaps])
        values[:, gaps] = np.where(mask, values[:, gaps], 0)
        xy += values.T @ values
        totals += values.sum(axis=0)
        if len(gaps):
            weights = mask.astype(np.float64)
            n_both += weights.T @ weights
            masked += values.T @ weights
            masked_squares += (values**2).T @ weights
    n = np.minimum.outer(present, present)
    x, xx = (np.repeat(total[:, None], width, axis=1) for total in (totals, xy.diagonal()))
    n[np.ix_(gaps, gaps)], x[:, gaps], xx[:, gaps] = n_both, masked, masked_squares
    return _Moments(n, x, xx, xy)


def _centres(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of the finite values of each column, 0 if there are none, and their number."""
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
