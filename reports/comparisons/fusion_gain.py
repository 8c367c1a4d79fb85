"""Gain of fusions: each compared on test rows with its best base model, which is selected on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ..run_files.run_folder import VALID
from .paired_evaluation import Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from ..results.stored_run import StoredRun
    from ..run_files.card import Card
    from .comparison import Comparison
    from .leaderboard import Leaderboard
    from .paired_evaluation import PairedEvaluation

FUSION = "fusion.csv"
COLUMNS = (
    "dataset", "track", "best_single", "delta", "lo", "hi", "verdict", "conclusion", "split", "seed", "n_runs",
    "macro_f1", "macro_f1_single", "p_value",
)  # fmt: skip
RunKey = tuple[str, str, int]
"""Track, split and seed of a run."""
VERDICTS = {"a": "better", "b": "worse", "tie": "tie"}


def fusion_table(leaderboards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Compare every finished fusion with its best base model.

    Args:
        leaderboards: leaderboards of all sections, with the base runs.

    Returns:
        One row for each run of a fusion and, if there are several, one for all of them, with `COLUMNS`: `best_single`
        is the base model with the highest macro F1 on validation rows, mean over runs; `delta` is the macro F1 of the
        fusion minus that of `best_single` on test rows; `lo` and `hi` are the bounds of its 95 % interval; `verdict` is
        better, worse or tie, and `conclusion` distinguishes ties that are inconclusive. In the row for all runs `split`
        has no fold, `seed` is missing, and `n_runs` is their number. Fusions with a missing base run, or one without
        predictions for validation rows, have no row.

    """
    rows = [row for leaderboard in leaderboards for row in _rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seed": "Int64"})


def _rows(leaderboard: Leaderboard) -> Iterator[dict[str, object]]:
    finished = {_key(run, run.card.track.name): run for run in leaderboard.section.runs if run.card.status == "done"}
    for track in leaderboard.section.done:
        runs = [(run, _base_runs(run, finished)) for run in track.runs if run.card.status == "done"]
        compared = [(run, base_runs) for run, base_runs in runs if base_runs]
        if not compared:
            continue
        single = _best_on_validation([base_runs for _, base_runs in compared])
        for run, base_runs in compared:
            yield _row(run.card, compare_runs([(run, base_runs[single])]), run.card.split.name, run.card.split.seed)
        if len(compared) > 1:
            found = _over_runs(leaderboard.evaluation, [(run, base_runs[single]) for run, base_runs in compared])
            yield _row(track.card, found, leaderboard.section.split, None)


def _over_runs(evaluation: PairedEvaluation | None, runs: Sequence[tuple[StoredRun, StoredRun]]) -> Comparison:
    """Compare a fusion with a base model over all their runs: on the leaderboard, unless it lacks one of these."""
    fusion, single = (run.card.track.name for run in runs[0])
    if evaluation is None or len(evaluation.tables) != len(runs) or not {fusion, single} <= set(evaluation.names):
        return compare_runs(runs)
    return evaluation.compare(evaluation.names.index(fusion), evaluation.names.index(single))


def _base_runs(run: StoredRun, finished: Mapping[RunKey, StoredRun]) -> dict[str, StoredRun]:
    """Return the base runs of a fusion by track; none if one of them, or its validation predictions, are missing."""
    found = {name: finished.get(_key(run, name)) for name in run.card.track.base_runs}
    complete = {name: base_run for name, base_run in found.items() if base_run is not None and has_valid(base_run)}
    return complete if len(complete) == len(found) else {}


def _best_on_validation(runs: Sequence[Mapping[str, StoredRun]]) -> str:
    """Return the base model with the highest macro F1 on validation rows, mean over runs; ties by name."""
    means = {
        name: sum(valid_macro_f1(base_runs[name]) for base_runs in runs) / len(runs)
        for name in set.intersection(*(set(base_runs) for base_runs in runs))
    }
    return max(means, key=lambda name: (means[name], name))


def _key(run: StoredRun, track: str) -> RunKey:
    return track, run.card.split.name, run.card.split.seed


def _row(card: Card, comparison: Comparison, split: str, seed: int | None) -> dict[str, object]:
    low, high = comparison.interval
    return {
        "dataset": card.data.name,
        "track": comparison.a,
        "best_single": comparison.b,
        "delta": comparison.delta,
        "lo": low,
        "hi": high,
        "verdict": VERDICTS[comparison.verdict],
        "conclusion": comparison.conclusion,
        "split": split,
        "seed": seed,
        "n_runs": len(comparison.deltas),
        "macro_f1": comparison.macro_f1_a,
        "macro_f1_single": comparison.macro_f1_b,
        "p_value": comparison.p_value,
    }


def decisive(table: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each fusion of a section that decides: the one over most runs."""
    return table.sort_values("n_runs", kind="stable").groupby("track", sort=False).tail(1)


def has_valid(run: StoredRun) -> bool:
    """Return whether a run stored predictions for validation rows, which exported runs may lack."""
    return (run.folder / VALID).is_file()


def valid_macro_f1(run: StoredRun) -> float:
    """Return macro F1 of a run on its validation rows, averaged over the classes that occur in them."""
    from sklearn.metrics import f1_score

    predicted = pd.read_parquet(run.folder / VALID, columns=["object_id", "taxon"]).set_index("object_id")["taxon"]
    truth = run.truth[run.truth["part"] == "valid"].set_index("object_id")["taxon"]
    labels = sorted(set(truth))
    return float(f1_score(truth, predicted.loc[truth.index], labels=labels, average="macro", zero_division=0))


def compare_runs(pairs: Sequence[tuple[StoredRun, StoredRun]]) -> Comparison:
    """Compare two tracks by their finished runs, in pairs on the same test rows."""
    names = [run.card.track.name for run in pairs[0]]
    tables = [[run.predictions for run in pair] for pair in pairs]
    return paired_evaluation(names, [first for first, _ in pairs], tables, Resampling()).compare(0, 1)


def in_words(table: pd.DataFrame) -> list[str]:
    """Summarise the gain of each fusion of a data set in one sentence, largest gain first."""
    rows = decisive(table).sort_values("delta", ascending=False, kind="stable")
    return [_sentence(row) for row in rows.to_dict("records")]


def _sentence(row: dict[Hashable, Any]) -> str:
    ends = {"better": "a significant gain", "worse": "a significant loss", "tie": "no difference detected"}
    end = "inconclusive" if row["conclusion"] == "inconclusive" else ends[row["verdict"]]
    over = f", mean over {row['n_runs']} runs" if row["n_runs"] > 1 else ""
    return (
        f"{row['track']} against {row['best_single']}, its best base model on validation rows: {row['delta']:+.3f} "
        f"macro F1 [{row['lo']:+.3f}, {row['hi']:+.3f}]{over}, {end}."
    )
