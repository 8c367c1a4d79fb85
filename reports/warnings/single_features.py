"""How well each native feature alone recognises the taxa, as stored in a results folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...data_manifests.audit.leaks import leaking, single_feature_scores
from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write
from ..run_files.run_folder import TRUTH

if TYPE_CHECKING:
    from pathlib import Path

    from ...data_manifests.dataset import Dataset

SINGLE_FEATURES = "single-features"


@dataclass(frozen=True)
class SingleFeatures:
    """Scores of single features as stored in a results folder.

    Attributes:
        path: JSON file with data_sha256, n_objects and scores (balanced accuracy by feature); it need not exist.

    """

    path: Path

    @cached_property
    def _stored(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as fault:
            message = f"{self.path} cannot be read: {fault}. Delete it; the next run computes the scores again."
            raise DataError(message) from fault
        return content

    def matches(self, data_sha256: str) -> bool:
        """Return whether the scores were computed from these data."""
        return self._stored.get("data_sha256") == data_sha256

    @property
    def scores(self) -> pd.Series:
        """Balanced accuracy by feature."""
        return pd.Series(self._stored.get("scores", {}), dtype="float64")

    @property
    def leaking(self) -> pd.Series:
        """Features that may leak the label, best first."""
        return leaking(self.scores, int(self._stored.get("n_taxa", 0)))


def single_features_of(out: Path, dataset: str) -> SingleFeatures:
    """Return the scores of single features of a data set as stored in a results folder."""
    return SingleFeatures(out / SINGLE_FEATURES / f"{dataset}.json")


def store_single_features(out: Path, dataset: Dataset) -> None:
    """Compute the scores of single native features and store them, unless they are stored for the same data.

    They are computed from training and validation objects of the first stored split; labels of its test objects are not
    used. Measured features are computed from pixels alone, and not examined.
    """
    stored = single_features_of(out, dataset.name)
    splits = sorted((out / TRUTH / dataset.name).glob("*/seed-*.parquet"))
    if stored.matches(dataset.data_sha256) or dataset.native is None or not splits:
        return
    truth = pd.read_parquet(splits[0], columns=["object_id", "part", "taxon"])
    rows = truth[(truth["part"] != "test") & truth["object_id"].isin(dataset.native.index)]
    scores = single_feature_scores(dataset.native.loc[rows["object_id"]], rows["taxon"].reset_index(drop=True))
    content = {
        "data_sha256": dataset.data_sha256,
        "n_objects": len(rows),
        "n_taxa": int(rows["taxon"].nunique()),
        "scores": {name: round(float(score), 4) for name, score in scores.items()},
    }
    atomic_write(stored.path, lambda temporary: temporary.write_text(json.dumps(content) + "\n", encoding="utf-8"))
