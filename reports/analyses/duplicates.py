"""Duplicates within a data set: objects whose measurements or image files are the same to the last digit.

A test object whose copy was trained on is known beforehand, so that its score says little.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore
    from ..results.stored_run import StoredRun

DUPLICATES = "duplicates"
FEWEST_COLUMNS = 8  # two objects can agree in a few features by chance


@dataclass(frozen=True)
class Duplicates:
    """What a results folder keeps of the copies in a data set.

    Attributes:
        path: JSON with data_sha256 and groups (lists of ids that are the same); it need not be there.

    """

    path: Path

    @cached_property
    def _stored(self) -> dict[str, object]:
        try:
            found: dict[str, object] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as fault:
            message = f"{self.path} cannot be read: {fault}. Delete it; the next run looks for duplicates again."
            raise DataError(message) from fault
        return found

    def are_of(self, data_sha256: str) -> bool:
        """Tell whether copies were looked for in these data."""
        return self._stored.get("data_sha256") == data_sha256

    @property
    def groups(self) -> list[list[str]]:
        """Ids of objects that are the same, in groups of two or more."""
        groups = self._stored.get("groups", [])
        return groups if isinstance(groups, list) else []

    def tested(self, run: StoredRun) -> list[str]:
        """Return the test objects of a run of which a copy is among its training objects, sorted."""
        if not self.are_of(run.card.data.sha256):
            return []
        parts = dict(zip(run.truth["object_id"], run.truth["part"], strict=True))
        learnt = [group for group in self.groups if any(parts.get(one) == "train" for one in group)]
        return sorted(one for group in learnt for one in group if parts.get(one) == "test")


def duplicates_of(out: Path, dataset: str) -> Duplicates:
    """Return what a results folder keeps of the copies in a data set."""
    return Duplicates(out / DUPLICATES / f"{dataset}.json")


def keep_duplicates(out: Path, dataset: Dataset) -> None:
    """Look for copies in a data set and keep what was found; once for the same data."""
    kept = duplicates_of(out, dataset.name)
    if kept.are_of(dataset.data_sha256):
        return
    content = {"data_sha256": dataset.data_sha256, "groups": find_duplicates(dataset)}
    write_whole(kept.path, lambda part: part.write_text(json.dumps(content) + "\n", encoding="utf-8"))


def find_duplicates(dataset: Dataset) -> list[list[str]]:
    """Return the groups of objects that are the same, each sorted.

    The same are objects that agree in all native features, where there are `FEWEST_COLUMNS` or more, else objects whose
    image files hold the same bytes. `planktonbench data audit` finds images that were encoded again, too.
    """
    if dataset.native is not None and dataset.native.shape[1] >= FEWEST_COLUMNS:
        keys = pd.util.hash_pandas_object(dataset.native, index=False)
    elif dataset.images is not None:
        keys = pd.Series(dict(_digests(dataset.images, dataset.objects["object_id"])), dtype="str")
    else:
        return []
    again = keys[keys.duplicated(keep=False)]
    groups = again.index.to_series().groupby(again).agg(sorted)
    return sorted(groups.tolist())


def _digests(images: ImageStore, object_ids: pd.Series) -> Iterator[tuple[str, str]]:
    """Yield the hash of each object's image file; the data's own checks name those that cannot be read."""
    for object_id in images.in_storage_order(object_ids):
        try:
            yield object_id, hashlib.blake2b(images.read_bytes(object_id), digest_size=16).hexdigest()
        except DataError:
            continue
