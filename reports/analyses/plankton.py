"""Precision and recall over plankton classes only, weighted as in the reference benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import listed
from ..results.folded_classes import coded_predictions
from ..results.run_table import means_with_intervals, run_table
from ..results.taxonomy import taxonomy_of
from ..scoring.intervals import interval_of
from ..scoring.metrics import totals_of
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ..results.folded_classes import CodedPredictions
    from ..results.run_table import Rows
    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

COLUMNS = (
    "rank", "n_classes", "n_objects", "precision", "precision_lo", "precision_hi", "recall", "recall_lo", "recall_hi",
)  # fmt: skip


class PlanktonOnly(Analysis):
    """Scores of plankton classes only."""

    file = "plankton.csv"
    title = "Plankton only"
    description = (
        "Precision and recall over plankton classes only, each weighted by its number of test objects. Detritus, "
        "bubbles and other non-living objects count only if they are predicted as plankton. "
        f"{INTERVALS}"
    )

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Score plankton classes only, for all finished runs.

        Returns:
            One row for each run and rank, with `run_table.KEYS`, `COLUMNS` and `reason`. At rank `taxon`, plankton are
            the classes flagged as such in the manifest; at rank `group`, the broader groups of the manifest that
            contain such a class, as in the reference benchmark. `n_classes` and `n_objects` count plankton with test
            objects. Intervals are 95 % jackknife intervals over samples, or over objects if there are no samples.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return precision and recall over plankton classes."""
        of_classes = rows[rows["rank"] == "taxon"]
        return means_with_intervals(of_classes, {"precision": "precision of plankton", "recall": "recall of plankton"})


def weighted_means(totals: Totals, selected: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return precision and recall over selected classes, each class weighted by its support.

    Equivalent to scikit-learn's `precision_recall_fscore_support` with `labels` and `average="weighted"`, which
    github.com/ThelmaPana/plankton_classif (06.write_metrics.py) names plankton precision and plankton recall.

    Args:
        totals: counts of shape (..., n_classes).
        selected: whether each class is included, of shape (n_classes,).

    Returns:
        float64 of shape (..., 2); NaN if the selected classes have no objects.

    """
    support = totals.support * selected
    total = support.sum(axis=-1)
    sums = [(values * support).sum(axis=-1) for values in (totals.precision, totals.recall)]
    return np.stack(
        [np.divide(value, total, out=np.full_like(value, np.nan), where=total > 0) for value in sums], axis=-1
    )


def _rows(run: StoredRun) -> Rows | str:
    taxonomy = taxonomy_of(run)
    unknown = set(run.card.data.classes) - set(taxonomy.plankton)
    if unknown:
        affected = "any class" if len(unknown) == len(run.card.data.classes) else listed(sorted(unknown))
        return f"the manifest of {run.card.data.name} does not state whether {affected} is plankton"
    predictions, folds = coded_predictions(run), {"taxon": {taxon: taxon for taxon in taxonomy.plankton}}
    if taxonomy.groups:
        folds["group"] = taxonomy.groups
    return [
        {
            "rank": rank,
            **_scores(
                predictions,
                fold,
                {fold[taxon] for taxon, flag in taxonomy.plankton.items() if flag},
            ),
        }
        for rank, fold in folds.items()
    ]


def _scores(predictions: CodedPredictions, fold: Mapping[str, str], plankton: set[str]) -> dict[str, object]:
    names, matrix, units = predictions.folded(fold)
    selected = np.array([name in plankton for name in names])
    totals = totals_of(matrix)
    n_objects = int((totals.support * selected).sum())
    low, high = interval_of(lambda counts: weighted_means(counts, selected), units, n_objects).T
    values = weighted_means(totals, selected)
    row: dict[str, object] = {"n_classes": int((totals.support * selected > 0).sum()), "n_objects": n_objects}
    for position, name in enumerate(("precision", "recall")):
        row |= {name: values[position], f"{name}_lo": low[position], f"{name}_hi": high[position]}
    return row
