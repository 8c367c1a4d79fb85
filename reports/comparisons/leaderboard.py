"""Leaderboard of a data set: pairwise comparisons of all tracks on the same draws, and rank groups instead of ranks.

A rank claims more than the test objects support: it orders even methods whose difference may be due to chance. The
first group consists of the best track and all tracks whose paired interval of the difference from it contains zero; the
best of the remaining tracks leads the next group, and so on. Tracks of a group are not necessarily equivalent: they
were compared with the leader of the group and may differ from each other (see `comparisons.csv`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .comparison import OBJECT
from .paired_evaluation import PairedEvaluation, Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun
    from .comparison import Comparison
    from .paired_bootstrap import Resampled

COMPARISONS, LEADERBOARD = "comparisons.csv", "leaderboard.csv"
COMPARISON_COLUMNS = (
    "dataset", "split", "simulated", "a", "b", "macro_f1_a", "macro_f1_b", "delta", "lo", "hi", "p_value", "verdict",
    "n_objects", "n_clusters", "resampled", "detectable_difference", "n_runs", "design", "seeds_sd", "splits_lo",
    "splits_hi", "splits_p_value", "accuracy_a", "accuracy_b", "only_a_right", "only_b_right", "mcnemar_p_value",
    "signature",
)  # fmt: skip
LEADERBOARD_COLUMNS = (
    "dataset", "split", "simulated", "group", "track", "macro_f1", "macro_f1_lo", "macro_f1_hi", "delta_to_best",
    "lo", "hi", "p_value", "n_runs", "design", "n_objects", "n_clusters", "resampled", "detectable_difference",
    "reason",
)  # fmt: skip
RunKey = tuple[str, int, str]
"""Split, seed and data hash of a run."""


@dataclass(frozen=True)
class Leaderboard:
    """Leaderboard of a data set under one split.

    Attributes:
        section: results of the data set and split.
        evaluation: tracks with all runs, sorted by mean macro F1, best first; None if no track has a finished run.
        incomplete: reasons why other tracks are not compared, by track name.

    """

    section: Section
    evaluation: PairedEvaluation | None
    incomplete: dict[str, str]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Comparisons of all pairs of tracks, with the better track first."""
        evaluation = self.evaluation
        if evaluation is None:
            return []
        return [evaluation.compare(a, b) for a, b in combinations(range(len(evaluation.names)), 2)]

    @cached_property
    def groups(self) -> dict[str, int]:
        """Rank group of each compared track, starting at 1."""
        return (
            {}
            if self.evaluation is None
            else dict(zip(self.evaluation.names, rank_groups(self.evaluation.resampled), strict=True))
        )

    @property
    def detectable_difference(self) -> float:
        """Smallest detectable difference on these objects, median over pairs of tracks; NaN without a pair."""
        values = [one.detectable_difference for one in self.comparisons if one.detectable_difference > 0]
        return float(np.median(values)) if values else float("nan")


def leaderboards_of(sections: Sequence[Section], resampling: Resampling | None = None) -> list[Leaderboard]:
    """Compare the tracks of each section.

    Tracks are compared on the runs (split, seed, data hash) that most of them have. A track that lacks one of these is
    excluded, because its mean would be over different runs.
    """
    return [_leaderboard_of(section, resampling or Resampling()) for section in sections]


def _leaderboard_of(section: Section, resampling: Resampling) -> Leaderboard:
    found = {track.name: _finished_runs(track) for track in section.tracks}
    keys = _most_common([frozenset(runs) for runs in found.values() if runs])
    names = [name for name, runs in found.items() if keys and keys <= runs.keys()]
    incomplete = {
        name: f"{len(keys & runs.keys())} of {len(keys)} runs on the same data are done"
        for name, runs in found.items()
        if name not in names
    }
    if not names:
        return Leaderboard(section, None, incomplete)
    runs = [[found[name][key] for name in names] for key in sorted(keys)]
    return Leaderboard(section, _evaluation(names, runs, resampling), incomplete)


def _finished_runs(track: TrackResult) -> dict[RunKey, StoredRun]:
    done = [run for run in track.runs if run.card.status == "done"]
    return {(run.card.split.name, run.card.split.seed, run.card.data.sha256): run for run in done}


def _most_common(sets: Sequence[frozenset[RunKey]]) -> frozenset[RunKey]:
    """Return the set of runs that most tracks have; ties are broken by size, then by sort order."""
    counts = Counter(sets)
    best = max(((count, len(one)) for one, count in counts.items()), default=(0, 0))
    return min((one for one, count in counts.items() if (count, len(one)) == best), key=sorted, default=frozenset())


def _evaluation(names: Sequence[str], runs: Sequence[Sequence[StoredRun]], resampling: Resampling) -> PairedEvaluation:
    """Return the evaluation of the tracks, sorted by mean macro F1, best first, and then by name."""
    means = np.mean([[run.score.macro_f1 for run in row if run.score is not None] for row in runs], axis=0)
    order = sorted(range(len(names)), key=lambda track: (-means[track], names[track]))
    tables = [[row[track].predictions for track in order] for row in runs]
    return paired_evaluation([names[track] for track in order], [row[0] for row in runs], tables, resampling)


