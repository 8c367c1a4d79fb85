"""Predictions of a run for one subset of its split, with class scores if these are stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.tables import read_table
from ..run_files.predictions import DEFAULT_GROUP, SCORE
from ..run_files.run_folder import PREDICTIONS, VALID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .stored_run import StoredRun

FILES = {"test": PREDICTIONS, "valid": VALID}


@dataclass(frozen=True)
class SubsetPredictions:
    """Objects of a subset, sorted by object_id.

    Attributes:
        classes: the class list, sorted.
        truth: codes of the true classes, int64 of shape (n_objects,), positions in `classes`.
        predicted: codes of the predicted classes, likewise.
        samples: names of the samples, of shape (n_objects,); None if any object has none.
        scores: float64 of shape (n_objects, n_classes), columns as `classes`; None if none are stored.
        no_scores: reason why there are no scores; empty if there are.

    """

    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    samples: NDArray[np.object_] | None
    scores: NDArray[np.float64] | None
    no_scores: str = ""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each prediction is correct, of shape (n_objects,)."""
        return np.equal(self.truth, self.predicted)

    @cached_property
    def units(self) -> NDArray[np.integer]:
        """Unit of each object for intervals, of shape (n_objects,): its sample, or itself if there are not several.

        Codes from 0 without gaps, in the order of sample names or object ids.
        """
        objects = np.arange(len(self.truth))
        if self.samples is None:
            return objects
        codes, names = pd.factorize(self.samples, sort=True)
        return codes if len(names) > 1 else objects


def subset_predictions(run: StoredRun, subset: Literal["test", "valid"] = "test") -> SubsetPredictions | str:
    """Read the predictions of a finished run for a subset.

    Args:
        run: a finished run.
        subset: test or validation rows.

    Returns:
        The predictions, or the reason why there are none: the subset is empty, or its file is missing, lacks objects or
        contains taxa that are not in the class list.

    Each file is read once for a `StoredRun`.

    Raises:
        DataError: if a file exists but cannot be read.

    """
    return run.cached(f"{subset} predictions", lambda run: _read(run, subset))


def scored_predictions(
    run: StoredRun, subset: Literal["test", "valid"] = "test"
) -> tuple[SubsetPredictions, NDArray[np.float64]] | str:
    """Read predictions and scores of a subset, or return why there are none; see `subset_predictions`."""
    predictions = subset_predictions(run, subset)
    if isinstance(predictions, str):
        return predictions
    return predictions.no_scores if predictions.scores is None else (predictions, predictions.scores)


def _read(run: StoredRun, subset: Literal["test", "valid"]) -> SubsetPredictions | str:
    path = run.folder / FILES[subset]
    known = run.truth[run.truth["part"] == subset].sort_values("object_id")
    if known.empty or not path.is_file():
        return f"the split has no {subset} rows" if known.empty else f"the run stored no {path.name}"
    table = read_table(path, DataError)
    table = table.set_index(table["object_id"].astype("str"))
    missing = known["object_id"][~known["object_id"].isin(table.index)]
    if len(missing):
        return f"{path.name} lacks {len(missing):,} of {len(known):,} objects: {listed(missing)}"
    table = table.loc[known["object_id"]]
    classes = sorted(run.card.data.classes)
    codes = [pd.Index(classes).get_indexer(pd.Index(column)) for column in (known["taxon"], table["taxon"])]
    if min(found.min() for found in codes) < 0:
        return f"{subset} rows have taxa that are not in the run's class list"
    samples = known[DEFAULT_GROUP].to_numpy(object) if known[DEFAULT_GROUP].notna().all() else None
    return SubsetPredictions(tuple(classes), codes[0], codes[1], samples, *_scores(table, classes, path.name))


def _scores(table: pd.DataFrame, classes: list[str], file: str) -> tuple[NDArray[np.float64] | None, str]:
    """Return the scores, or None and the reason."""
    columns = [f"{SCORE}{name}" for name in classes]
    missing = [name for name, column in zip(classes, columns, strict=True) if column not in table.columns]
    if missing:
        what = "has no scores" if len(missing) == len(classes) else f"has no scores of {listed(missing)}"
        return None, f"{file} {what}"
    scores = table[columns].to_numpy(np.float64)
    n_bad = int((~np.isfinite(scores)).any(axis=1).sum())
    return (None, f"{file} has scores that are not finite for {n_bad:,} objects") if n_bad else (scores, "")
