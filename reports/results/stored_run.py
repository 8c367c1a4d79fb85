"""Runs read from a results folder, with their truth and scores. Neither data nor models are needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.tables import read_table
from ..run_files.card import CARD, CLASSIFICATION, Card, read_card
from ..run_files.predictions import DEFAULT_GROUP, Labels, match, read_labels
from ..run_files.run_folder import (
    IMPORTANCE,
    PREDICTIONS,
    PREPARATION,
    RUNS,
    SUBCLASSES,
    TRUTH_COLUMNS,
    truth_path,
)
from ..scoring.metrics import METRICS, confusion_matrix, totals_of
from ..scoring.score import DRAWS, Context, Score, score_labels
from ..scoring.signature import HASH_DIGITS, names_sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Value = TypeVar("Value")
COLUMNS = [
    "dataset", "simulated", "track", "split", "seed", "n_test", "n_classes", "macro_f1", "macro_f1_lo", "macro_f1_hi",
    *METRICS, "fit_seconds", "predict_seconds", "status", "reason", "signature",
]  # fmt: skip
SEEN_COLUMNS = ["n_withheld", "macro_f1_seen", "macro_f1_seen_lo", "macro_f1_seen_hi"]
"""Further columns of scores.csv if a run has withheld classes: their number, and macro F1 without them."""


@dataclass(frozen=True)
class StoredRun:
    """One run of a results folder.

    Attributes:
        out: the results folder.
        folder: folder of the run.
        card: its run card.

    """

    out: Path
    folder: Path
    card: Card

    def cached(self, name: str, compute: Callable[[StoredRun], Value]) -> Value:
        """Return a value that several tables share, computed on first access and cached under a unique name."""
        if name not in self._cache:
            self._cache[name] = compute(self)
        value: Value = self._cache[name]
        return value

    @cached_property
    def _cache(self) -> dict[str, Any]:
        return {}

    @cached_property
    def truth(self) -> pd.DataFrame:
        """All objects of the split: object_id, part, taxon, sample, lineage.

        Raises:
            DataError: if the file is missing or unreadable, or lacks a column.

        """
        table = read_table(self.truth_path, DataError)
        missing = [name for name in TRUTH_COLUMNS if name not in table.columns]
        if missing:
            message = f"{self.truth_path} has no column {listed(missing)}; expected {listed(TRUTH_COLUMNS)}."
            raise DataError(message)
        return table

    @property
    def truth_path(self) -> Path:
        """Path of the run's truth file."""
        return truth_path(self.out, self.card.data.name, self.card.split.name, self.card.split.seed)

    @cached_property
    def test_labels(self) -> Labels:
        """Truth of the test rows, grouped by sample if every object has one."""
        test = self.truth[self.truth["part"] == "test"]
        group = DEFAULT_GROUP if test[DEFAULT_GROUP].notna().all() else None
        labels = test[["object_id", "taxon", *([group] if group else [])]].rename(columns={DEFAULT_GROUP: "group"})
        return Labels(str(self.truth_path), labels, group, ())

    @cached_property
    def _predicted(self) -> Labels:
        return read_labels(self.folder / PREDICTIONS, "predictions", error=DataError)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Test rows of a finished run with object_id, true and predicted taxon, sorted by object_id."""
        return match(self.test_labels, self._predicted)

    def test_macro_f1(self) -> float:
        """Return macro F1 of a finished run on its test rows, without the interval, which takes longer to compute."""
        names = pd.Index(self.card.data.classes)
        truth, predicted = (names.get_indexer(pd.Index(self.predictions[name])) for name in ("taxon", "predicted"))
        other = np.where(predicted < 0, len(names), predicted)  # clusters without a name
        totals = totals_of(confusion_matrix(truth, other, len(names)))
        return float(totals.macro(totals.f1))

    @cached_property
    def score(self) -> Score | None:
        """Score of the run on its test rows; None if it is not finished."""
        card = self.card
        if card.status != "done":
            return None
        labels = self.test_labels, self._predicted
        return score_labels(*labels, card.data.classes, draws=DRAWS, seed=card.split.seed, context=self.context)

    @cached_property
    def seen_score(self) -> Score | None:
        """Score of a finished run on the test rows of classes that are not withheld; None if there are no others.

        It is the score as if objects of withheld classes did not exist; predictions of these classes are errors.
        """
        card, labels = self.card, self.test_labels
        if card.status != "done" or not card.data.withheld:
            return None
        known = replace(labels, table=labels.table[~labels.table["taxon"].isin(card.data.withheld)])
        rows = self._predicted.table["object_id"].isin(known.table["object_id"])
        predicted = replace(self._predicted, table=self._predicted.table[rows])
        context = replace(self.context, withheld=f"{self.context.withheld}(not-scored)")
        return score_labels(known, predicted, card.data.classes, draws=DRAWS, seed=card.split.seed, context=context)

    @property
    def context(self) -> Context:
        """Origin of the run's test rows, for signatures."""
        card, data = self.card, self.card.data
        classes, withheld = (names_sha256(names)[:HASH_DIGITS] for names in (data.classes, data.withheld))
        return Context(
            data=f"{data.name}(simulated)" if data.simulated else data.name,
            data_sha256=data.sha256,
            manifest_sha256=data.manifest_sha256,
            split=card.split.name,
            task="" if card.track.task == CLASSIFICATION else card.track.task,
            selected="" if data.selected is None else f"{len(data.classes)}/{data.selected.of}@{classes}",
            withheld=f"{len(data.withheld)}@{withheld}" if data.withheld else "",
            manifest=data.manifest,
        )

    @cached_property
    def preparation(self) -> pd.DataFrame | None:
        """How the track prepared the native columns; None if it did not store this."""
        return self._optional(PREPARATION)

    @cached_property
    def importance(self) -> pd.DataFrame | None:
        """Importance of each native feature to the track; None if it did not store this."""
        return self._optional(IMPORTANCE)

    @cached_property
    def subclasses(self) -> pd.DataFrame | None:
        """Sub-class of each training object (object_id, taxon, subclass); None if the track did not store this."""
        return self._optional(SUBCLASSES)

    def _optional(self, name: str) -> pd.DataFrame | None:
        path = self.folder / name
        return read_table(path, DataError) if path.is_file() else None

    def row(self) -> dict[str, object]:
        """Return the run's row of scores.csv."""
        card, score = self.card, self.score
        flat = card.flat()
        row = {name: flat.get(name) for name in COLUMNS}
        if score is None:
            return {**row, "signature": ""}
        low, high = score.macro_f1_interval
        values = {name: getattr(score, name) for name in COLUMNS if hasattr(score, name)}
        row |= {**values, "macro_f1_lo": low, "macro_f1_hi": high, "n_classes": score.classes_scored}
        return row | self._seen_columns()

    def _seen_columns(self) -> dict[str, object]:
        """Return the number of withheld classes and the score without them by column; empty if there are none."""
        seen = self.seen_score
        if seen is None:
            return {}
        return dict(
            zip(SEEN_COLUMNS, (len(self.card.data.withheld), seen.macro_f1, *seen.macro_f1_interval), strict=True)
        )