def rank_groups(resampled: Resampled) -> list[int]:
    """Return the rank group of each method, starting at 1.

    All methods that share the highest macro F1 exactly lead a group together, so that their order does not matter.
    """
    groups = [0] * len(resampled.macro_f1)
    while 0 in groups:
        rest = [method for method, group in enumerate(groups) if group == 0]
        best = max(resampled.macro_f1[rest])
        leaders = [method for method in rest if resampled.macro_f1[method] == best]
        tied = [one for one in rest if any(resampled.pair(leader, one).verdict == "tie" for leader in leaders)]
        group = max(groups) + 1
        for method in tied:
            groups[method] = group
    return groups


def comparisons_table(leaderboards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Return one row for each pair of tracks of a data set and split, with the columns `COMPARISON_COLUMNS`.

    `lo` and `hi` are the bounds of the paired 95 % interval. `seeds_sd` is the standard deviation of the difference
    over seeds on one split, a measure of the variation of training; `splits_…` is the corrected t test over folds or
    repeated hold-outs. They answer different questions, so they have separate columns.
    """
    rows = [_pair_row(leaderboard, found) for leaderboard in leaderboards for found in leaderboard.comparisons]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _pair_row(leaderboard: Leaderboard, found: Comparison) -> dict[str, object]:
    values = {name: getattr(found, name) for name in COMPARISON_COLUMNS if hasattr(found, name)}
    low, high = found.interval
    row = values | {"dataset": leaderboard.section.dataset, "split": leaderboard.section.split, "lo": low, "hi": high}
    row["n_runs"] = len(found.deltas)
    if found.design == "seeds on one split":
        row["seeds_sd"] = float(np.std(found.deltas, ddof=1))
    if found.over_splits is not None:
        row["splits_lo"], row["splits_hi"] = found.over_splits.interval
        row["splits_p_value"] = found.over_splits.p_value
    if found.mcnemar is not None:
        row |= {"only_a_right": found.mcnemar.only_a, "only_b_right": found.mcnemar.only_b}
        row["mcnemar_p_value"] = found.mcnemar.p_value
    return row


def leaderboard_table(leaderboards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Return one row for each track of a data set and split, with the columns `LEADERBOARD_COLUMNS`, best first.

    `macro_f1` is the mean over `n_runs` runs, `macro_f1_lo` and `macro_f1_hi` are the bounds of its interval over the
    same draws; `delta_to_best`, `lo`, `hi` and `p_value` compare it with the best track. Tracks that are not compared
    have only a `reason`.
    """
    rows = [row for leaderboard in leaderboards for row in _leaderboard_rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(LEADERBOARD_COLUMNS)).astype({"group": "Int64", "n_runs": "Int64"})


def _leaderboard_rows(leaderboard: Leaderboard) -> list[dict[str, object]]:
    section = leaderboard.section
    common = {"dataset": section.dataset, "split": section.split, "simulated": section.simulated}
    compared = (
        []
        if leaderboard.evaluation is None
        else [_track_row(leaderboard, leaderboard.evaluation, k) for k in range(len(leaderboard.groups))]
    )
    excluded: list[dict[str, object]] = [
        {"track": track, "reason": reason} for track, reason in leaderboard.incomplete.items()
    ]
    return [common | row for row in [*compared, *excluded]]


def _track_row(leaderboard: Leaderboard, evaluation: PairedEvaluation, position: int) -> dict[str, object]:
    found = evaluation.compare(position, 0)
    row = {
        name: getattr(found, name)
        for name in LEADERBOARD_COLUMNS
        if name not in {"dataset", "simulated"} and hasattr(found, name)
    }
    low, high = evaluation.resampled.interval(position)
    return row | {
        "group": leaderboard.groups[found.a],
        "track": found.a,
        "macro_f1": found.macro_f1_a,
        "macro_f1_lo": low,
        "macro_f1_hi": high,
        "delta_to_best": found.delta,
        "lo": found.interval[0],
        "hi": found.interval[1],
        "n_runs": len(found.deltas),
        "detectable_difference": leaderboard.detectable_difference,
        "reason": "",
    }


def leaderboard_tables(sections: Sequence[Section], resampling: Resampling | None = None) -> dict[str, pd.DataFrame]:
    """Return the leaderboard and all comparisons, by file name."""
    leaderboards = leaderboards_of(sections, resampling)
    return {LEADERBOARD: leaderboard_table(leaderboards), COMPARISONS: comparisons_table(leaderboards)}


def groups_in(leaderboard: pd.DataFrame, section: Section) -> dict[str, int]:
    """Return the rank group of each compared track of a section."""
    selected = (leaderboard["dataset"] == section.dataset) & (leaderboard["split"] == section.split)
    rows = leaderboard[selected].dropna(subset=["group"])
    return {str(track): int(group) for track, group in zip(rows["track"], rows["group"], strict=True)}


def in_words(leaderboard: pd.DataFrame) -> list[str]:
    """Summarise rank groups and smallest detectable difference in one sentence for each data set and split."""
    compared = leaderboard.dropna(subset=["group"])
    return [_sentence(f"{dataset} {split}", rows) for (dataset, split), rows in compared.groupby(["dataset", "split"])]


def _sentence(section: str, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    if len(rows) == 1:
        return f"{section}: only {first['track']} has all runs; there is nothing to compare."
    groups = "; ".join(f"{group}: {', '.join(tracks)}" for group, tracks in rows.groupby("group")["track"])
    units = f"{first['n_clusters']:,.0f} {'objects' if first['resampled'] == OBJECT else 'clusters'}"
    return (
        f"{section}: groups of methods not distinguishable from the best of their group: {groups}. Smallest difference "
        f"in macro F1 detectable with 80 % power ({units}): {first['detectable_difference']:.3f}."
    )
