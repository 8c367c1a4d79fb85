"""Runs read from a results folder, with their truth and scores. Neither data nor models are needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.tables import read_table
from ..run_files.card import CARD, CLASSIFICATION, Card, read_card
from ..run_files.predictions import DEFAULT_GROUP, Labels, match, read_labels
from ..run_files.run_folder import IMPORTANCE, PREDICTIONS, PREPARATION, RUNS, TRUTH_COLUMNS, truth_path
from ..scoring.metrics import METRICS, confusion_matrix, totals_of
from ..scoring.score import DRAWS, Context, Score, score_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Value = TypeVar("Value")
COLUMNS = [
    "dataset", "simulated", "track", "split", "seed", "n_test", "n_classes", "macro_f1", "macro_f1_lo", "macro_f1_hi",
    *METRICS, "fit_seconds", "predict_seconds", "status", "reason", "signature",
]  # fmt: skip


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

    @property
    def context(self) -> Context:
        """Origin of the run's test rows, for signatures."""
        card = self.card
        data = f"{card.data.name}(simulated)" if card.data.simulated else card.data.name
        task = "" if card.track.task == CLASSIFICATION else card.track.task
        return Context(data, card.data.sha256, card.data.manifest_sha256, card.split.name, task)

    @cached_property
    def preparation(self) -> pd.DataFrame | None:
        """How the track prepared the native columns; None if it did not store this."""
        return self._optional(PREPARATION)

    @cached_property
    def importance(self) -> pd.DataFrame | None:
        """Importance of each native feature to the track; None if it did not store this."""
        return self._optional(IMPORTANCE)

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
        return {**row, **values, "macro_f1_lo": low, "macro_f1_hi": high, "n_classes": score.classes_scored}


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
    """Return one row per run, with the columns of scores.csv."""
    table = pd.DataFrame([run.row() for run in runs], columns=COLUMNS)
    return table.astype({"n_classes": "Int64"})  # stays integer although failed runs have none
