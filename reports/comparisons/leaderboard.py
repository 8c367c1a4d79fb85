"""Leaderboard of a data set: comparisons of all pairs of tracks, the tracks not distinguishable from the best, letters.

A rank claims more than the test objects support: it orders even methods whose difference may be due to chance. Instead,
all pairs of tracks are tested, with Holm's correction for their number (`tox -e bench-statistics` shows how often
eleven equally good methods stay one set). Two tracks that share a letter are not distinguishable; tracks without a
common letter differ (compact letter display: Piepho 2004, doi 10.1198/1061860043515). Letters need not be contiguous,
and sharing one with a third track does not make two tracks equal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .comparison import OBJECT, power_in_words
from .letters import compact_letters
from .paired_evaluation import PairedEvaluation, Resampling, paired_evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..results.section import Section, TrackResult
    from ..results.stored_run import StoredRun
    from .comparison import Comparison

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
    def letters(self) -> list[str]:
        """Letters of each compared track, in the order of the evaluation; tracks that share one do not differ."""
        evaluation = self.evaluation
        return [] if evaluation is None else compact_letters(len(evaluation.names), evaluation.methods.is_different)

    @property
    def detectable_difference(self) -> float:
        """Smallest detectable difference, median over pairs of tracks for which it is known; NaN without such."""
        values = [one.detectable_difference for one in self.comparisons if one.has_known_power]
        return float(np.median(values)) if values else float("nan")


@dataclass(frozen=True)
class Standing:
    """Position of a compared track among the others.

    Attributes:
        letters: tracks that share a letter are not distinguishable.
        with_best: whether the track is not distinguishable from the best one.
        interval: 95 % interval of its mean macro F1 over runs.
        difference: difference in macro F1 from the best track.
        difference_interval: its 95 % interval.

    """

    letters: str
    with_best: bool
    interval: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]


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
    distinguishable from the best track by `p_holm`. Tracks that are not compared have only a `reason`.
    """
    rows = [row for leaderboard in leaderboards for row in _leaderboard_rows(leaderboard)]
    return pd.DataFrame(rows, columns=list(LEADERBOARD_COLUMNS)).astype({"with_best": "boolean", "n_runs": "Int64"})


def _leaderboard_rows(leaderboard: Leaderboard) -> list[dict[str, object]]:
    section = leaderboard.section
    common = {"dataset": section.dataset, "split": section.split, "simulated": section.simulated}
    compared = (
        []
        if leaderboard.evaluation is None
        else [_track_row(leaderboard, leaderboard.evaluation, k) for k in range(len(leaderboard.letters))]
    )
    excluded: list[dict[str, object]] = [
        {"track": track, "reason": reason} for track, reason in leaderboard.incomplete.items()
    ]
    return [common | row for row in [*compared, *excluded]]


def _track_row(leaderboard: Leaderboard, evaluation: PairedEvaluation, position: int) -> dict[str, object]:
    low, high = evaluation.intervals[position]
    row: dict[str, object] = {
        "letters": leaderboard.letters[position],
        "with_best": not evaluation.methods.is_different(0, position),
        "track": evaluation.names[position],
        "macro_f1": evaluation.methods.estimates[position].value,
        "macro_f1_lo": low,
        "macro_f1_hi": high,
        "delta_to_best": 0.0,
        "lo": 0.0,
        "hi": 0.0,
        "p_value": 1.0,
        "p_holm": 1.0,
        "claim": evaluation.claim,
        "n_runs": len(evaluation.tables),
        "design": evaluation.design,
        "n_objects": evaluation.n_objects,
        "n_clusters": evaluation.n_units,
        "resampled": evaluation.resampled_by,
        "detectable_difference": leaderboard.detectable_difference,
        "reason": "",
    }
    if position == 0:
        return row
    found = evaluation.compare(position, 0)
    differences = {"delta_to_best": found.delta, "lo": found.interval[0], "hi": found.interval[1]}
    return row | differences | {"p_value": found.p_value, "p_holm": found.p_holm, "conclusion": found.conclusion}


def leaderboard_tables(leaderboards: Sequence[Leaderboard]) -> dict[str, pd.DataFrame]:
    """Return the leaderboard and all comparisons, by file name."""
    return {LEADERBOARD: leaderboard_table(leaderboards), COMPARISONS: comparisons_table(leaderboards)}


def standings_in(leaderboard: pd.DataFrame, section: Section) -> dict[str, Standing]:
    """Return the standing of each compared track of a section, best first."""
    selected = (leaderboard["dataset"] == section.dataset) & (leaderboard["split"] == section.split)
    return {
        row["track"]: Standing(
            letters=row["letters"],
            with_best=bool(row["with_best"]),
            interval=(row["macro_f1_lo"], row["macro_f1_hi"]),
            difference=row["delta_to_best"],
            difference_interval=(row["lo"], row["hi"]),
        )
        for row in leaderboard[selected].dropna(subset=["letters"]).to_dict("records")
    }


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
    correction = f" ({n_pairs:,} pairs, Holm's correction)" if n_pairs > 1 else ""
    units = f"{first['n_clusters']:,.0f} {'objects' if first['resampled'] == OBJECT else 'clusters'}"
    power = power_in_words(first["detectable_difference"], f" ({units}){', median over pairs' if n_pairs > 1 else ''}")
    return f"{section}: {best}{correction}. {CLAIMS[first['claim']]} {power}"


CLAIMS: dict[str, str] = {
    "fitted models": (
        "With one run, this is about these fitted models; a statement about the methods requires several seeds or "
        "folds."
    ),
    "methods": "This is about the methods: their variation over runs is included.",
}
