"""The results of one data set under one split, put together for tables and figures.

Several seeds or folds are combined in two ways, and both are said where they are shown: headline numbers are the mean
over runs; confusion matrices and per-class numbers are computed from the counts of all runs added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..scoring.metrics import totals_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..run_files.card import Card, CardNote
    from ..scoring.score import Score
    from .stored_run import StoredRun


@dataclass(frozen=True)
class TrackResult:
    """All runs of one track in a section.

    Attributes:
        name: the track's name.
        runs: its runs, sorted by split and seed; failed and skipped ones too.
        base_results: tracks that a fusion is built on, directly or indirectly; without runs where these are not in the
            folder.

    """

    name: str
    runs: tuple[StoredRun, ...]
    base_results: tuple[TrackResult, ...] = ()

    @cached_property
    def scores(self) -> list[Score]:
        """Scores of the runs that are done."""
        return [run.score for run in self.runs if run.score is not None]

    @property
    def card(self) -> Card:
        """Card of the first run."""
        return self.runs[0].card

    @property
    def macro_f1(self) -> float:
        """Mean macro F1 over runs, NaN when none is done."""
        return _mean([score.macro_f1 for score in self.scores])

    @property
    def interval(self) -> tuple[float, float]:
        """Means over runs of the lower and of the upper end of the interval of macro F1, NaN when none is done."""
        low, high = ([score.macro_f1_interval[end] for score in self.scores] for end in (0, 1))
        return _mean(low), _mean(high)

    @property
    def accuracy(self) -> float:
        """Mean accuracy over runs, NaN when none is done."""
        return _mean([score.accuracy for score in self.scores])

    @property
    def reasons(self) -> list[str]:
        """Why runs are not done, each reason once."""
        texts = [f"{run.card.status}: {run.card.reason}" for run in self.runs if run.card.status != "done"]
        return list(dict.fromkeys(texts))

    @property
    def fit_seconds(self) -> float:
        """Mean seconds of fitting over runs that are done, base models included; NaN if one was not timed."""
        return sum(self._means("fit_seconds"))

    @property
    def predict_seconds(self) -> float:
        """Mean seconds of predicting over runs that are done, base models included; NaN if one was not timed."""
        return sum(self._means("predict_seconds"))

    @property
    def peak_rss_mb(self) -> float:
        """Mean peak memory in MiB over finished runs, or that of its largest base model; NaN if unknown."""
        return float(np.max(self._means("peak_rss_mb")))

    def _means(self, fact: Literal["fit_seconds", "predict_seconds", "peak_rss_mb"]) -> list[float]:
        """Return means of a number of the cards over runs that are done: its own, then those of its base models."""
        told = [
            [getattr(run.card.cost, fact) for run in track.runs if run.card.status == "done"]
            for track in (self, *self.base_results)
        ]
        return [_mean([value for value in values if value is not None]) for values in told]

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Counts of all runs added up, rows truth, columns called, both in the order of the class list."""
        names = sorted({name for score in self.scores for name in score.confusion.index})
        matrices = [score.confusion.reindex(index=names, columns=names, fill_value=0) for score in self.scores]
        return sum(matrices[1:], start=matrices[0])

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 and support from the counts of all runs; classes with support, sorted by name."""
        counts = self.confusion.to_numpy()
        totals = totals_of(np.column_stack([counts, np.zeros(len(counts), counts.dtype)]))
        table = pd.DataFrame(
            {
                "taxon": self.confusion.index,
                "precision": totals.precision,
                "recall": totals.recall,
                "f1": totals.f1,
                "support": totals.support.astype(np.int64),
            }
        )
        return table[table["support"] > 0].reset_index(drop=True)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Section:
    """Results of one data set under one split.

    Attributes:
        dataset: name of the data set.
        split: name of the split, without the number of the fold.
        tracks: best mean macro F1 first; tracks without a finished run last.

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
        """Largest number of finished runs of a track."""
        return max((len(track.scores) for track in self.done), default=0)

    @property
    def runs(self) -> list[StoredRun]:
        """All runs of the section."""
        return [run for track in self.tracks for run in track.runs]

    @property
    def splits(self) -> list[str]:
        """Names of the splits of its runs: one for each fold."""
        return sorted({run.card.split.name for run in self.runs})

    @property
    def drawn_by(self) -> str:
        """What is drawn again and again for the intervals of its finished runs: `samples` or `single objects`."""
        return "samples" if "ci:cluster" in self.done[0].scores[0].signature else "single objects"

    @cached_property
    def class_sizes(self) -> pd.Series:
        """Objects per class over train, valid and test of the first run's split; the largest first, then by name."""
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
        """What was found in the data and left out, each once."""
        notes = {(note.code, note.text): note for run in self.runs for note in run.card.notes}
        return list(notes.values())

    @property
    def measured(self) -> dict[str, Any] | None:
        """How features were measured from the images, as the card of the first run that learnt from such tells."""
        told = (run.card.track.features for run in self.runs)
        return next((features for features in told if "measured" in features.get("table", "").split("+")), None)

    @property
    def simulated(self) -> bool:
        """Whether any run is on simulated data."""
        return any(run.card.data.simulated for run in self.runs)

    @cached_property
    def importance(self) -> tuple[TrackResult, pd.DataFrame] | None:
        """The best track that tells how much each feature mattered, with means over its runs, by gain.

        The table has feature, gain (share of the total), permutation (loss of macro F1 on validation rows) and
        permutation_sd over runs, NaN with a single one.
        """
        for track in self.done:
            told = [run.importance for run in track.runs if run.importance is not None]
            if told:
                grouped = pd.concat(told).groupby("feature")
                table = grouped[["gain", "permutation"]].mean().assign(permutation_sd=grouped["permutation"].std())
                return track, table.sort_values("gain", ascending=False, kind="stable").reset_index()
        return None

    @property
    def preparation(self) -> tuple[StoredRun, pd.DataFrame] | None:
        """The first run that tells what it did to the native columns, with its table."""
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
    """Put the runs of a track together with those of all tracks that it is built on, at first or second hand."""
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
    """Return the rows of a table that belong to one data set under one split, all of its folds."""
    return table[(table["dataset"] == section.dataset) & table["split"].isin(section.splits)]
