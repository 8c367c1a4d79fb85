"""Precision and recall of base and low-shot classes, as in tables 2 to 4 and figures 3 and 4 of Schröder et al. 2018.

"Low-Shot Learning of Plankton Categories" (GCPR 2018).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..figures.low_shot import scores_by_training_size
from ..results.class_groups import (
    BASE,
    LOW_SHOT,
    groups_by_split,
    groups_of,
    pooled_groups,
    split_key,
    stated_groups,
)
from ..results.folded_classes import coded_predictions
from ..results.run_table import ends, means_with_intervals, run_table, with_ends
from ..results.section import runs_beside, tracks_of_figure
from ..scoring.intervals import interval_of
from ..scoring.metrics import totals_of
from .analysis import Analysis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ..results.class_groups import ClassGroups, SplitKey
    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..scoring.metrics import Totals

SCORES = ("macro_precision", "macro_recall")
COLUMNS = (
    "group", *with_ends(*SCORES), "fit_seconds", "imprint_seconds", "n_classes", "base_fit_seconds",
)  # fmt: skip
DRAWN = ("imprint-mi", "imprint-mi-ft", "imprint-bl")
"""Methods of the paper's figures; the best other tracks take the place of those without runs."""


class LowShotClasses(Analysis):
    """Scores of base and low-shot classes, with times."""

    file = "low-shot.csv"
    figure = "low-shot"
    anchor = "low-shot"
    title = "Low-shot classes"
    description = (
        "Base classes have enough training objects to train a network on them, and low-shot classes are the others. "
        "Macro precision and recall of each group (a class that is never predicted has precision 0): mean over runs ± "
        "standard deviation over runs, in brackets the 95 % interval over samples, or over single objects if there are "
        "not several samples, whose ends are means over runs. Training is the time of the run itself; a run that "
        "continues another one also needs the training of that base model. In the figure, test objects of all runs are "
        "pooled, and the lines are LOWESS fits for each group. Classes without training objects are in neither group."
    )

    def applies(self, section: Section) -> bool:
        """Return whether a finished run of a section states base classes."""
        return any(stated_groups(run) is not None for run in section.runs)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Score base and low-shot classes, for all finished runs of sections in which a run states base classes.

        Returns:
            Two rows for each run, with `run_table.KEYS`, `COLUMNS` and `reason`. `macro_precision` and `macro_recall`
            are means over the `n_classes` classes of the group with test objects; columns `_lo` and `_hi` are the ends
            of their 95 % jackknife intervals over units, like those of macro F1. `fit_seconds` is the time of the run's
            own training, `imprint_seconds` that for computing the weights of low-shot classes, and `base_fit_seconds`
            that of the run that it continues.

        """
        beside = runs_beside(runs, lambda run: stated_groups(run) is not None)
        fit_seconds = {(run.card.track.name, split_key(run)): training_seconds(run) for run in beside}
        return run_table(beside, COLUMNS, partial(_rows, by_split=groups_by_split(runs), fit_seconds=fit_seconds))

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return precision and recall of each group as mean ± standard deviation with intervals, and seconds."""
        of_group = {
            group: means_with_intervals(
                rows[rows["group"] == group],
                {name: f"{group} {name.removeprefix('macro_')}" for name in SCORES},
                with_deviations=True,
            )
            for group in (BASE, LOW_SHOT)
        }
        runs = rows.drop_duplicates(["track", "split", "seed"])
        seconds = {
            "training, s": runs["fit_seconds"],
            "imprinting, s": runs["imprint_seconds"],
            "base model, s": runs["base_fit_seconds"],
        }
        times = {title: values.astype(float).groupby(runs["track"]).agg(_seconds) for title, values in seconds.items()}
        return of_group[BASE].join([of_group[LOW_SHOT], pd.DataFrame(times)])

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - pooled over runs
        """Draw precision and recall of each class against its number of training objects, for up to three tracks."""
        groups = pooled_groups(section)
        if groups is None:
            return None
        return scores_by_training_size(tracks_of_figure(section, DRAWN), section.training_sizes, groups)


def group_scores(totals: Totals, groups: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Return macro precision and macro recall over the classes of each group that have support.

    Args:
        totals: counts of shape (..., n_classes).
        groups: which classes belong to each group, of shape (n_groups, n_classes).

    Returns:
        float64 of shape (..., 2 n_groups): precision and recall of the first group, then of the next; NaN without
        support.

    """
    of_group = [totals.of_classes(selected) for selected in groups]
    return np.stack([one.macro(score) for one in of_group for score in (one.precision, one.recall)], axis=-1)


def training_seconds(run: StoredRun) -> float | None:
    """Return the training time of a run, without base runs; with earlier attempts if the card states it."""
    stated: float | None = (run.card.track.chosen or {}).get("training_seconds")
    return run.card.cost.fit_seconds if stated is None else stated


def _rows(
    run: StoredRun,
    by_split: Mapping[SplitKey, Sequence[ClassGroups]],
    fit_seconds: Mapping[tuple[str, SplitKey], float | None],
) -> Rows | str:
    groups = groups_of(run, by_split)
    if isinstance(groups, str):
        return groups
    times = {
        "fit_seconds": training_seconds(run),
        "imprint_seconds": (run.card.track.chosen or {}).get("imprint_seconds"),
        "base_fit_seconds": fit_seconds.get((run.card.track.continues, split_key(run))),
    }
    predictions = coded_predictions(run)
    names, matrix, units = predictions.folded({name: name for name in predictions.classes})
    selected = [np.isin(names, list(members)) for members in groups.classes().values()]
    totals = totals_of(matrix)
    support = [totals.of_classes(one).support for one in selected]
    values = group_scores(totals, selected)
    bounds = interval_of(
        lambda counts: group_scores(counts, selected), units, np.repeat([one.sum() for one in support], 2)
    )
    rows: Rows = []
    for position, group in enumerate(groups.classes()):
        n_classes = int((support[position] > 0).sum())
        row: dict[str, object] = {"group": group, **times, "n_classes": n_classes}
        for name, score in zip(SCORES, range(2 * position, 2 * position + 2), strict=True):
            row |= {name: values[score], **ends(name, bounds[score])}
        rows.append(row | ({} if n_classes else {"reason": f"no {group} class has test objects"}))
    return rows


def _seconds(values: pd.Series) -> str:
    """Return the mean number of seconds ± standard deviation over runs as text; a dash if it is not known."""
    mean, deviation = values.mean(), values.std()
    if np.isnan(mean):
        return "–"
    digits = 0 if mean >= 100 else 1 if mean >= 10 else 2  # noqa: PLR2004 - three significant digits
    return f"{mean:.{digits}f}" + ("" if np.isnan(deviation) else f" ± {deviation:.{digits}f}")
