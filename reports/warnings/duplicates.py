"""Duplicates within a data set: objects with identical native features or identical image files.

Test objects with a duplicate in training inflate the score.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from .stored_findings import StoredFindings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore

FEWEST_COLUMNS = 8  # two objects can agree in a few features by chance


class Duplicates(StoredFindings):
    """Duplicates in a data set as stored in a results folder: groups of ids of identical objects."""

    folder = "duplicates"
    again = "searches for duplicates"

    @property
    def groups(self) -> list[list[str]]:
        """Ids of identical objects, in groups of two or more."""
        groups = self.content.get("groups", [])
        return groups if isinstance(groups, list) else []

    def shared_with_training(self, truth: pd.DataFrame) -> list[str]:
        """Return the ids of the test objects of a split that have a duplicate among its training objects, sorted."""
        subsets = dict(zip(truth["object_id"], truth["part"], strict=True))
        in_training = [group for group in self.groups if any(subsets.get(name) == "train" for name in group)]
        return sorted(name for group in in_training for name in group if subsets.get(name) == "test")


def store_duplicates(out: Path, dataset: Dataset) -> None:
    """Find the duplicates in a data set and store them, unless they are stored for the same data."""
    stored = Duplicates.of(out, dataset.name)
    if not stored.matches(dataset.data_sha256):
        stored.store(dataset.data_sha256, {"groups": find_duplicates(dataset)})


def find_duplicates(dataset: Dataset) -> list[list[str]]:
    """Return groups of ids of identical objects, each sorted.

    Objects are identical if they agree in all native features, given at least `FEWEST_COLUMNS` of these, or else if
    their image files have the same bytes. `planktonbench data audit` also finds re-encoded images.
    """
    if dataset.native is not None and dataset.native.shape[1] >= FEWEST_COLUMNS:
        keys = pd.util.hash_pandas_object(dataset.native, index=False)
    elif dataset.images is not None:
        keys = pd.Series(dict(_digests(dataset.images, dataset.objects["object_id"])), dtype="str")
    else:
        return []
    repeated = keys[keys.duplicated(keep=False)]
    groups = repeated.index.to_series().groupby(repeated).agg(sorted)
    return sorted(groups.tolist())


def _digests(images: ImageStore, object_ids: pd.Series) -> Iterator[tuple[str, str]]:
    """Yield the hash of each object's image file; unreadable files are skipped, since data checks report them."""
    for object_id in images.in_storage_order(object_ids):
        try:
            yield object_id, hashlib.blake2b(images.read_bytes(object_id), digest_size=16).hexdigest()
        except DataError:
            continue