def read_runs(out: Path) -> list[StoredRun]:
    """Read all runs of a results folder, sorted by data set, split, track and seed.

    Raises:
        DataError: if the folder has no runs, or a card cannot be read.

    """
    folders = [path.parent for path in (out / RUNS).rglob(CARD)]
    cards = [(folder, read_card(folder)) for folder in folders if not folder.name.startswith(".")]
    runs = [StoredRun(out, folder, card) for folder, card in cards if card is not None]
    if not runs:
        message = f"{out} holds no runs (expected {out / RUNS}/<dataset>/<track>/<split>/seed-<k>/{CARD})."
        raise DataError(message)
    return sorted(
        runs, key=lambda run: (run.card.data.name, run.card.split.name, run.card.track.name, run.card.split.seed)
    )


def scores_table(runs: list[StoredRun]) -> pd.DataFrame:
    """Return one row per run, with the columns of scores.csv; `SEEN_COLUMNS` only if a run has withheld classes."""
    seen = SEEN_COLUMNS if any(run.card.data.withheld for run in runs) else []
    table = pd.DataFrame([run.row() for run in runs], columns=[*COLUMNS, *seen])
    integers = {"n_classes", "n_withheld"} & {*table.columns}  # they stay integers although failed runs have none
    return table.astype(dict.fromkeys(sorted(integers), "Int64"))
