"""Plankton alone: weighted as the field's reference benchmark does, whose published numbers come out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.reports.analyses.plankton import plankton_table, weighted_means
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.scoring.metrics import Totals, confusion_matrix, totals_of
from sklearn.metrics import precision_recall_fscore_support

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "field" / "published"
INSTRUMENTS = ("flowcam", "ifcb", "isiis", "uvp6", "zoocam", "zooscan")
MODELS = ("native_rf", "mobilenet_pca50_rf", "mobilenet600", "effnetv2s")


@pytest.mark.real_data
@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("model", MODELS)
def test_published_numbers_come_out_again(instrument: str, model: str) -> None:
    """From per-class precision, recall and support: macro F1, accuracy, and precision and recall of plankton."""
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published tables are not at {PUBLISHED}")
    report = pd.read_csv(PUBLISHED / f"report_{instrument}_detailed.csv")
    told = pd.read_csv(PUBLISHED / "prediction_metrics.csv").set_index(["dataset", "model"]).loc[(instrument, model)]
    precision, recall, support = (report[f"{name}-{model}"].to_numpy() for name in ("precision", "recall", "n"))
    hits = np.round(recall * support)
    totals = Totals(hits, support, np.divide(hits, precision, out=np.zeros_like(hits), where=precision > 0))
    found = weighted_means(totals, report["plankton"].to_numpy(bool))

    assert found.tolist() == pytest.approx([told["plankton_precision"], told["plankton_recall"]], abs=1e-12)
    assert float(totals.macro(totals.f1)) == pytest.approx(told["f1_macro"], abs=1e-12)
    assert float(totals.accuracy) == pytest.approx(told["accuracy"], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_means_are_those_of_scikit_learn(seed: int) -> None:
    """With some classes as labels and `average="weighted"`."""
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 6, (2, 90))
    among = np.array([True, False, True, True, False, True])
    labels = np.flatnonzero(among)
    expected = precision_recall_fscore_support(truth, predicted, labels=labels, average="weighted", zero_division=0)

    assert weighted_means(totals_of(confusion_matrix(truth, predicted, 6)), among) == pytest.approx(expected[:2])


def test_no_plankton_has_no_mean() -> None:
    """NaN, not zero: there was nothing to find."""
    counts = np.array([3.0, 0.0])

    assert np.isnan(weighted_means(Totals(counts, counts, counts), np.array([False, True]))).all()


def test_tables_hold_classes_and_groups(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Two acantharians that are taken for one another lower the first row, not the second; artefacts do not count."""
    taxa = {"acantharia_protist": 18, "acantharia_protist_halo": 9, "amphipods": 9, "artifacts": 9}
    add_run(tmp_path, dataset="ndsb", taxa=taxa, wrong=5)
    table = plankton_table(read_runs(tmp_path)).set_index("rank")

    assert table.index.tolist() == ["taxon", "group"]
    assert table["n_classes"].tolist() == [3, 2]
    assert table["n_objects"].tolist() == [12, 12]
    assert table.loc["taxon", "recall"] == pytest.approx(7 / 12)
    assert table.loc["group", ["precision", "recall"]].tolist() == [1, 1]
    assert (table["recall_lo"] <= table["recall"]).all()
    assert (table["recall"] <= table["recall_hi"]).all()


@pytest.mark.parametrize(
    ("dataset", "taxa", "words"),
    [
        ("lake", {"egg": 9, "Zoea": 9}, "the manifest of lake does not state whether any class is plankton"),
        ("ndsb", {"amphipods": 9, "Zoea": 9}, "the manifest of ndsb does not state whether Zoea is plankton"),
    ],
)
def test_missing_flags_are_told(
    tmp_path: Path, add_run: Callable[..., Path], dataset: str, taxa: dict[str, int], words: str
) -> None:
    """A class of which nobody tells is not taken for anything."""
    add_run(tmp_path, dataset=dataset, taxa=taxa)

    assert plankton_table(read_runs(tmp_path))["reason"].tolist() == [words]
