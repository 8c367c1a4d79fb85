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
    """Sum over the table in pieces of some rows; columns without gaps need no mask."""
    centres, with_gaps = _centres(table)
    gaps = np.flatnonzero(with_gaps)
    width = table.shape[1]
    whole, beside, xy = np.zeros((3, width)), np.zeros((3, width, len(gaps))), np.zeros((width, width))
    for start in range(0, len(table), ROWS):
        values = _numbers(table.iloc[start : start + ROWS]) - centres
        present = np.isfinite(values)
        values[~present] = 0
        mask = present[:, gaps].astype(np.float64)
        xy += values.T @ values
        for moment, terms in enumerate((present, values, values**2)):
            whole[moment] += terms.sum(axis=0)
            beside[moment] += terms.T @ mask
    sums = np.repeat(whole[:, :, None], width, axis=2)
    sums[:, :, gaps] = beside
    n, x, xx = sums
    n[gaps] = n[:, gaps].T
    return _Moments(n, x, xx, xy)


def _centres(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the mean of each column's finite values (0 when it has none), and whether it has gaps."""
    centres, with_gaps = np.zeros(table.shape[1]), np.zeros(table.shape[1], dtype=bool)
    for position in range(table.shape[1]):
        column = _numbers(table.iloc[:, position])
        present = np.isfinite(column)
        with_gaps[position] = not present.all()
        if present.any():
            centres[position] = np.mean(column[present])
    return centres, with_gaps


def _numbers(values: pd.DataFrame | pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
