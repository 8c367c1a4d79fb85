"""Scores with and without withheld classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.reports.analyses.withheld_classes import COLUMNS, WithheldClasses, mean_over
from planktonbench.reports.results.run_table import KEYS, REASON
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.metrics import confusion_matrix, totals_of
from sklearn.metrics import f1_score, recall_score

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WITHHELD = ["detritus", "krill"]
TAXA = {"Copepoda": 18, "detritus": 36, "egg (other)": 12, "krill": 9}


def test_the_values_are_those_of_scikit_learn(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """On all test objects, on those of seen classes, and as means over some of the classes."""
    add_run(tmp_path, taxa=TAXA, wrong=9, withheld=WITHHELD)
    (run,) = read_runs(tmp_path)
    (row,) = WithheldClasses().table([run]).to_dict("records")
    rows, seen = run.predictions, sorted({*TAXA} - {*WITHHELD})
    truth, predicted = rows["taxon"], rows["predicted"]
    known = ~truth.isin(WITHHELD)
    expected = {
        "macro_f1": f1_score(truth, predicted, average="macro"),
        "macro_f1_seen": f1_score(truth[known], predicted[known], labels=seen, average="macro"),
        "macro_f1_of_seen": f1_score(truth, predicted, labels=seen, average="macro"),
        "recall_withheld": recall_score(truth, predicted, labels=WITHHELD, average="macro"),
    }

    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert len({round(value, 6) for value in expected.values()}) == 4
    assert all(row[f"{name}_lo"] <= row[name] <= row[f"{name}_hi"] for name in expected)
    assert (row["n_withheld"], row["n_objects"], row["n_objects_withheld"]) == (2, len(rows), int((~known).sum()))
    assert "(not-scored)" in row["signature_seen"]


@pytest.mark.parametrize("seed", range(3))
def test_a_mean_over_classes_leaves_out_those_without_objects(seed: int) -> None:
    """It is that of scikit-learn over the others; without any it is missing."""
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 5, 60), rng.integers(0, 6, 60)
    totals = totals_of(confusion_matrix(truth, predicted, 6))
    selected = np.array([True, False, False, True, False, True])
    expected = f1_score(truth, predicted, labels=[0, 3], average="macro")

    assert mean_over(totals.f1, totals, selected).tolist() == pytest.approx([expected])
    assert np.isnan(mean_over(totals.f1, totals, np.eye(6, dtype=bool)[5])).all()


def test_only_runs_with_withheld_classes_have_rows(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """And only their sections show the analysis; the page names the classes with their test objects."""
    analysis = WithheldClasses()
    add_run(tmp_path, taxa=TAXA, withheld=WITHHELD)
    add_run(tmp_path, "lost", taxa=TAXA, withheld=WITHHELD, status="failed")
    add_run(tmp_path, dataset="bay", taxa=TAXA)
    runs = read_runs(tmp_path)
    table = analysis.table(runs)
    bay, lake = sections_of(runs)

    assert [*table.columns] == [*KEYS, *COLUMNS, REASON]
    assert table["track"].tolist() == ["good"]
    assert [analysis.applies(bay), analysis.applies(lake)] == [False, True]
    assert analysis.remarks(lake, table) == [
        "Withheld: detritus (12 test objects over all runs), krill (3 test objects over all runs)."
    ]
    assert "without withheld classes" in analysis.summary(table)
