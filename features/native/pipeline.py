"""Preparation of native tables as in "Plankton Recognition" (source 001), without its mistakes.

Constant and correlated columns are dropped, values are normalised, and missing values are kept or imputed. All steps
are fitted to training rows only and do not use the labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, Self, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ...data_manifests.errors import DataError
from .correlation import pairwise_correlation

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRUNE_ABOVE = 0.95

Missing = Literal["keep", "median"]


class ColumnFilter(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no types
    """Base class of transformers that drop columns of a table.

    Attributes:
        dropped_: reason for each dropped column, in column order.
        feature_names_in_: columns seen during `fit`.

    """

    dropped_: dict[str, str]
    feature_names_in_: NDArray[np.object_]

    @abstractmethod
    def reasons(self, table: pd.DataFrame) -> dict[str, str]:
        """Return the columns to drop, each with the reason."""

    def fit(self, table: pd.DataFrame, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Determine the columns to drop from training rows."""
        self.feature_names_in_ = np.asarray(table.columns, dtype=object)
        self.dropped_ = self.reasons(table)
        return self

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table without the dropped columns."""
        check_is_fitted(self, "dropped_")
        return table[list(self.get_feature_names_out())]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 - as above
        """Return the remaining columns, in column order."""
        kept = [name for name in self.feature_names_in_ if name not in self.dropped_]
        return np.asarray(kept, dtype=object)


class DropConstant(ColumnFilter):
    """Drop columns with fewer than two distinct values, ignoring missing values."""

    def reasons(self, table: pd.DataFrame) -> dict[str, str]:
        """Return constant and empty columns, each with the reason.

        Raises:
            DataError: no column remains.

        """
        reasons = {}
        for name in table.columns:
            values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
            low, high = (extreme.reduce(values, initial=np.nan) for extreme in (np.fmin, np.fmax))
            if np.isnan(low):
                reasons[name] = "empty"
            elif low == high:
                reasons[name] = f"constant ({low:g})"
        if len(reasons) == table.shape[1]:
            message = f"No native column varies over the {len(table):,} training rows, so no model can be fitted."
            raise DataError(message)
        return reasons


class DropCorrelated(ColumnFilter):
    """Drop each column that is correlated with an earlier one, as in source 001.

    A column is dropped if |r| > `above` (Pearson, over rows where both are present) for any earlier column, even if
    that one is dropped as well.

    Args:
        above: threshold of |r|.

    Attributes:
        correlation_: Pearson's r, float64 table of shape (n_features, n_features).

    """

    correlation_: pd.DataFrame

    def __init__(self, above: float = PRUNE_ABOVE) -> None:
        self.above = above

    def reasons(self, table: pd.DataFrame) -> dict[str, str]:
        """Return correlated columns, each with the first column that it is correlated with."""
        self.correlation_ = pairwise_correlation(table)
        r = self.correlation_.to_numpy()
        reasons = {}
        for column in range(1, r.shape[1]):
            earlier = np.flatnonzero(np.abs(r[:column, column]) > self.above)
            if len(earlier):
                first = int(earlier[0])
                reasons[table.columns[column]] = f"|r| = {abs(r[first, column]):.3f} with {table.columns[first]}"
        return reasons


def native_pipeline(missing: Missing = "keep", prune_above: float | None = PRUNE_ABOVE) -> Pipeline:
    """Return a scikit-learn pipeline that prepares native tables; it transforms data frames to data frames.

    Args:
        missing: `keep` leaves missing values as they are, for learners that support them (XGBoost); `median` replaces
            them by the training median and adds an indicator column for each column with missing training values.
        prune_above: threshold of |r| for `DropCorrelated`; None keeps correlated columns.

    """
    steps: list[tuple[str, object]] = [("constant", DropConstant())]
    if prune_above is not None:
        steps.append(("correlated", DropCorrelated(prune_above)))
    steps.append(("normalise", StandardScaler()))
    if missing == "median":
        steps.append(("impute", SimpleImputer(strategy="median", add_indicator=True)))
    return Pipeline(steps).set_output(transform="pandas")


def prepared(pipeline: Pipeline, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table transformed by a fitted pipeline: float64 of shape (n_objects, n_kept)."""
    return cast("pd.DataFrame", pipeline.transform(table))


def describe_preparation(pipeline: Pipeline, table: pd.DataFrame) -> pd.DataFrame:
    """Describe how a fitted pipeline prepared each column of its training table.

    Returns:
        One row per native column, in column order: `feature`, `missing` (share of rows), `mean`, `std` (before),
        `mean_after`, `std_after` (NaN if dropped), `dropped` (reason, empty if kept), and `r:<column>` for each column
        whose correlations were computed.

    """
    dropped: dict[str, str] = {}
    r = pd.DataFrame(index=table.columns)
    for step in pipeline.named_steps.values():
        if isinstance(step, ColumnFilter):
            dropped |= step.dropped_
        if isinstance(step, DropCorrelated):
            r = step.correlation_.reindex(table.columns).add_prefix("r:")
    after = pipeline[: list(pipeline.named_steps).index("normalise") + 1].transform(table)
    summary = pd.DataFrame(
        {
            "missing": table.isna().mean(),
            "mean": table.mean(),
            "std": table.std(),
            "mean_after": after.mean().reindex(table.columns),
            "std_after": after.std().reindex(table.columns),
            "dropped": pd.Series({name: dropped.get(name, "") for name in table.columns}),
        }
    )
    return summary.join(r).rename_axis("feature").reset_index()
