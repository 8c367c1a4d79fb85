"""How well each native feature alone recognises the taxa, as stored in a results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.audit.leaks import leaking, single_feature_scores
from ..run_files.run_folder import TRUTH
from .stored_findings import StoredFindings

if TYPE_CHECKING:
    from pathlib import Path

    from ...data_manifests.dataset import Dataset


class SingleFeatures(StoredFindings):
    """Scores of single features as stored in a results folder: n_objects, n_taxa, and balanced accuracy by feature."""

    folder = "single-features"
    again = "computes the scores"

    @property
    def scores(self) -> pd.Series:
        """Balanced accuracy by feature."""
        return pd.Series(self.content.get("scores", {}), dtype="float64")

    @property
    def leaking(self) -> pd.Series:
        """Features that may leak the label, best first."""
        return leaking(self.scores, int(self.content.get("n_taxa", 0)))


def store_single_features(out: Path, dataset: Dataset) -> None:
    """Compute the scores of single native features and store them, unless they are stored for the same data.

    They are computed from training and validation objects of the first stored split; labels of its test objects are not
    used. Measured features are computed from pixels alone, and not examined.
    """
    stored = SingleFeatures.of(out, dataset.name)
    splits = sorted((out / TRUTH / dataset.name).glob("*/seed-*.parquet"))
    if stored.matches(dataset.data_sha256) or dataset.native is None or not splits:
        return
    truth = pd.read_parquet(splits[0], columns=["object_id", "part", "taxon"])
    rows = truth[(truth["part"] != "test") & truth["object_id"].isin(dataset.native.index)]
    scores = single_feature_scores(dataset.native.loc[rows["object_id"]], rows["taxon"].reset_index(drop=True))
    findings = {
        "n_objects": len(rows),
        "n_taxa": int(rows["taxon"].nunique()),
        "scores": {name: round(float(score), 4) for name, score in scores.items()},
    }
    stored.store(dataset.data_sha256, findings)
