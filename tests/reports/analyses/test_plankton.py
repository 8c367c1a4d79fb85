"""Scores of plankton only, weighted as in the reference benchmark, whose published values are reproduced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.reports.analyses.plankton import PlanktonOnly, weighted_means
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
def test_published_values_are_reproduced(instrument: str, model: str) -> None:
    """Macro F1, accuracy, and plankton precision and recall follow from per-class precision, recall and support."""
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published tables are not at {PUBLISHED}")
    report = pd.read_csv(PUBLISHED / f"report_{instrument}_detailed.csv")
    metrics = pd.read_csv(PUBLISHED / "prediction_metrics.csv")
    expected = metrics.set_index(["dataset", "model"]).loc[(instrument, model)]
    precision, recall, support = (report[f"{name}-{model}"].to_numpy() for name in ("precision", "recall", "n"))
    hits = np.round(recall * support)
    totals = Totals(hits, support, np.divide(hits, precision, out=np.zeros_like(hits), where=precision > 0))
    means = weighted_means(totals, report["plankton"].to_numpy(bool))

    assert means.tolist() == pytest.approx([expected["plankton_precision"], expected["plankton_recall"]], abs=1e-12)
    assert float(totals.macro(totals.f1)) == pytest.approx(expected["f1_macro"], abs=1e-12)
    assert float(totals.accuracy) == pytest.approx(expected["accuracy"], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_weighted_means_match_scikit_learn(seed: int) -> None:
    """With some classes as `labels` and `average="weighted"`."""
    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, 6, (2, 90))
    selected = np.array([True, False, True, True, False, True])
    labels = np.flatnonzero(selected)
    expected = precision_recall_fscore_support(truth, predicted, labels=labels, average="weighted", zero_division=0)

    assert weighted_means(totals_of(confusion_matrix(truth, predicted, 6)), selected) == pytest.approx(expected[:2])


def test_mean_is_nan_without_plankton() -> None:
    """It is not zero, since there are no objects to find."""
    counts = np.array([3.0, 0.0])

    assert np.isnan(weighted_means(Totals(counts, counts, counts), np.array([False, True]))).all()


def test_table_has_rows_for_classes_and_groups(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Confusing two acantharians lowers scores of classes but not of groups; artefacts do not count."""
    taxa = {"acantharia_protist": 18, "acantharia_protist_halo": 9, "amphipods": 9, "artifacts": 9}
    add_run(tmp_path, dataset="ndsb", taxa=taxa, wrong=5)
    table = PlanktonOnly().table(read_runs(tmp_path)).set_index("rank")

    assert table.index.tolist() == ["taxon", "group"]
    assert table["n_classes"].tolist() == [3, 2]
    assert table["n_objects"].tolist() == [12, 12]
    assert table.loc["taxon", "recall"] == pytest.approx(7 / 12)
    assert table.loc["group", ["precision", "recall"]].tolist() == [1, 1]
    assert (table["recall_lo"] <= table["recall"]).all()
    assert (table["recall"] <= table["recall_hi"]).all()


@pytest.mark.parametrize(
    ("dataset", "taxa", "reason"),
    [
        ("lake", {"egg": 9, "Zoea": 9}, "the manifest of lake does not state whether any class is plankton"),
        ("ndsb", {"amphipods": 9, "Zoea": 9}, "the manifest of ndsb does not state whether Zoea is plankton"),
    ],
)
def test_missing_flags_are_reported(
    tmp_path: Path, add_run: Callable[..., Path], dataset: str, taxa: dict[str, int], reason: str
) -> None:
    """No default is assumed for a class without a flag, as if the manifest of ndsb had lost one."""
    manifests = {"manifest_sha256": load_manifest("ndsb").sha256} if dataset == "ndsb" else {}
    add_run(tmp_path, dataset=dataset, taxa=taxa, **manifests)

    assert PlanktonOnly().table(read_runs(tmp_path))["reason"].tolist() == [reason]
