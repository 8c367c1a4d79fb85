"""Duplicates within a data set: objects with identical native features or identical image files.

Test objects with a duplicate in training inflate the score.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore

DUPLICATES = "duplicates"
FEWEST_COLUMNS = 8  # two objects can agree in a few features by chance


@dataclass(frozen=True)
class Duplicates:
    """Duplicates in a data set as stored in a results folder.

    Attributes:
        path: JSON file with data_sha256 and groups (lists of ids of identical objects); it need not exist.

    """

    path: Path

    @cached_property
    def _stored(self) -> dict[str, object]:
        try:
            content: dict[str, object] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as fault:
            message = f"{self.path} cannot be read: {fault}. Delete it; the next run searches for duplicates again."
            raise DataError(message) from fault
        return content

    def matches(self, data_sha256: str) -> bool:
        """Return whether the stored duplicates were found in these data."""
        return self._stored.get("data_sha256") == data_sha256

    @property
    def groups(self) -> list[list[str]]:
        """Ids of identical objects, in groups of two or more."""
        groups = self._stored.get("groups", [])
        return groups if isinstance(groups, list) else []

    def shared_with_training(self, truth: pd.DataFrame) -> list[str]:
        """Return the ids of the test objects of a split that have a duplicate among its training objects, sorted."""
        subsets = dict(zip(truth["object_id"], truth["part"], strict=True))
        in_training = [group for group in self.groups if any(subsets.get(name) == "train" for name in group)]
        return sorted(name for group in in_training for name in group if subsets.get(name) == "test")


def duplicates_of(out: Path, dataset: str) -> Duplicates:
    """Return the duplicates in a data set as stored in a results folder."""
    return Duplicates(out / DUPLICATES / f"{dataset}.json")


def store_duplicates(out: Path, dataset: Dataset) -> None:
    """Find the duplicates in a data set and store them, unless they are stored for the same data."""
    stored = duplicates_of(out, dataset.name)
    if stored.matches(dataset.data_sha256):
        return
    content = {"data_sha256": dataset.data_sha256, "groups": find_duplicates(dataset)}
    atomic_write(stored.path, lambda temporary: temporary.write_text(json.dumps(content) + "\n", encoding="utf-8"))


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
