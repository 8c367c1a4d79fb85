"""Scores of methods that divide classes into sub-classes, as in tables 1 and 2 of Venkataramanan et al. 2021.

"Tackling Inter-Class Similarity and Intra-Class Variance for Microscopic Image-based Classification" (ICVS 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..figures.sub_classes import false_negatives
from ..results.folded_classes import coded_predictions
from ..results.run_table import ends, means_with_intervals, run_table, with_ends
from ..results.section import runs_beside, tracks_of_figure
from ..scoring.intervals import interval_of
from ..scoring.proportions import category_intervals, design_effect
from .analysis import INTERVALS, Analysis
from .error_variance import error_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun

SUBCLASSES = "subclasses"  # of the chosen options in a card: number of sub-classes by class
MEASURES = ("accuracy", "macro_recall", "macro_precision", "macro_f1", "variance_fn", "variance_fp")
COLUMNS = (*with_ends(*MEASURES), "perfect_classes", "n_subclasses")
DRAWN = ("standard", "subclass-only", "subclass-triplet")
"""Methods of figure 3 of the paper; the best other tracks take the place of those without runs."""


class SubClasses(Analysis):
    """Scores, variances of errors and perfectly classified classes."""

    file = "sub-classes.csv"
    figure = "sub-classes"
    anchor = "sub-classes"
    title = "Sub-classes and triplets"
    description = (
        "Scores, variance over classes of false negatives (FN) and false positives (FP), each as a share of the test "
        "objects of the class, number of classes without a false negative, and number of sub-classes that the network "
        f"was trained on. {INTERVALS} Chance adds to variances. The figure shows the share of false negatives of each "
        "class, with the test objects of all runs pooled."
    )

    def applies(self, section: Section) -> bool:
        """Return whether a finished run of a section states sub-classes."""
        return any(states_subclasses(run) for run in section.runs)

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Return the scores of all finished runs of sections in which a run states sub-classes.

        Returns:
            One row for each run, with `run_table.KEYS`, `COLUMNS` and `reason`. Columns `_lo` and
            `_hi` are the ends of 95 % intervals: those of macro F1 are of `scores.csv`, those of macro recall and
            precision jackknife intervals over units, too; accuracy has that of a proportion, as in `calibration.csv`,
            and variances those of `EvennessOfErrors`. `perfect_classes` is the number of classes
            with test objects and no false negative, `n_subclasses` the number of sub-classes of all classes; it is
            missing if the card does not state it.

        """
        return run_table(runs_beside(runs, states_subclasses), COLUMNS, lambda run: [_row(run)])

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the paper's tables as means with intervals, and numbers of classes."""
        titles = {name: name.replace("_", " ").replace("f1", "F1") for name in MEASURES[:4]}
        titles |= {"variance_fn": "variance FN", "variance_fp": "variance FP"}
        tracks = rows.groupby("track")
        counts = {
            "perfect classes": tracks["perfect_classes"].mean().map("{:.1f}".format),
            "sub-classes": rows["n_subclasses"].astype(float).groupby(rows["track"]).mean().map(_count),
        }
        return means_with_intervals(rows, titles).join(pd.DataFrame(counts))

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - pooled over runs
        """Draw the false negatives of each class of up to three tracks, overlaid."""
        return false_negatives(tracks_of_figure(section, DRAWN))


def states_subclasses(run: StoredRun) -> bool:
    """Return whether a run is finished and its card states the number of sub-classes of each class."""
    return run.card.status == "done" and SUBCLASSES in (run.card.track.chosen or {})


def subclasses_of(run: StoredRun) -> dict[str, int]:
    """Return the number of sub-classes of each class from the card of a run; empty if it is not stated."""
    stated: dict[str, int] = (run.card.track.chosen or {}).get(SUBCLASSES, {})
    return stated


def perfect_classes(run: StoredRun) -> int:
    """Return the number of classes of a finished run that have test objects and no false negative."""
    predictions = run.predictions
    return int((predictions["taxon"] == predictions["predicted"]).groupby(predictions["taxon"]).all().sum())


def _row(run: StoredRun) -> dict[str, object]:
    predictions, scores, errors = coded_predictions(run), run.row(), error_columns(run)
    right = predictions.predicted == predictions.truth
    (accuracy,) = category_intervals(
        right, np.ones(len(right)), predictions.units, prior_effect=design_effect(right, predictions.units)
    )
    _, _, units = predictions.folded({name: name for name in predictions.classes})
    recall, precision = interval_of(
        lambda counts: np.stack([counts.macro(counts.recall), counts.macro(counts.precision)], axis=-1),
        units,
        len(right),
    )
    return {
        **{name: scores[name] for name in ("accuracy", "macro_recall", "macro_precision", *with_ends("macro_f1"))},
        **ends("accuracy", accuracy),
        **ends("macro_recall", recall),
        **ends("macro_precision", precision),
        **{name: errors[name] for name in with_ends("variance_fn", "variance_fp")},
        "perfect_classes": perfect_classes(run),
        "n_subclasses": sum(subclasses_of(run).values()) or None,
    }


def _count(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1f}"
