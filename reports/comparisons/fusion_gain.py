"""Gain of fusions: each compared on test rows with its best base model, which is selected on validation rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..run_files.run_folder import VALID
from ..scoring.estimate import LEVEL
from .common_runs import run_key
from .over_datasets import holm
from .paired_evaluation import Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from ..results.stored_run import StoredRun
    from .comparison import Comparison
    from .leaderboard import Leaderboard

FUSION = "fusion.csv"
COLUMNS = (
    "dataset", "track", "best_single", "delta", "lo", "hi", "verdict", "conclusion", "split", "seed", "n_runs",
    "macro_f1", "macro_f1_single", "p_value", "p_holm",
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
        has no fold, `seed` is missing, and `n_runs` is their number. The row that decides, over all runs, has `p_holm`,
        adjusted for all fusions of the section by Holm's method; its verdict is a tie if that is above 0.05.

        Fusions with a missing base run, or one without predictions for validation rows, have no row. If the runs of a
        fusion have no base model in common, each is compared with its own best one, and no row decides.

    """
    rows = [row for leaderboard in leaderboards for row in _rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seed": "Int64", "p_holm": "float64"})


def _rows(leaderboard: Leaderboard) -> list[dict[str, object]]:
    finished = {_key(run, run.card.track.name): run for run in leaderboard.section.runs if run.card.status == "done"}
    rows: list[dict[str, object]] = []
    deciding = []
    for track in leaderboard.section.done:
        found = [(run, _base_runs(run, finished)) for run in track.runs if run.card.status == "done"]
        complete = [(run, base_runs) for run, base_runs in found if base_runs]
        have_one_in_common = bool(complete and set.intersection(*(set(base_runs) for _, base_runs in complete)))
        for runs in [complete] if have_one_in_common else [[one] for one in complete]:
            single = _best_on_validation([base_runs for _, base_runs in runs])
            pairs = [(run, base_runs[single]) for run, base_runs in runs]
            rows += [_row(compare_runs([pair]), pair[0], pair[0].card.split.seed) for pair in pairs]
            if len(runs) > 1:
                rows.append(_row(_over_runs(leaderboard, pairs), pairs[0][0], None))
        if have_one_in_common:
            deciding.append(rows[-1])
    _adjust(deciding)
    return rows


def _over_runs(leaderboard: Leaderboard, runs: Sequence[tuple[StoredRun, StoredRun]]) -> Comparison:
    """Compare a fusion with a base model over all their runs: as on the leaderboard, if that has the same runs."""
    fusion, single = (run.card.track.name for run in runs[0])
    evaluation, same_runs = leaderboard.evaluation, {run_key(run) for run, _ in runs} == set(leaderboard.runs)
    if evaluation is None or not same_runs or not {fusion, single} <= set(evaluation.names):
        return compare_runs(runs)
    return evaluation.compare(evaluation.names.index(fusion), evaluation.names.index(single))


def _adjust(rows: Sequence[dict[str, Any]]) -> None:
    """Add the p-values adjusted for all fusions, one row each; a difference that is not significant is a tie."""
    adjusted = holm(np.array([row["p_value"] for row in rows], np.float64))
    for row, p_holm in zip(rows, adjusted.tolist(), strict=True):
        row["p_holm"] = p_holm
        row["verdict"] = row["verdict"] if p_holm <= 1 - LEVEL else VERDICTS["tie"]


def _base_runs(run: StoredRun, finished: Mapping[RunKey, StoredRun]) -> dict[str, StoredRun]:
    """Return the base runs of a fusion by track; none if one of them, or its validation predictions, are missing."""
    found = {name: finished.get(_key(run, name)) for name in run.card.track.fused_runs}
    complete = {name: base_run for name, base_run in found.items() if base_run is not None and has_valid(base_run)}
    return complete if len(complete) == len(found) else {}


def _best_on_validation(runs: Sequence[Mapping[str, StoredRun]]) -> str:
    """Return the base model with the highest macro F1 on validation rows, mean over runs; ties by name.

    Args:
        runs: base runs of each run of a fusion, which have at least one base model in common.

    """
    means = {
        name: sum(valid_macro_f1(base_runs[name]) for base_runs in runs) / len(runs)
        for name in set.intersection(*(set(base_runs) for base_runs in runs))
    }
    return min(means, key=lambda name: (-means[name], name))


def _key(run: StoredRun, track: str) -> RunKey:
    return track, run.card.split.name, run.card.split.seed


def _row(comparison: Comparison, run: StoredRun, seed: int | None) -> dict[str, object]:
    """Return the row of a run of a fusion or, without a seed, of all its runs."""
    low, high = comparison.interval
    return {
        "dataset": run.card.data.name,
        "track": comparison.a,
        "best_single": comparison.b,
        "delta": comparison.delta,
        "lo": low,
        "hi": high,
        "verdict": VERDICTS[comparison.verdict],
        "conclusion": comparison.conclusion,
        "split": run.card.split.plan if seed is None else run.card.split.name,
        "seed": seed,
        "n_runs": len(comparison.deltas),
        "macro_f1": comparison.macro_f1_a,
        "macro_f1_single": comparison.macro_f1_b,
        "p_value": comparison.p_value,
    }


def decisive(table: pd.DataFrame) -> pd.DataFrame:
    """Return the row of each fusion that decides: the one over all its runs."""
    return table.dropna(subset=["p_holm"])


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
    ties = {"different": "not significant with Holm's correction for all fusions", "inconclusive": "inconclusive"}
    ends = {"better": "a significant gain", "worse": "a significant loss"}
    end = ends.get(row["verdict"]) or ties.get(row["conclusion"], "no difference detected")
    over = f", mean over {row['n_runs']} runs" if row["n_runs"] > 1 else ""
    return (
        f"{row['track']} against {row['best_single']}, its best base model on validation rows: {row['delta']:+.3f} "
        f"macro F1 [{row['lo']:+.3f}, {row['hi']:+.3f}]{over}, {end}."
    )
