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
    from collections.abc import Mapping

    from ..run_files.card import Card, CardNote
    from ..scoring.score import Score
    from .stored_run import StoredRun

FEWEST_PERFECT = 20  # among fewer test objects, a good method may make no error by chance


@dataclass(frozen=True)
class TrackResult:
    """All runs of one track in a section.

    Attributes:
        name: the track's name.
        runs: its runs, sorted by split and seed, including failed and skipped ones.
        base_results: base models of a fusion, direct and indirect; without runs if these are not in the folder.

    """

    name: str
    runs: tuple[StoredRun, ...]
    base_results: tuple[TrackResult, ...] = ()

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
        """Mean fitting time in seconds over finished runs, including base models; NaN if one was not timed."""
        return sum(self._means("fit_seconds"))

    @property
    def predict_seconds(self) -> float:
        """Mean prediction time in seconds over finished runs, including base models; NaN if one was not timed."""
        return sum(self._means("predict_seconds"))

    @property
    def peak_rss_mb(self) -> float:
        """Mean peak memory in MiB over finished runs, or that of its largest base model; NaN if unknown."""
        return float(np.max(self._means("peak_rss_mb")))

    def _means(self, fact: Literal["fit_seconds", "predict_seconds", "peak_rss_mb"]) -> list[float]:
        """Return means of a cost over finished runs: first of the track itself, then of each base model."""
        by_track = [
            [getattr(run.card.cost, fact) for run in track.runs if run.card.status == "done"]
            for track in (self, *self.base_results)
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
        tracks: sorted by mean macro F1, best first; tracks without a finished run come last.

    """

    dataset: str
    split: str
    tracks: tuple[TrackResult, ...]

    @property
    def done(self) -> list[TrackResult]:
        """Tracks with at least one finished run."""
        return [track for track in self.tracks if track.scores]

    @property
    def n_runs(self) -> int:
        """Largest number of finished runs of any track."""
        return max((len(track.scores) for track in self.done), default=0)

    @property
    def runs(self) -> list[StoredRun]:
        """All runs of the section."""
        return [run for track in self.tracks for run in track.runs]

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
    """Combine the runs of a track with those of its base models, direct and indirect."""
    found: dict[str, TrackResult] = {}
    todo = list(tracks[name])
    while todo:
        for base in todo.pop().card.track.base_runs:
            if base not in found:
                found[base] = TrackResult(base, tuple(tracks.get(base, [])))
                todo += found[base].runs
    return TrackResult(name, tuple(tracks[name]), tuple(found.values()))


def _ranked(tracks: list[TrackResult]) -> tuple[TrackResult, ...]:
    return tuple(
        sorted(tracks, key=lambda track: (not track.scores, -track.macro_f1 if track.scores else 0, track.name))
    )


def of_section(table: pd.DataFrame, section: Section) -> pd.DataFrame:
    """Return the rows of a table that belong to a section, including all folds of its split and rows over all folds."""
    return table[(table["dataset"] == section.dataset) & table["split"].isin([section.split, *section.splits])]
