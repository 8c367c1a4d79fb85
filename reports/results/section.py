"""Results of one data set under one split, combined for tables and figures.

Several seeds or folds are combined in two ways, which are stated wherever they are shown: headline numbers are means
over runs; confusion matrices and per-class numbers are computed from the summed counts of all runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..scoring.intervals import class_table
from ..scoring.units import repeated_units

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ..run_files.card import Card, CardNote, CardTrack
    from ..scoring.score import Score
    from .stored_run import StoredRun

FEWEST_PERFECT = 20  # among fewer test objects, a good method may make no error by chance


@dataclass(frozen=True)
class TrackResult:
    """All runs of one track in a section.

    Attributes:
        name: the track's name.
        runs: its runs, sorted by split and seed, including failed and skipped ones.
        base_results: results on which it is built, direct and indirect, and which must be there first: base models of a
            fusion, and the track that it continues; without runs if these are not in the folder.
        fused_results: those of them whose predictions it combines; a continued run needs none.

    """

    name: str
    runs: tuple[StoredRun, ...]
    base_results: tuple[TrackResult, ...] = ()
    fused_results: tuple[TrackResult, ...] = ()

    @cached_property
    def scores(self) -> list[Score]:
        """Scores of the finished runs."""
        return [run.score for run in self.runs if run.score is not None]

    @property
    def card(self) -> Card:
        """Card of the first run."""
        return self.runs[0].card

    @property
    def macro_f1(self) -> float:
        """Mean macro F1 over runs; NaN without a finished run."""
        return _mean([score.macro_f1 for score in self.scores])

    @property
    def accuracy(self) -> float:
        """Mean accuracy over runs; NaN without a finished run."""
        return _mean([score.accuracy for score in self.scores])

    @property
    def macro_f1_seen(self) -> float:
        """Mean macro F1 over runs without withheld classes; NaN if no finished run has any."""
        return _mean([run.seen_score.macro_f1 for run in self.runs if run.seen_score is not None])

    @property
    def n_perfect(self) -> int:
        """Number of finished runs without any error among at least `FEWEST_PERFECT` test objects."""
        return sum(score.accuracy == 1 and score.n_objects >= FEWEST_PERFECT for score in self.scores)

    @property
    def reasons(self) -> list[str]:
        """Unique reasons why runs failed or were skipped."""
        texts = [f"{run.card.status}: {run.card.reason}" for run in self.runs if run.card.status != "done"]
        return list(dict.fromkeys(texts))

    @property
    def fit_seconds(self) -> float:
        """Mean fitting time in seconds over finished runs, including base runs; NaN if one was not timed."""
        return sum(self._means("fit_seconds", self.base_results))

    @property
    def predict_seconds(self) -> float:
        """Mean prediction time in seconds over finished runs, including base models; NaN if one was not timed."""
        return sum(self._means("predict_seconds", self.fused_results))

    @property
    def peak_rss_mb(self) -> float:
        """Mean peak memory in MiB over finished runs, or that of its largest base run; NaN if unknown."""
        return float(np.max(self._means("peak_rss_mb", self.base_results)))

    @property
    def method(self) -> str:
        """Name of its method in the registry, which differs from its own if a suite stores it under another name."""
        return str(self.card.track.config.get("track", self.name))

    def _means(
        self, fact: Literal["fit_seconds", "predict_seconds", "peak_rss_mb"], others: tuple[TrackResult, ...]
    ) -> list[float]:
        """Return means of a cost over finished runs: first of the track itself, then of each of the others."""
        by_track = [
            [getattr(run.card.cost, fact) for run in track.runs if run.card.status == "done"]
            for track in (self, *others)
        ]
        return [_mean([value for value in values if value is not None]) for values in by_track]

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Confusion matrix summed over runs; rows are true and columns predicted classes, sorted by name."""
        names = sorted({name for score in self.scores for name in score.confusion.index})
        matrices = [score.confusion.reindex(index=names, columns=names, fill_value=0) for score in self.scores]
        return sum(matrices[1:], start=matrices[0])

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 and support from the summed counts, with intervals; classes with support, by name.

        An object that several runs test is one unit, as is a sample.
        """
        names = pd.Index(self.confusion.index)
        rows = pd.concat([run.predictions for run in self.runs if run.score is not None])
        truth, predicted = names.get_indexer(pd.Index(rows["taxon"])), names.get_indexer(pd.Index(rows["predicted"]))
        is_clustered = "group" in rows and rows["group"].notna().all() and len(rows["group"].unique()) > 1
        column = "group" if is_clustered else "object_id"
        units = repeated_units(
            truth, np.where(predicted < 0, len(names), predicted), pd.factorize(rows[column], sort=True)[0], len(names)
        )
        table = class_table(list(names), units)
        return table[table["support"] > 0].reset_index(drop=True)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Section:
    """Results of one data set under one split.

    Attributes:
        dataset: name of the data set.
        split: name of the split, without the fold number.
        tracks: sorted by mean macro F1 over their finished runs, best first, or as on the leaderboard; tracks without a
            finished run come last.

    """

    dataset: str
    split: str
    tracks: tuple[TrackResult, ...]

    @property
    def done(self) -> list[TrackResult]:
        """Tracks with at least one finished run."""
        return [track for track in self.tracks if track.scores]

    @property
    def runs(self) -> list[StoredRun]:
        """All runs of the section."""
        return [run for track in self.tracks for run in track.runs]

    @property
    def withheld(self) -> list[str]:
        """Classes that are withheld from training and validation in any run, sorted."""
        return sorted({taxon for run in self.runs for taxon in run.card.data.withheld})

    @property
    def splits(self) -> list[str]:
        """Names of the splits of its runs, one for each fold."""
        return sorted({run.card.split.name for run in self.runs})

    @property
    def drawn_by(self) -> str:
        """Units of the intervals of its finished runs: `samples` or `single objects`."""
        return "samples" if "ci:cluster" in self.done[0].scores[0].signature else "single objects"

    @cached_property
    def class_sizes(self) -> pd.Series:
        """Number of objects per class in all subsets of the first run's split, sorted by size and then by name."""
        counts = self.runs[0].truth["taxon"].value_counts()
        return counts.sort_index().sort_values(ascending=False, kind="stable")

    @cached_property
    def training_sizes(self) -> pd.Series:
        """Mean number of training objects per class over splits and seeds, sorted by size and then by name."""
        truths = {(run.card.split.name, run.card.split.seed): run for run in self.runs}
        counts = [run.truth.loc[run.truth["part"] == "train", "taxon"].value_counts() for run in truths.values()]
        means = pd.concat(counts, axis=1).fillna(0).mean(axis=1).reindex(self.class_sizes.index, fill_value=0)
        return means.sort_index().sort_values(kind="stable")

    @cached_property
    def subset_sizes(self) -> pd.DataFrame:
        """Number of objects in train, valid and test for each split and seed."""
        rows = {(run.card.split.name, run.card.split.seed): run.card for run in self.runs}
        return pd.DataFrame(
            [
                {
                    "split": split,
                    "seed": seed,
                    "train": card.split.n_train,
                    "valid": card.split.n_valid,
                    "test": card.split.n_test,
                }
                for (split, seed), card in sorted(rows.items())
            ]
        )

    @cached_property
    def notes(self) -> list[CardNote]:
        """Unique notes on problems in the data and on objects left out."""
        notes = {(note.code, note.text): note for run in self.runs for note in run.card.notes}
        return list(notes.values())

    @property
    def measured(self) -> dict[str, Any] | None:
        """Measurement of features from the images, by the card of the first run that used them; None if no run did."""
        tables = (run.card.track.features for run in self.runs)
        return next((features for features in tables if "measured" in features.get("table", "").split("+")), None)

    @property
    def simulated(self) -> bool:
        """Whether any run is on simulated data."""
        return any(run.card.data.simulated for run in self.runs)

    @cached_property
    def importance(self) -> tuple[TrackResult, pd.DataFrame] | None:
        """Best track that stored feature importances, with means over its runs, sorted by gain.

        The table has the columns feature, gain (share of the total), permutation (loss of macro F1 on validation rows)
        and permutation_sd over runs, NaN for a single run.
        """
        for track in self.done:
            importances = [run.importance for run in track.runs if run.importance is not None]
            if importances:
                grouped = pd.concat(importances).groupby("feature")
                table = grouped[["gain", "permutation"]].mean().assign(permutation_sd=grouped["permutation"].std())
                return track, table.sort_values("gain", ascending=False, kind="stable").reset_index()
        return None

    @property
    def preparation(self) -> tuple[StoredRun, pd.DataFrame] | None:
        """First run that stored how it prepared the native columns, with its table."""
        for run in self.runs:
            if run.preparation is not None:
                return run, run.preparation
        return None


