"""Scores with and without classes that were withheld from training and validation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import listed
from ..results.folded_classes import coded_predictions
from ..results.run_table import ends, means_with_intervals, run_table, with_ends
from ..scoring.intervals import interval_of
from ..scoring.metrics import totals_of
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

MEASURES = {
    "macro_f1": "macro F1",
    "macro_f1_seen": "without withheld classes",
    "macro_f1_of_seen": "of seen classes, among all objects",
    "recall_withheld": "macro recall of withheld classes",
}
"""Title of each measure, by column."""

COLUMNS = ("n_withheld", "n_objects", "n_objects_withheld", *with_ends(*MEASURES), "signature", "signature_seen")


class WithheldClasses(Analysis):
    """Macro F1 with and without withheld classes, and recall of these."""

    file = "withheld.csv"
    title = "Withheld classes"
    description = (
        "Classes that are absent from training and validation and present in test. Macro F1 counts them as all others. "
        "Without withheld classes, it is that of the test objects of the seen classes alone; in the next column, it is "
        "the mean over seen classes among all test objects, so that an object of a withheld class lowers the precision "
        f"of the class that it is predicted as. {INTERVALS}"
    )

    def applies(self, section: Section) -> bool:
        """Return whether a section has withheld classes and a finished track."""
        return bool(section.done and section.withheld)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Score all finished runs with and without withheld classes.

        Returns:
            One row for each run with withheld classes, with `run_table.KEYS`, `COLUMNS` and `reason`: the number of
            withheld classes, of test objects, and of those of withheld classes; macro F1 over all classes with test
            objects; the same on the test objects of seen classes only (`macro_f1_seen`); the mean F1 of the seen
            classes among all test objects (`macro_f1_of_seen`); the mean recall of the withheld classes with test
            objects (`recall_withheld`). Intervals are 95 % jackknife intervals over samples, or over objects if there
            are no samples.

        """
        return run_table([run for run in runs if run.card.data.withheld], COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return all measures."""
        return means_with_intervals(rows, MEASURES)

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:
        """Name the withheld classes with their test objects, and state why values are missing."""
        tested = section.done[0].per_class.set_index("taxon")["support"]
        named = [f"{taxon} ({int(tested.get(taxon, 0)):,} test objects over all runs)" for taxon in section.withheld]
        return [f"Withheld: {listed(named, len(named))}.", *super().remarks(section, rows)]


def _rows(run: StoredRun) -> Rows:
    coded = coded_predictions(run)
    names, matrix, units = coded.folded({name: name for name in coded.classes})
    withheld = np.isin(names, run.card.data.withheld)
    totals = totals_of(matrix)
    support = totals.support.astype(np.int64)
    row: dict[str, object] = {
        "n_withheld": int(withheld.sum()),
        "n_objects": int(support.sum()),
        "n_objects_withheld": int(support[withheld].sum()),
    }
    for suffix, score in (("", run.score), ("_seen", run.seen_score)):
        if score is not None:
            row |= {f"macro_f1{suffix}": score.macro_f1, f"signature{suffix}": score.signature}
            row |= ends(f"macro_f1{suffix}", np.array(score.macro_f1_interval))
    measures: dict[str, tuple[Callable[[Totals], NDArray[np.float64]], int]] = {
        "macro_f1_of_seen": (lambda counts: mean_over(counts.f1, counts, ~withheld), int(support.sum())),
        "recall_withheld": (lambda counts: mean_over(counts.recall, counts, withheld), int(support[withheld].sum())),
    }
    for name, (measure, n_objects) in measures.items():
        (bounds,) = interval_of(measure, units, n_objects)
        row |= {name: float(measure(totals)[0]), **ends(name, bounds)}
    return [row]


def mean_over(values: NDArray[np.float64], totals: Totals, selected: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean of a score over selected classes with support.

    Args:
        values: the score of each class, float64 of shape (..., n_classes).
        totals: counts of the same shape.
        selected: whether each class is included, of shape (n_classes,).

    Returns:
        float64 of shape (..., 1); NaN if none of the selected classes has objects.

    """
    return replace(totals, support=totals.support * selected).macro(values)[..., None]
