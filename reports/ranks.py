"""Scores folded up the taxonomy: a copepod taken for another copepod is no mistake at the rank of copepods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .predictions import DEFAULT_GROUP, Labels
from .results import PREDICTIONS
from .run_table import run_table
from .score import DRAWS, score_labels
from .taxonomy import taxonomy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from .results import StoredRun
    from .run_table import Rows
    from .score import Score
    from .taxonomy import Taxonomy

RANKS = "ranks.csv"
RANKS_SHOW = (
    "Macro F1 when classes are folded into their ancestors: rank 1 is the first name of a lineage, group the broader "
    "groups of the manifest, taxon the classes themselves. What a method confuses within a branch is no mistake once "
    "the branch is one class."
)
COLUMNS = (
    "rank", "lineages", "n_classes", "n_objects", "macro_f1", "macro_f1_lo", "macro_f1_hi", "accuracy",
    "balanced_accuracy", "signature",
)  # fmt: skip


def ranks_table(runs: Iterable[StoredRun]) -> pd.DataFrame:
    """Score all finished runs at each rank of the taxonomy.

    Args:
        runs: of a results folder.

    Returns:
        One row for each run and rank, with `run_table.KEYS`, `COLUMNS` and `reason`. `rank` is a number, `group` or
        `taxon`; ranks at which no two classes part that were one at the rank above are left out. Ranks are those of
        the lineages, which in EcoTaxa's tree are no Linnaean ones. `lineages` tells where they come from (`manifest`
        or `truth`), `n_classes` how many classes have test objects.

    """
    return run_table(runs, COLUMNS, _rows)


def _rows(run: StoredRun) -> Rows | str:
    taxonomy = taxonomy_of(run)
    if not taxonomy.source:
        return f"neither the manifest nor the truth of {run.card.dataset} tells lineages"
    found = [_row(rank, taxonomy.source, folded_score(run, fold, rank)) for rank, fold in folds(taxonomy)]
    return [*found, _row("taxon", taxonomy.source, run.score)] if run.score is not None else found


def _row(rank: str, source: str, found: Score) -> dict[str, object]:
    low, high = found.macro_f1_interval
    return {
        "rank": rank,
        "lineages": source,
        "n_classes": found.classes_scored,
        "n_objects": found.n_objects,
        "macro_f1": found.macro_f1,
        "macro_f1_lo": low,
        "macro_f1_hi": high,
        "accuracy": found.accuracy,
        "balanced_accuracy": found.balanced_accuracy,
        "signature": found.signature,
    }


def folds(taxonomy: Taxonomy) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ranks with the class that each taxon is folded into, from the root down, then the groups of the manifest.

    A rank that parts nothing is left out: the first one when all classes are one there, and the last ones when they
    part all classes.
    """
    parts = 1
    for rank in range(1, taxonomy.depth + 1):
        fold = taxonomy.folded(rank)
        if parts < len(set(fold.values())) < len(fold):
            parts = len(set(fold.values()))
            yield str(rank), fold
    if taxonomy.groups:
        yield "group", taxonomy.groups


def folded_score(run: StoredRun, fold: Mapping[str, str], rank: str) -> Score:
    """Score a finished run with its classes folded into others.

    Args:
        run: a finished run.
        fold: for each class of the run the class that it becomes.
        rank: what the folding is called in the signature.

    Returns:
        The score over the folded classes, with intervals as those of any score; its signature ends with the rank.

    """
    calls = run.calls
    known = calls.drop(columns="called").assign(taxon=calls["taxon"].map(fold))
    given = calls[["object_id"]].assign(taxon=calls["called"].map(fold))
    truth = Labels(str(run.truth_path), known, DEFAULT_GROUP if "group" in known else None, ())
    predicted = Labels(str(run.folder / PREDICTIONS), given, None, ())
    classes = sorted(set(fold.values()))
    found = score_labels(truth, predicted, classes, draws=DRAWS, seed=run.card.seed, context=run.context)
    return replace(found, signature=f"{found.signature}|rank:{rank}")
