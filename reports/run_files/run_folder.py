"""File names and paths in a results folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .card import Card


RUNS, TRUTH, REPLACED = "runs", "truth", "replaced"


PREDICTIONS, VALID = "predictions.parquet", "valid.parquet"


PREPARATION, IMPORTANCE, EMBEDDINGS = "preparation.parquet", "importance.parquet", "embeddings.parquet"


SUBCLASSES = "subclasses.parquet"


SCORES = "scores.csv"


TRUTH_COLUMNS = ("object_id", "part", "taxon", "sample", "lineage")


def run_folder(out: Path, card: Card) -> Path:
    """Return the folder of a run."""
    return out / RUNS / card.data.name / card.track.name / card.split.name / f"seed-{card.split.seed}"


def truth_path(out: Path, dataset: str, split: str, seed: int) -> Path:
    """Return the path of the table with subset and taxon of each object."""
    return out / TRUTH / dataset / split / f"seed-{seed}.parquet"
