"""Evenness of errors over classes: variance of per-class false negatives and false positives, as in source 003."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..results.folded_classes import coded_predictions
from ..results.run_table import ends, means_with_intervals, run_table, with_ends
from ..scoring.group_jackknife import grouped_intervals
from ..scoring.metrics import confusion_matrix, totals_of
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

MEASURES = ("variance_fn", "variance_fp", "mean_fn", "mean_fp")
COLUMNS = ("n_classes", "n_objects", *with_ends(*MEASURES))


class EvennessOfErrors(Analysis):
    """Variance of per-class errors."""

    file = "error-variance.csv"
    title = "Evenness of errors"
    description = (
        "Variance over classes of false negatives and false positives, each as a share of the test objects of the "
        "class. The lower the variance, the more evenly errors are distributed over classes; chance adds to it in "
        f"classes with few test objects. {INTERVALS}"
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the variance of per-class errors of all finished runs.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`; see `error_shares`. Columns `_lo` and
            `_hi` are the ends of 95 % intervals of the expected value on test sets of this size, from the
            delete-a-group jackknife (`group_jackknife.grouped_intervals`) over samples, or objects if there are not
            several samples.

        """
        return run_table(runs, COLUMNS, lambda run: [error_columns(run)])

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the variance of false negatives and false positives."""
        return means_with_intervals(
            rows, {"variance_fn": "variance of false negatives", "variance_fp": "variance of false positives"}
        )


def error_shares(totals: Totals) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return false negatives and false positives of each class, both divided by its number of objects.

    "Tackling Inter-Class Similarity and Intra-Class Variance" (section 4.3) reports the variance of both over classes
    without the denominator. For false positives it cannot be the number of objects predicted as the class: table 2 has
    a macro precision of 0.858 (mean 0.142) with a variance of 0.136, but values between 0 and 1 with that mean have a
    variance of at most 0.142 · 0.858 = 0.122. Divided by the number of objects of the class they may exceed 1.

    Args:
        totals: counts of shape (..., n_classes).

    Returns:
        Shares fn and fp, both float64 of shape (..., n_classes); 0 for a class without support.

    """
    present = totals.support > 0
    fn, fp = (
        np.divide(errors - totals.hits, totals.support, out=np.zeros_like(totals.support), where=present)
        for errors in (totals.support, totals.predicted)
    )
    return fn, fp


def error_moments(totals: Totals) -> NDArray[np.float64]:
    """Return `MEASURES`: variances and means of `error_shares` over the classes with support, of shape (..., 4).

    The classes are the whole population, not a sample, so that variances have the divisor n_classes.
    """
    shares = error_shares(totals)
    means = [totals.macro(share) for share in shares]
    variances = [totals.macro((share - mean[..., None]) ** 2) for share, mean in zip(shares, means, strict=True)]
    return np.stack([*variances, *means], axis=-1)


def error_columns(run: StoredRun) -> dict[str, object]:
    """Return the columns of `EvennessOfErrors.table` for a finished run, which several tables share."""
    return run.cached("error variance", _error_columns)


def _error_columns(run: StoredRun) -> dict[str, object]:
    predictions = coded_predictions(run)

    def counted(rows: NDArray[np.bool_]) -> Totals:
        matrix = confusion_matrix(predictions.truth[rows], predictions.predicted[rows], len(predictions.classes))
        return totals_of(matrix)

    everything = np.ones(len(predictions.truth), bool)
    totals = counted(everything)
    bounds = grouped_intervals(lambda rows: error_moments(counted(rows)), predictions.units, (0.0, np.inf))
    row: dict[str, object] = {"n_classes": int((totals.support > 0).sum()), "n_objects": len(everything)}
    for name, value, interval in zip(MEASURES, error_moments(totals), bounds, strict=True):
        row |= {name: value, **ends(name, interval)}
    return row
