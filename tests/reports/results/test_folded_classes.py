"""Counts of predictions after folding classes into broader ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.results.folded_classes import CodedPredictions, coded_predictions
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.metrics import totals_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PREDICTIONS = CodedPredictions(
    classes=("a", "b", "c"),
    truth=np.array([0, 0, 1, 1, 2, 2]),
    predicted=np.array([0, 1, 1, 0, 2, 0]),
    clusters=np.array([0, 0, 1, 1, 1, 0]),
)


def test_merged_classes_are_counted_together() -> None:
    """The column for other names remains zero, and clusters are resampled."""
    names, matrix, units = PREDICTIONS.folded({"a": "x", "b": "x", "c": "c"})

    assert names == ("c", "x")
    assert matrix.tolist() == [[1, 1, 0], [0, 4, 0]]
    assert units.n == 2
    assert units.clusters_of_class.tolist() == [2, 2]


def test_names_do_not_matter() -> None:
    """Names with a different sort order have the same means."""
    found = [
        totals_of(PREDICTIONS.folded(fold)[1])
        for fold in ({"a": "x", "b": "x", "c": "y"}, {"a": "y", "b": "y", "c": "x"}, {"a": "q", "b": "q", "c": "b"})
    ]

    assert len({float(totals.macro(totals.f1)) for totals in found}) == 1


@pytest.mark.parametrize("samples", [0, 5])
def test_codes_match_the_stored_predictions(tmp_path: Path, add_run: Callable[..., Path], samples: int) -> None:
    """They decode to the stored names; samples, if any, are the clusters."""
    add_run(tmp_path, samples=samples)
    (run,) = read_runs(tmp_path)
    predictions = coded_predictions(run)
    names = np.array(predictions.classes)

    assert names[predictions.truth].tolist() == run.predictions["taxon"].tolist()
    assert names[predictions.predicted].tolist() == run.predictions["predicted"].tolist()
    assert (predictions.clusters is None) == (samples == 0)
