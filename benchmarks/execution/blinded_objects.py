"""Blinded objects of a run: what its track receives, and how the real ids are put back.

A track sees opaque ids, rows in their order, and no label of a test object. The real ids and the labels of test objects
stay in the process that holds a `BlindedObjects`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data_manifests.blinding.opaque_ids import OpaqueIds
from ...data_manifests.errors import TrackError
from ...data_manifests.subsets import SUBSETS
from ...models.protocol.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ...features.network_images.index import Selection


@dataclass(frozen=True)
class BlindedSubset:
    """One subset of the objects of a run, as the evaluator knows it.

    Attributes:
        object_ids: real ids, text array of shape (n_objects,), in the order in which results are stored.
        classes: class names in the order of the score columns.
        codes: int64 array of shape (n_objects,), index of each label in `classes`; None for test objects.
        opaque_ids: the id under which a track sees each object, text array of shape (n_objects,).
        groups: opaque name of the sample of each object, as a track sees it; None in all subsets if that of any object
            is unknown.

    """

    object_ids: NDArray[np.object_]
    classes: tuple[str, ...]
    codes: NDArray[np.int64] | None
    opaque_ids: NDArray[np.object_]
    groups: NDArray[np.object_] | None

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.object_ids)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Positions of the objects in the order in which a track sees them, intp of shape (n_objects,)."""
        return np.argsort(self.opaque_ids)

    def seen(self, native: pd.DataFrame | None, *, with_labels: bool) -> Objects:
        """Return the objects as a track sees them, without images.

        Args:
            native: feature table by real id; None for none.
            with_labels: whether the track receives their labels.

        """
        ids = self.opaque_ids[self.order]
        return Objects(
            object_ids=ids,
            classes=self.classes,
            native=None if native is None else _renamed(native.loc[pd.Index(self.object_ids[self.order])], ids),
            groups=None if self.groups is None else self.groups[self.order],
            codes=self.codes[self.order] if with_labels and self.codes is not None else None,
        )

    def restored(self, rows: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return rows of shape (n_objects, …), given in the order of a track, in the order of `object_ids`.

        Raises:
            TrackError: there is not one row per object.

        """
        if rows.shape[:1] != (len(self),):
            message = f"The track returned shape {rows.shape}; expected one row for each of {len(self):,} objects."
            raise TrackError(message)
        found = np.empty_like(rows)
        found[self.order] = rows
        return found


def _renamed(table: pd.DataFrame, ids: NDArray[np.object_]) -> pd.DataFrame:
    return table.set_axis(pd.Index(ids, name="object_id"), axis=0)


@dataclass(frozen=True)
class BlindedObjects:
    """All objects of a run.

    Attributes:
        subsets: train, valid and test.

    """

    subsets: Mapping[str, BlindedSubset]
    _real: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, truth: Path, classes: tuple[str, ...], secret: str) -> BlindedObjects:
        """Read the objects of a split.

        Args:
            truth: file with object_id, part, taxon and sample of each object.
            classes: class names in the order of the score columns.
            secret: text from which the keys of the opaque ids are derived.

        """
        table = pd.read_parquet(truth, columns=["object_id", "part", "taxon", "sample"])
        table["opaque_id"] = OpaqueIds.keyed_by("object", secret).of(table["object_id"])
        groups = OpaqueIds.keyed_by("sample", secret) if table["sample"].notna().all() else None
        code = {name: position for position, name in enumerate(classes)}
        subsets = {}
        for subset in SUBSETS:
            rows = table[table["part"] == subset]
            subsets[subset] = BlindedSubset(
                object_ids=rows["object_id"].to_numpy(dtype=object),
                classes=classes,
                codes=None if subset == "test" else rows["taxon"].map(code).to_numpy().astype(np.int64),
                opaque_ids=rows["opaque_id"].to_numpy(dtype=object),
                groups=None if groups is None else groups.of(rows["sample"]),
            )
        return cls(subsets, dict(zip(table["opaque_id"], table["object_id"], strict=True)))

    def real(self, opaque_id: str) -> str | None:
        """Return the real id of an opaque one; None if there is none."""
        return self._real.get(opaque_id)

    def seen(self, native: Path | None, *, with_labels: bool) -> dict[str, Objects]:
        """Return all subsets as a track sees them, without images.

        Args:
            native: file with the feature table; None for none.
            with_labels: whether the track receives the labels of training and validation objects.

        """
        table = None if native is None else pd.read_parquet(native).set_index("object_id")
        return {name: subset.seen(table, with_labels=with_labels) for name, subset in self.subsets.items()}

    def renamed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of some of the objects, indexed by real id, as a track sees it: by opaque id, sorted."""
        opaque = {real: opaque for opaque, real in self._real.items()}
        ids = np.array([opaque[name] for name in table.index], dtype=object)
        order = np.argsort(ids)
        return _renamed(table.iloc[order], ids[order])

    def network_images(self, address: str) -> Selection:
        """Return the network images of all objects as a track sees them."""
        from ...features.network_images.index import read_index

        opaque = np.array(sorted(self._real), dtype=object)
        real = np.array([self._real[name] for name in opaque], dtype=object)
        return read_index(address).select(real, opaque)
