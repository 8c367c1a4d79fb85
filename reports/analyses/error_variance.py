"""Evenness of errors over classes: variance of per-class false negatives and false positives, as in source 003."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..results.folded_classes import coded_predictions
from ..results.run_table import run_table, track_means
from ..scoring.metrics import confusion_matrix, totals_of
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.run_table import Rows
    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

COLUMNS = ("n_classes", "n_objects", "variance_fn", "variance_fp", "mean_fn", "mean_fp")


class EvennessOfErrors(Analysis):
    """Variance of per-class errors."""

    file = "error-variance.csv"
    title = "Evenness of errors"
    description = (
        "Variance over classes of false negatives and false positives, each as a share of the test objects of the "
        "class. The lower the variance, the more evenly errors are distributed over classes."
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the variance of per-class errors of all finished runs.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`; see `error_shares`.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the variance of false negatives and false positives."""
        return track_means(
            rows, {"variance_fn": "variance of false negatives", "variance_fp": "variance of false positives"}
        )


def error_shares(totals: Totals) -> pd.DataFrame:
    """Return false negatives and false positives of each class with support, both divided by its number of objects.

    "Tackling Inter-Class Similarity and Intra-Class Variance" (section 4.3) reports the variance of both over classes
    without the denominator. For false positives it cannot be the number of objects predicted as the class: table 2 has
    a macro precision of 0.858 (mean 0.142) with a variance of 0.136, but values between 0 and 1 with that mean have a
    variance of at most 0.142 · 0.858 = 0.122. Divided by the number of objects of the class they may exceed 1.

    Args:
        totals: counts of shape (n_classes,).

    Returns:
        Columns fn and fp, float64, one row for each class with support.

    """
    present = totals.support > 0
    support, hits, predicted = (counts[present] for counts in (totals.support, totals.hits, totals.predicted))
    return pd.DataFrame({"fn": (support - hits) / support, "fp": (predicted - hits) / support})


def _rows(run: StoredRun) -> Rows:
    predictions = coded_predictions(run)
    matrix = confusion_matrix(predictions.truth, predictions.predicted, len(predictions.classes))
    shares = error_shares(totals_of(matrix))
    variances = shares.var(ddof=0)  # the classes are the whole population, not a sample
    return [
        {
            "n_classes": len(shares),
            "n_objects": int(matrix.sum()),
            "variance_fn": variances["fn"],
            "variance_fp": variances["fp"],
            "mean_fn": shares["fn"].mean(),
            "mean_fp": shares["fp"].mean(),
        }
    ]
