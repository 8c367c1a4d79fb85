"""Runs of a clustering track: no labels are seen, clusters are stored, named and judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

if TYPE_CHECKING:
    from pathlib import Path

TRACKS = """
import numpy as np
from planktonbench import Track
from planktonbench.models.clustering.kmeans import KmeansNative
from planktonbench.models.table_tracks.baselines import Majority

class Peeks(KmeansNative):
    name = "peeks"
    def fit(self, train, valid, *, rng):
        self.y = valid.y

class Fused(Majority):
    name = "fused"
    base_models = ("kmeans-native",)
    def fit(self, train, valid, *, rng):
        self.context.base_run("kmeans-native").log_probabilities(valid)

class Borrowed(KmeansNative):
    name = "borrowed"
    base_models = ("majority",)

class Lost(KmeansNative):
    name = "lost"
    task = "clusterin"
"""


@pytest.fixture
def tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with tracks in the working directory."""
    (tmp_path / "tracks.py").write_text(TRACKS)
    monkeypatch.chdir(tmp_path)
    return "tracks.py"


def test_kmeans_is_judged_in_the_report(challenge: Path, tmp_path: Path) -> None:
    """The report has ACC, NMI and ARI with intervals, as recomputed from stored clusters; the card says no labels."""
    out = tmp_path / "out"

    scores = pb.run("flowcam", tracks=["kmeans-native", "majority"], seeds=[0, 1], data_dir=challenge, out=out)

    table = pd.read_csv(out / "report" / "tables" / "clustering.csv").set_index("seed")
    assert table["track"].tolist() == ["kmeans-native"] * 2
    for seed in (0, 1):
        folder = out / "runs" / "flowcam" / "kmeans-native" / "holdout.v1" / f"seed-{seed}"
        card = json.loads((folder / "card.json").read_text("utf-8"))
        stored = pd.read_parquet(folder / "predictions.parquet")
        truth = pd.read_parquet(out / "truth" / "flowcam" / "holdout.v1" / f"seed-{seed}.parquet")
        taxa = truth.set_index("object_id").loc[stored["object_id"], "taxon"].to_numpy()
        counts = pd.crosstab(stored["cluster"].to_numpy(), taxa).to_numpy()
        row = table.loc[seed]
        assert (card["task"], card["labels"]) == ("clustering", "none")
        assert row["acc"] == pytest.approx(counts[linear_sum_assignment(-counts)].sum() / len(taxa))
        assert row["nmi"] == pytest.approx(normalized_mutual_info_score(taxa, stored["cluster"]))
        assert row["ari"] == pytest.approx(adjusted_rand_score(taxa, stored["cluster"]))
        assert row["acc_lo"] <= row["acc"] <= row["acc_hi"]
        assert row["labels_used"] == card["n_valid"]
    named = scores[scores["track"] == "kmeans-native"].set_index("seed")["macro_f1"]
    np.testing.assert_allclose(table["named_macro_f1"], named)
    page = (out / "report" / "dataset-flowcam.html").read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "Agreement of clusters with taxa" in page
    assert "flowcam-clustering.png" in page
    assert f"{table['acc'].mean():.3f} [{table['acc_lo'].mean():.3f}, {table['acc_hi'].mean():.3f}]" in page
    methods = (out / "report" / "tables" / "flowcam-methods.txt").read_text("utf-8")
    assert "kmeans-native received no labels." in methods
    assert "Clusters of kmeans-native were named by" in methods


@pytest.mark.usefixtures("scores_only")
def test_labels_and_scores_of_a_clustering_are_refused(challenge: Path, tmp_path: Path, tracks: str) -> None:
    """A clustering that asks for labels fails, and so does a fusion that asks a clustering for scores.

    The card of a clustering that is built on a track with labels states that labels were seen.
    """
    names = [f"{tracks}:Peeks", f"{tracks}:Fused", f"{tracks}:Borrowed"]
    out = tmp_path / "out"

    scores = pb.run("flowcam", tracks=names, seeds=[0], data_dir=challenge, out=out).set_index("track")

    assert "a track receives labels only in fit, and only if its task uses labels" in scores["reason"]["peeks"]
    assert "Track 'kmeans-native' has no scores" in scores["reason"]["fused"]
    cards = {path.parents[2].name: json.loads(path.read_text("utf-8")) for path in (out / "runs").rglob("card.json")}
    assert {name: card["labels"] for name, card in cards.items()} == {
        "peeks": "none", "fused": "all", "borrowed": "all", "kmeans-native": "none", "majority": "all",
    }  # fmt: skip


def test_an_unknown_task_is_refused_before_anything_runs(challenge: Path, tmp_path: Path, tracks: str) -> None:
    """Near matches are suggested."""
    with pytest.raises(pb.TrackError, match=r"no task named 'clusterin'.*clustering"):
        pb.run("flowcam", tracks=[f"{tracks}:Lost"], data_dir=challenge, out=tmp_path / "out")

    assert not (tmp_path / "out" / "truth").exists()
