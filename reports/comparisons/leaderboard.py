"""Leaderboard of a data set: comparisons of all pairs of tracks, the tracks not distinguishable from the best, letters.

A rank claims more than the test objects support: it orders even methods whose difference may be due to chance. Instead,
all pairs of tracks are tested, corrected for their number (`step_down`; `tox -e bench-statistics` shows how often
eleven equally good methods stay one set). Two tracks differ if their comparison is conclusive (its conclusion is
`different`) and the adjusted p-value is at most 0.05. Tracks that share a letter are not distinguishable; tracks
without a common letter differ (compact letter display: Piepho 2004, doi 10.1198/1061860043515). Letters need not be
contiguous, and sharing one with a third track does not make two tracks equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .common_runs import common_runs
from .comparison import OBJECT, power_in_words
from .letters import compact_letters
from .paired_evaluation import PairedEvaluation, Resampling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.section import Section
    from .common_runs import RunKey
    from .comparison import Claim, Comparison
    from .corrected_t import Design

COMPARISONS, LEADERBOARD = "comparisons.csv", "leaderboard.csv"
COMPARISON_COLUMNS = (
    "dataset", "split", "simulated", "a", "b", "macro_f1_a", "macro_f1_b", "delta", "lo", "hi", "p_value", "p_holm",
    "verdict", "conclusion", "claim", "n_objects", "n_clusters", "resampled", "detectable_difference", "n_runs",
    "design", "fitted_lo", "fitted_hi", "percentile_lo", "percentile_hi", "bootstrap_bias", "seeds_sd", "splits_lo",
    "splits_hi", "splits_p_value", "accuracy_a", "accuracy_b", "only_a_right", "only_b_right", "mcnemar_p_value",
    "signature",
)  # fmt: skip
LEADERBOARD_COLUMNS = (
    "dataset", "split", "simulated", "letters", "with_best", "track", "macro_f1", "macro_f1_lo", "macro_f1_hi",
    "delta_to_best", "lo", "hi", "p_value", "p_holm", "conclusion", "claim", "n_runs", "design", "n_objects",
    "n_clusters", "resampled", "detectable_difference", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """Position of a compared track among the others, on the runs on which they are compared.

    Attributes:
        letters: tracks that share a letter are not distinguishable.
        with_best: whether the track is not distinguishable from the best one.
        macro_f1: its mean macro F1 over these runs.
        interval: 95 % interval of it.
        accuracy: mean accuracy over these runs.
        difference: difference in macro F1 from the best track.
        difference_interval: its 95 % interval.
        n_runs: number of these runs.
        claim: what comparisons are about.
        design: design of the runs.
        is_moderated: whether variances over runs are moderated by those of the other tracks.

    """

    letters: str
    with_best: bool
    macro_f1: float
    interval: tuple[float, float]
    accuracy: float
    difference: float
    difference_interval: tuple[float, float]
    n_runs: int
    claim: Claim
    design: Design
    is_moderated: bool


@dataclass(frozen=True)
class Leaderboard:
    """Leaderboard of a data set under one split.

    Attributes:
        section: results of the data set and split, with the compared tracks first, best first.
        runs: keys of the runs on which tracks are compared, sorted.
        evaluation: tracks with all of these runs, sorted by mean macro F1, best first; None if no track has a finished
            run.
        incomplete: reasons why other tracks are not compared, by track name.

    """

    section: Section
    runs: tuple[RunKey, ...]
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
    def from_best(self) -> list[Comparison]:
        """Comparison of each compared track with the best one, in the order of the evaluation, best first."""
        evaluation = self.evaluation
        return [] if evaluation is None else [evaluation.compare(track, 0) for track in range(len(evaluation.names))]

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Standing of each compared track by name, best first."""
        evaluation = self.evaluation
        if evaluation is None:
            return {}
        letters = compact_letters(len(evaluation.names), evaluation.is_different)
        return {
            found.a: Standing(
                letters=letters[position],
                with_best=not evaluation.is_different(0, position),
                macro_f1=found.macro_f1_a,
                interval=evaluation.intervals[position],
                accuracy=found.accuracy_a,
                difference=found.delta,
                difference_interval=found.interval,
                n_runs=len(self.runs),
                claim=found.claim,
                design=found.design,
                is_moderated=evaluation.all_pairs.is_moderated,
            )
            for position, found in enumerate(self.from_best)
        }

    @property
    def detectable_difference(self) -> float:
        """Smallest detectable difference, median over pairs of tracks for which it is known; NaN without such."""
        values = [one.detectable_difference for one in self.comparisons if one.has_known_power]
        return float(np.median(values)) if values else float("nan")


def leaderboards_of(sections: Sequence[Section], resampling: Resampling | None = None) -> list[Leaderboard]:
    """Compare the tracks of each section on the runs that most of them share; see `common_runs`."""
    return [_leaderboard_of(section, resampling or Resampling()) for section in sections]


def _leaderboard_of(section: Section, resampling: Resampling) -> Leaderboard:
    common = common_runs(section.tracks)
    if not common.names:
        return Leaderboard(section, (), None, common.incomplete)
    means = np.mean([[run.score.macro_f1 for run in row if run.score is not None] for row in common.runs], axis=0)
    order = sorted(range(len(common.names)), key=lambda track: (-means[track], common.names[track]))
    evaluation = common.in_order(order).evaluation(resampling)
    return Leaderboard(_ordered(section, evaluation.names), common.keys, evaluation, common.incomplete)


def _ordered(section: Section, names: Sequence[str]) -> Section:
    """Return the section with these tracks first, in this order."""
    by_name = {track.name: track for track in section.tracks}
    first = [by_name.pop(name) for name in names]
    return replace(section, tracks=(*first, *by_name.values()))


