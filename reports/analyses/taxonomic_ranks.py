"""Scores by taxonomic rank: confusing two copepods is not an error at the rank of copepods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ..figures.style import canvas, finish, track_colours, tracks_shown
from ..results.folded_classes import coded_predictions
from ..results.run_table import means_with_intervals, run_table
from ..results.taxonomy import taxonomy_of
from ..scoring.intervals import interval_of
from ..scoring.metrics import METRICS, totals_of
from .analysis import INTERVALS, Analysis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.figure import Figure

    from ..results.folded_classes import CodedPredictions
    from ..results.run_table import Rows
    from ..results.section import Section
    from ..results.stored_run import StoredRun
    from ..results.taxonomy import Taxonomy

COLUMNS = (
    "rank", "lineages", "n_classes", "n_objects", "macro_f1", "macro_f1_lo", "macro_f1_hi", "accuracy",
    "balanced_accuracy", "signature",
)  # fmt: skip


class TaxonomicRanks(Analysis):
    """Scores at each rank of the taxonomy."""

    file = "ranks.csv"
    title = "Scores by taxonomic rank"
    description = (
        "Macro F1 with classes folded into their ancestors. Rank 1 is the first name of a lineage, group the broader "
        "groups of the manifest, and taxon the classes themselves. Confusion within a branch is not an error if the "
        f"branch is a single class. {INTERVALS}"
    )
    figure = "ranks"

    def table(self, runs: Sequence[StoredRun]) -> pd.DataFrame:
        """Score all finished runs at each rank of the taxonomy.

        Returns:
            One row for each run and rank, with `run_table.KEYS`, `COLUMNS` and `reason`. `rank` is a number, `group` or
            `taxon`; ranks that do not split any class of the rank above are left out. Ranks are levels of the lineages;
            in EcoTaxa's tree these are not Linnaean ranks. `lineages` is the source of the lineages (`manifest` or
            `truth`), `n_classes` the number of classes with test objects.

        """
        return run_table(runs, COLUMNS, _rows)

    def summary(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return macro F1 at each rank."""
        ranks = rows.dropna(subset=["macro_f1"]).groupby("rank", sort=False)
        columns = [means_with_intervals(of_rank, {"macro_f1": f"macro F1, {rank}"}) for rank, of_rank in ranks]
        return pd.concat(columns, axis=1) if columns else pd.DataFrame()

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:
        """Draw macro F1 by taxonomic rank for the best tracks, as means over runs."""
        known = rows.dropna(subset=["macro_f1"])
        if known.empty:
            return None
        names = tracks_shown(section)
        ranks = list(dict.fromkeys(known["rank"]))
        classes = known.groupby("rank")["n_classes"].max().astype(int)
        means = known.pivot_table("macro_f1", "track", "rank")[ranks].reindex(list(names))
        figure, axes = canvas(7.5, 4.2)
        for colour, (name, values) in zip(track_colours(names), means.iterrows(), strict=True):
            axes.plot(range(len(ranks)), values, "o-", color=colour, label=str(name), markersize=4, linewidth=1.2)
        axes.set_xticks(range(len(ranks)), [f"{rank}\n{classes[rank]}" for rank in ranks])
        axes.set(
            xlabel="rank (1 is directly below the root) and number of classes",
            ylabel="macro F1, mean over runs",
            ylim=(0, 1),
        )
        finish(axes)
        return figure


def _rows(run: StoredRun) -> Rows | str:
    taxonomy = taxonomy_of(run)
    if not taxonomy.source:
        return f"neither the manifest nor the truth of {run.card.data.name} has lineages"
    predictions, signature = coded_predictions(run), run.score.signature if run.score is not None else ""
    common = {"lineages": taxonomy.source, "n_objects": len(predictions.truth)}
    return [
        {
            **common,
            "rank": rank,
            "signature": f"{signature}|rank:{rank}@{taxonomy.source}",
            **_scores(predictions, fold),
        }
        for rank, fold in folds(taxonomy)
    ]


def _scores(predictions: CodedPredictions, fold: Mapping[str, str]) -> dict[str, object]:
    _, matrix, units = predictions.folded(fold)
    totals = totals_of(matrix)
    ((low, high),) = interval_of(lambda counts: counts.macro(counts.f1)[..., None], units, int(matrix.sum()))
    return {
        "n_classes": int((totals.support > 0).sum()),
        "macro_f1": float(totals.macro(totals.f1)),
        "macro_f1_lo": low,
        "macro_f1_hi": high,
        "accuracy": float(totals.accuracy),
        "balanced_accuracy": float(METRICS["balanced_accuracy"](totals)),
    }


def folds(taxonomy: Taxonomy) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each rank with a mapping from taxa to classes: numbered ranks from the root down, `group`, `taxon`.

    Numbered ranks are left out if they have a single class, no more classes than the rank above, or as many classes as
    there are taxa.
    """
    n_classes = 1
    for rank in range(1, taxonomy.depth + 1):
        fold = taxonomy.folded(rank)
        if n_classes < len(set(fold.values())) < len(fold):
            n_classes = len(set(fold.values()))
            yield str(rank), fold
    if taxonomy.groups:
        yield "group", taxonomy.groups
    yield "taxon", {taxon: taxon for taxon in taxonomy.places}