def tracks_by_method(section: Section, methods: Iterable[str]) -> dict[str, TrackResult]:
    """Return the finished track of each method: the one of that name, or else its only variant under other names."""
    found = {}
    for method in methods:
        variants = [track for track in section.done if track.method == method]
        named = [track for track in section.done if track.name == method] or variants
        if len(named) == 1:
            found[method] = named[0]
    return found


def tracks_of_figure(section: Section, methods: Collection[str]) -> list[TrackResult]:
    """Return the finished tracks of a paper's figure, and the best others instead of those that are missing."""
    of_paper = tracks_by_method(section, methods)
    names = {track.name for track in of_paper.values()}
    return [*of_paper.values(), *(track for track in section.done if track.name not in names)][: len(methods)]


def runs_beside(runs: Iterable[StoredRun], is_selected: Callable[[StoredRun], bool]) -> list[StoredRun]:
    """Return the runs of all sections in which any run is selected, in order."""
    by_section: dict[tuple[str, str], list[StoredRun]] = {}
    for run in runs:
        by_section.setdefault((run.card.data.name, run.card.split.plan), []).append(run)
    return [run for of_section in by_section.values() if any(map(is_selected, of_section)) for run in of_section]


def sections_of(runs: list[StoredRun]) -> list[Section]:
    """Group runs into sections, sorted by data set and split."""
    grouped: dict[tuple[str, str], dict[str, list[StoredRun]]] = {}
    for run in runs:
        key = run.card.data.name, run.card.split.plan
        grouped.setdefault(key, {}).setdefault(run.card.track.name, []).append(run)
    return [
        Section(dataset, split, _ranked([_result(name, tracks) for name in tracks]))
        for (dataset, split), tracks in sorted(grouped.items())
    ]