def comparisons_table(leaderboards: Sequence[Leaderboard]) -> pd.DataFrame:
    """Return one row for each pair of tracks of a data set and split, with the columns `COMPARISON_COLUMNS`.

    `lo`, `hi` and `p_value` are about the `claim`: with one run the fitted models, with several the methods; `p_holm`
    is adjusted for all pairs. `fitted_…` is the jackknife interval and `percentile_…` the bootstrap interval of the
    fitted models. `seeds_sd` is the standard deviation of the difference over seeds on one split; `splits_…` is the
    corrected t test over folds or repeated hold-outs alone.
    """
    rows = [_pair_row(leaderboard, found) for leaderboard in leaderboards for found in leaderboard.comparisons]
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def _pair_row(leaderboard: Leaderboard, found: Comparison) -> dict[str, object]:
    values = {name: getattr(found, name) for name in COMPARISON_COLUMNS if hasattr(found, name)}
    low, high = found.interval
    row = values | {"dataset": leaderboard.section.dataset, "split": leaderboard.section.split, "lo": low, "hi": high}
    for name, interval in (("fitted", found.fitted_interval), ("percentile", found.percentile_interval)):
        row[f"{name}_lo"], row[f"{name}_hi"] = interval
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

    `macro_f1` is the mean over `n_runs` runs with the interval `macro_f1_lo` to `macro_f1_hi`; `delta_to_best`, `lo`,
    `hi`, `p_value`, `p_holm` and `conclusion` compare it with the best track. `with_best` states whether it is not
    distinguishable from the best track: `conclusion` is not `different`, or `p_holm` is above 0.05. Tracks that are not
    compared have only a `reason`.
    """
    rows = [row for leaderboard in leaderboards for row in _leaderboard_rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(LEADERBOARD_COLUMNS)).astype({"with_best": "boolean", "n_runs": "Int64"})


def _leaderboard_rows(leaderboard: Leaderboard) -> list[dict[str, object]]:
    section = leaderboard.section
    common = {"dataset": section.dataset, "split": section.split, "simulated": section.simulated}
    compared = [_track_row(leaderboard, found) for found in leaderboard.from_best]
    excluded: list[dict[str, object]] = [
        {"track": track, "reason": reason} for track, reason in leaderboard.incomplete.items()
    ]
    return [row | common for row in [*compared, *excluded]]


def _track_row(leaderboard: Leaderboard, found: Comparison) -> dict[str, object]:
    """Return the row of a compared track, from its comparison with the best one; that one has no conclusion."""
    standing = leaderboard.standings[found.a]
    known = vars(found) | vars(standing)
    row = {name: known[name] for name in LEADERBOARD_COLUMNS if name in known}
    row |= {"track": found.a, "delta_to_best": found.delta, "reason": ""}
    row["macro_f1_lo"], row["macro_f1_hi"] = standing.interval
    row["lo"], row["hi"] = found.interval
    row["conclusion"] = found.conclusion if found.a != found.b else None
    return row | {"detectable_difference": leaderboard.detectable_difference}


def leaderboard_tables(leaderboards: Sequence[Leaderboard]) -> dict[str, pd.DataFrame]:
    """Return the leaderboard and all comparisons, by file name."""
    return {LEADERBOARD: leaderboard_table(leaderboards), COMPARISONS: comparisons_table(leaderboards)}


def in_words(leaderboard: pd.DataFrame) -> list[str]:
    """State for each data set and split which methods are not distinguishable from the best, and what was tested."""
    compared = leaderboard.dropna(subset=["letters"])
    return [_sentence(f"{dataset} {split}", rows) for (dataset, split), rows in compared.groupby(["dataset", "split"])]


def _sentence(section: str, rows: pd.DataFrame) -> str:
    first, n = rows.iloc[0], len(rows)
    if n == 1:
        return f"{section}: only {first['track']} has all runs; there is nothing to compare."
    others = rows.loc[rows["with_best"], "track"].iloc[1:].tolist()
    n_pairs = n * (n - 1) // 2
    best = (
        f"not distinguishable from the best, {first['track']}: {', '.join(others)}"
        if others
        else f"{first['track']} is distinguishable from {'the other' if n_pairs == 1 else f'all {n - 1} others'}"
    )
    correction = f" ({n_pairs:,} pairs, corrected for multiple comparisons)" if n_pairs > 1 else ""
    units = f"{first['n_clusters']:,.0f} {'objects' if first['resampled'] == OBJECT else 'clusters'}"
    several = ", median over pairs, each without this correction" if n_pairs > 1 else ""
    power = power_in_words(first["detectable_difference"], f" ({units}){several}")
    return f"{section}: {best}{correction}. {CLAIMS[first['claim']]} {_undecided(rows, n_pairs)}{power}"


def _undecided(rows: pd.DataFrame, n_pairs: int) -> str:
    """Name the tracks that are below the best one by their own interval, but not by that many tests; empty if none."""
    below = rows.loc[rows["with_best"] & (rows["hi"] < 0) & (rows["claim"] == "methods"), "track"].tolist()
    if not below:
        return ""
    return (
        f"Taken alone, {', '.join(below)} {'is' if len(below) == 1 else 'are'} below the best (95 % interval of the "
        f"difference), but {rows['n_runs'].iloc[0]} runs are too few to show it with {n_pairs:,} pairs; more seeds or "
        "folds may show it. "
    )


CLAIMS: dict[str, str] = {
    "fitted models": (
        "With one run, this is about these fitted models; a statement about the methods requires several seeds or "
        "folds."
    ),
    "methods": "This is about the methods: their variation over runs is included.",
}
