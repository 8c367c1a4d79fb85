"""Precision and recall of plankton alone, as the field's reference benchmark weights them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.errors import listed
from ...data_manifests.seeds import derived_seed
from ..results.folded_classes import coded_predictions
from ..results.run_table import run_table, track_means
from ..results.taxonomy import taxonomy_of
from ..scoring.bootstrap import interval_of
from ..scoring.metrics import totals_of
from ..scoring.score import DRAWS
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from ..results.folded_classes import CodedPredictions
    from ..results.run_table import Rows
    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

PLANKTON = "plankton.csv"
COLUMNS = (
    "rank", "n_classes", "n_objects", "precision", "precision_lo", "precision_hi", "recall", "recall_lo", "recall_hi",
)  # fmt: skip


def weighted_means(totals: Totals, among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return precision and recall over some classes, each class weighted by its support.

    The same as scikit-learn's `precision_recall_fscore_support` with `labels` and `average="weighted"`, which
    github.com/ThelmaPana/plankton_classif (06.write_metrics.py) calls plankton precision and plankton recall.

    Args:
        totals: counts of shape (..., n_classes).
        among: which classes, of shape (n_classes,).

    Returns:
        float64 of shape (..., 2); NaN where these classes have no objects.

    """
    support = totals.support * among
    of_all = support.sum(axis=-1)
    sums = [(values * support).sum(axis=-1) for values in (totals.precision, totals.recall)]
    return np.stack(
        [np.divide(value, of_all, out=np.full_like(value, np.nan), where=of_all > 0) for value in sums], axis=-1
    )


def plankton_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Score plankton alone, for all finished runs.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run and rank (`taxon`: the classes; `group`: the broader groups of the manifest, of which those
        are plankton that hold a class that is, as in the reference benchmark), with `run_table.KEYS`, `COLUMNS` and
        `reason`. The manifest says which classes are plankton. `n_classes` and `n_objects` count those with test
        objects. Intervals are those of any score: percentiles of 95 % over resampled samples, or objects where there
        are none.

    """
    return run_table(runs, COLUMNS, _rows)


def _rows(run: StoredRun) -> Rows | str:
    taxonomy = taxonomy_of(run)
    unknown = set(run.card.data.classes) - set(taxonomy.plankton)
    if unknown:
        unclear = "any class" if len(unknown) == len(run.card.data.classes) else listed(sorted(unknown))
        return f"the manifest of {run.card.data.name} does not state whether {unclear} is plankton"
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
                run.card.split.seed,
            ),
        }
        for rank, fold in folds.items()
    ]


def _scores(predictions: CodedPredictions, fold: Mapping[str, str], plankton: set[str], seed: int) -> dict[str, object]:
    names, matrix, units = predictions.folded(fold)
    among = np.array([name in plankton for name in names])
    totals = totals_of(matrix)
    rng = np.random.default_rng(derived_seed(purpose="plankton", seed=seed))
    low, high = interval_of(lambda drawn: weighted_means(drawn, among), units, DRAWS, rng).T
    values = weighted_means(totals, among)
    row: dict[str, object] = {
        "n_classes": int((totals.support * among > 0).sum()),
        "n_objects": int((totals.support * among).sum()),
    }
    for position, name in enumerate(("precision", "recall")):
        row |= {name: values[position], f"{name}_lo": low[position], f"{name}_hi": high[position]}
    return row


def _plankton(rows: pd.DataFrame) -> pd.DataFrame:
    of_classes = rows[rows["rank"] == "taxon"]
    return track_means(of_classes, {"precision": "precision of plankton", "recall": "recall of plankton"})


PLANKTON_ALONE = Analysis(
    PLANKTON,
    "Plankton alone",
    (
        "Precision and recall over plankton only, each class weighted by its number of test objects. Detritus, "
        "bubbles and other non-living objects count only where they are predicted as plankton."
    ),
    plankton_table,
    summary=_plankton,
)
