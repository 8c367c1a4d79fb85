"""Signature of a score: all settings that can change the number, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data_manifests.files.tables import table_sha256
from ...data_manifests.seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

HASH_DIGITS = 6
ROW_COLUMNS = ("object_id", "taxon", "group")


def rows_sha256(table: pd.DataFrame) -> str:
    """Return the hash of the rows that are scored, independent of their order and of the predictions.

    Args:
        table: object_id (unique), taxon and, if there is a grouping column, group. Groups are included because they
            determine the interval; other columns are ignored.

    """
    return table_sha256(table[[name for name in ROW_COLUMNS if name in table.columns]])


def names_sha256(names: Iterable[str]) -> str:
    """Return the hash of a set of class names, independent of their order."""
    return sha256_text(*sorted(names))


def rows_of_runs_sha256(tables: Iterable[pd.DataFrame]) -> str:
    """Return the hash of the rows of several runs: of one run that of `rows_sha256`, of more that of all in order."""
    hashes = [rows_sha256(table) for table in tables]
    return hashes[0] if len(hashes) == 1 else sha256_text(*hashes)


@dataclass(frozen=True)
class Signature:
    """Data and settings that a score was computed from.

    Attributes:
        data: name of the data set or truth file.
        data_sha256: hash of its files, or of the truth table.
        manifest_sha256: hash of the manifest, which defines classes and samples; empty if there is none.
        split: name of the split, or `given` for the rows of a truth file.
        rows_sha256: hash of the scored rows, see `rows_sha256`.
        n_objects: number of scored rows.
        n_classes: number of classes with support in the scored rows.
        n_known: number of classes in the class list.
        selected: number of these classes, number from which they were selected, and hash of their names; empty if all
            classes of the data set are used.
        withheld: number of classes without training and validation objects that were withheld, hash of their names,
            and whether they are scored; empty if there are none.
        resampled: unit of the interval: `cluster-<column>` or `object`.
        draws: number of resamples of the bootstrap; 0 if there is none.
        seed: seed of split and resampling.
        version: version of planktonbench.
        metric: the scored metric, or several joined by `+`.
        conventions: choices in their definition.
        task: name of the task, if it is not classification; else empty.
        methods: number of methods that were compared together and hash of their predictions, if more than two; else
            empty. Variances over runs are moderated by those of all methods, and p-values adjusted for all pairs.

    """

    data: str
    data_sha256: str
    manifest_sha256: str
    split: str
    rows_sha256: str
    n_objects: int
    n_classes: int
    n_known: int
    resampled: str
    draws: int
    seed: int
    version: str
    metric: str = "macroF1"
    conventions: tuple[str, ...] = ("absent:listed", "zd:0")
    task: str = ""
    selected: str = ""
    withheld: str = ""
    methods: str = ""

    def __str__(self) -> str:
        """Return the signature as one line, such as `macroF1|data:flowcam@3f9a2c|split:holdout.v1|…`."""
        manifest = [f"manifest:{self.manifest_sha256[:HASH_DIGITS]}"] if self.manifest_sha256 else []
        parts = [
            self.metric,
            f"data:{self.data}@{self.data_sha256[:HASH_DIGITS]}",
            *manifest,
            f"split:{self.split}",
            f"n:{self.n_objects}",
            f"rows:{self.rows_sha256[:HASH_DIGITS]}",
            f"classes:{self.n_classes}/{self.n_known}",
            *([f"selected:{self.selected}"] if self.selected else []),
            *([f"withheld:{self.withheld}"] if self.withheld else []),
            *self.conventions,
            f"ci:{self.resampled}-jackknife",
            *([f"bootstrap:{self.draws}"] if self.draws else []),
            f"seed:{self.seed}",
            *([f"task:{self.task}"] if self.task else []),
            *([f"methods:{self.methods}"] if self.methods else []),
            f"v:{self.version}",
        ]
        return "|".join(parts)
