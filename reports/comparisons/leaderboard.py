"""The leaderboard of a data set: all pairs of tracks compared in the same draws, and groups instead of ranks.

A rank tells more than the test objects can: of methods whose difference could be chance, one is above the other all
the same. The leader's group are the tracks whose paired interval against it holds zero; the best of the others leads
the next group, and so on. That is no equality: the tracks of a group were compared with their leader, and may differ
from each other (`comparisons.csv` tells).
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
COMPARED = (
    "dataset", "split", "simulated", "a", "b", "macro_f1_a", "macro_f1_b", "delta", "lo", "hi", "p_value", "verdict",
    "n_objects", "n_clusters", "resampled", "detectable_difference", "n_runs", "design", "seeds_sd", "splits_lo",
    "splits_hi", "splits_p_value", "accuracy_a", "accuracy_b", "only_a_right", "only_b_right", "mcnemar_p_value",
    "signature",
)  # fmt: skip
STANDING = (
    "dataset", "split", "simulated", "group", "track", "macro_f1", "macro_f1_lo", "macro_f1_hi", "delta_to_best",
    "lo", "hi", "p_value", "n_runs", "design", "n_objects", "n_clusters", "resampled", "detectable_difference",
    "reason",
)  # fmt: skip
Place = tuple[str, int, str]
"""Split, seed and data hash of a run."""


@dataclass(frozen=True)
class Board:
    """How the tracks of a data set stand under one split.

    Attributes:
        section: the results.
        evaluation: the tracks that have all runs, best mean macro F1 first; None when no track has a finished run.
        incomplete: why other tracks are not compared, by name.

    """

    section: Section
    evaluation: PairedEvaluation | None
    incomplete: dict[str, str]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """All pairs of compared tracks, the better one first."""
        evaluation = self.evaluation
        if evaluation is None:
            return []
        return [evaluation.compare(a, b) for a, b in combinations(range(len(evaluation.names)), 2)]

    @cached_property
    def groups(self) -> dict[str, int]:
        """Rank group of each compared track, from 1."""
        return (
            {}
            if self.evaluation is None
            else dict(zip(self.evaluation.names, rank_groups(self.evaluation.resampled), strict=True))
        )

    @property
    def detectable_difference(self) -> float:
        """Smallest difference that can be seen on these objects: median over pairs of tracks; NaN without a pair."""
        told = [one.detectable_difference for one in self.comparisons if one.detectable_difference > 0]
        return float(np.median(told)) if told else float("nan")


def boards_of(sections: Sequence[Section], resampling: Resampling | None = None) -> list[Board]:
    """Compare the tracks of each section.

    Tracks are compared on the runs (split, seed, data hash) that most of them have; a track that lacks one of these is
    left out, since its mean would be of other runs.
    """
    return [_board_of(section, resampling or Resampling()) for section in sections]


def _board_of(section: Section, resampling: Resampling) -> Board:
    found = {track.name: _by_place(track) for track in section.tracks}
    places = _most_common([frozenset(runs) for runs in found.values() if runs])
    names = [name for name, runs in found.items() if places and places <= runs.keys()]
    incomplete = {
        name: f"{len(places & runs.keys())} of {len(places)} runs on the same data are done"
        for name, runs in found.items()
        if name not in names
    }
    if not names:
        return Board(section, None, incomplete)
    ordered = sorted(places)
    runs = [[found[name][place] for name in names] for place in ordered]
    return Board(section, _evaluation(names, runs, resampling), incomplete)


def _by_place(track: TrackResult) -> dict[Place, StoredRun]:
    done = [run for run in track.runs if run.card.status == "done"]
    return {(run.card.split.name, run.card.split.seed, run.card.data.sha256): run for run in done}


def _most_common(sets: Sequence[frozenset[Place]]) -> frozenset[Place]:
    """Return the set of runs that most tracks have; of equally common ones the largest, then the first."""
    counts = Counter(sets)
    best = max(((count, len(one)) for one, count in counts.items()), default=(0, 0))
    return min((one for one, count in counts.items() if (count, len(one)) == best), key=sorted, default=frozenset())


def _evaluation(names: Sequence[str], runs: Sequence[Sequence[StoredRun]], resampling: Resampling) -> PairedEvaluation:
    """Return the contest of the tracks, best first; equally good ones by name."""
    means = np.mean([[run.score.macro_f1 for run in of_place if run.score is not None] for of_place in runs], axis=0)
    order = sorted(range(len(names)), key=lambda track: (-means[track], names[track]))
    tables = [[of_place[track].predictions for track in order] for of_place in runs]
    return paired_evaluation([names[track] for track in order], [of_place[0] for of_place in runs], tables, resampling)


def rank_groups(resampled: Resampled) -> list[int]:
    """Return the rank group of each method, from 1.

    Of methods with exactly the same highest macro F1 all lead, so that their order does not matter.
    """
    groups = [0] * len(resampled.macro_f1)
    while 0 in groups:
        rest = [method for method, group in enumerate(groups) if group == 0]
        best = max(resampled.macro_f1[rest])
        leaders = [method for method in rest if resampled.macro_f1[method] == best]
        shared = [one for one in rest if any(resampled.pair(leader, one).verdict == "tie" for leader in leaders)]
        following = max(groups) + 1
        for method in shared:
            groups[method] = following
    return groups


def comparisons_table(boards: Sequence[Board]) -> pd.DataFrame:
    """Return one row for each pair of tracks of a data set and split, with the columns `COMPARED`.

    `lo` and `hi` are the ends of the paired interval of 95 %. `seeds_sd` is the standard deviation of the difference
    over seeds on one split, which tells how much training varies; `splits_…` is the corrected t test over folds or
    repeated hold-outs. They answer different questions and never stand in one column.
    """
    rows = [_pair_row(leaderboard, found) for leaderboard in boards for found in leaderboard.comparisons]
    return pd.DataFrame(rows, columns=list(COMPARED))


def _pair_row(leaderboard: Board, found: Comparison) -> dict[str, object]:
    plain = {name: getattr(found, name) for name in COMPARED if hasattr(found, name)}
    low, high = found.interval
    row = plain | {"dataset": leaderboard.section.dataset, "split": leaderboard.section.split, "lo": low, "hi": high}
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


def leaderboard_table(boards: Sequence[Board]) -> pd.DataFrame:
    """Return one row for each track of a data set and split, with the columns `STANDING`, best first.

    `macro_f1` is the mean over `n_runs`, `macro_f1_lo` and `macro_f1_hi` the ends of its interval over the same draws;
    `delta_to_best`, `lo`, `hi` and `p_value` compare it with the best track. Tracks that are not compared have only a
    `reason`.
    """
    rows = [row for leaderboard in boards for row in _standing_rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(STANDING)).astype({"group": "Int64", "n_runs": "Int64"})


def _standing_rows(leaderboard: Board) -> list[dict[str, object]]:
    section = leaderboard.section
    common = {"dataset": section.dataset, "split": section.split, "simulated": section.simulated}
    compared = (
        []
        if leaderboard.evaluation is None
        else [_standing(leaderboard, leaderboard.evaluation, k) for k in range(len(leaderboard.groups))]
    )
    left_out: list[dict[str, object]] = [
        {"track": track, "reason": reason} for track, reason in leaderboard.incomplete.items()
    ]
    return [common | row for row in [*compared, *left_out]]


def _standing(leaderboard: Board, evaluation: PairedEvaluation, position: int) -> dict[str, object]:
    found = evaluation.compare(position, 0)
    row = {
        name: getattr(found, name) for name in STANDING if name not in {"dataset", "simulated"} and hasattr(found, name)
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
    boards = boards_of(sections, resampling)
    return {LEADERBOARD: leaderboard_table(boards), COMPARISONS: comparisons_table(boards)}


def groups_in(leaderboard: pd.DataFrame, section: Section) -> dict[str, int]:
    """Return the rank group of each track of a section that has one."""
    here = (leaderboard["dataset"] == section.dataset) & (leaderboard["split"] == section.split)
    rows = leaderboard[here].dropna(subset=["group"])
    return {str(track): int(group) for track, group in zip(rows["track"], rows["group"], strict=True)}


def in_words(leaderboard: pd.DataFrame) -> list[str]:
    """Return a sentence for each data set and split: which tracks share a group, and what is detectable."""
    compared = leaderboard.dropna(subset=["group"])
    return [_sentence(f"{dataset} {split}", rows) for (dataset, split), rows in compared.groupby(["dataset", "split"])]


def _sentence(where: str, rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    if len(rows) == 1:
        return f"{where}: only {first['track']} has all runs; there is nothing to compare."
    groups = "; ".join(f"{group}: {', '.join(tracks)}" for group, tracks in rows.groupby("group")["track"])
    drawn = f"{first['n_clusters']:,.0f} {'objects' if first['resampled'] == OBJECT else 'clusters'}"
    return (
        f"{where}: groups of methods not distinguishable from the best of their group: {groups}. Smallest difference "
        f"in macro F1 detectable with 80 % power ({drawn}): {first['detectable_difference']:.3f}."
    )
