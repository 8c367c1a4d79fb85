"""Signature of a score: all settings that can change the number, in one line."""

from __future__ import annotations

from dataclasses import dataclass

HASH_DIGITS = 6


@dataclass(frozen=True)
class Signature:
    """Data and settings that a score was computed from.

    Attributes:
        data: name of the data set or truth file.
        data_sha256: hash of its files, or of the truth table.
        manifest_sha256: hash of the manifest, which defines classes and samples; empty if there is none.
        split: name of the split, or `given` for the rows of a truth file.
        n_objects: number of scored rows.
        n_classes: number of classes with support in the scored rows.
        n_known: number of classes in the class list.
        resampled: resampling unit of the interval: `cluster-<column>` or `object`.
        draws: number of resamples, or `jackknife`.
        seed: seed of split and resampling.
        version: version of planktonbench.
        metric: the scored metric, or several joined by `+`.
        conventions: choices in their definition.
        task: name of the task, if it is not classification; else empty.

    """

    data: str
    data_sha256: str
    manifest_sha256: str
    split: str
    n_objects: int
    n_classes: int
    n_known: int
    resampled: str
    draws: int | str
    seed: int
    version: str
    metric: str = "macroF1"
    conventions: tuple[str, ...] = ("absent:listed", "zd:0")
    task: str = ""

    def __str__(self) -> str:
        """Return the signature as one line, such as `macroF1|data:flowcam@3f9a2c|split:holdout.v1|…`."""
        manifest = [f"manifest:{self.manifest_sha256[:HASH_DIGITS]}"] if self.manifest_sha256 else []
        parts = [
            self.metric,
            f"data:{self.data}@{self.data_sha256[:HASH_DIGITS]}",
            *manifest,
            f"split:{self.split}",
            f"n:{self.n_objects}",
            f"classes:{self.n_classes}/{self.n_known}",
            *self.conventions,
            f"ci:{self.resampled}-{self.draws}",
            f"seed:{self.seed}",
            *([f"task:{self.task}"] if self.task else []),
            f"v:{self.version}",
        ]
        return "|".join(parts)