def _result(name: str, tracks: Mapping[str, list[StoredRun]]) -> TrackResult:
    """Combine the runs of a track with those on which it is built."""
    base_results = _built_on(name, tracks, lambda track: track.base_runs)
    return TrackResult(name, tuple(tracks[name]), base_results, _built_on(name, tracks, lambda track: track.fused_runs))


def _built_on(
    name: str, tracks: Mapping[str, list[StoredRun]], names_of: Callable[[CardTrack], Iterable[str]]
) -> tuple[TrackResult, ...]:
    """Return the results on which a track is built, direct and indirect.

    Args:
        name: name of the track.
        tracks: runs of all tracks of the section.
        names_of: returns the names of the tracks on which a run is directly built.

    """
    found: dict[str, TrackResult] = {}
    todo = list(tracks[name])
    while todo:
        for base in names_of(todo.pop().card.track):
            if base not in found:
                found[base] = TrackResult(base, tuple(tracks.get(base, [])))
                todo += found[base].runs
    return tuple(found.values())


def _ranked(tracks: list[TrackResult]) -> tuple[TrackResult, ...]:
    return tuple(
        sorted(tracks, key=lambda track: (not track.scores, -track.macro_f1 if track.scores else 0, track.name))
    )


def of_section(table: pd.DataFrame, section: Section) -> pd.DataFrame:
    """Return the rows of a table that belong to a section, including all folds of its split and rows over all folds."""
    return table[(table["dataset"] == section.dataset) & table["split"].isin([section.split, *section.splits])]
