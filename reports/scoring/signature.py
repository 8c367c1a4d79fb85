"""The signature of a score: every choice that can change the number, in one line."""

from __future__ import annotations

from dataclasses import dataclass

HASH_DIGITS = 6


@dataclass(frozen=True)
class Signature:
    """What a number was computed from and how.

    Attributes:
        data: name of the data set or truth file.
        data_sha256: hash of its files, or of the truth table.
        manifest_sha256: hash of the manifest, which owns classes and samples; empty when there is none.
        split: name of the split, or `given` for rows that a truth file lists.
        n_objects: scored rows.
        n_classes: classes with support in the scored rows.
        n_known: classes of the class list.
        resampled: what the interval resamples: `cluster-<column>` or `object`.
        draws: number of resamples.
        seed: seed of split and resampling.
        version: version of planktonbench.

    """

    data: str
    data_sha256: str
    manifest_sha256: str
    split: str
    n_objects: int
    n_classes: int
    n_known: int
    resampled: str
    draws: int
    seed: int
    version: str

    def __str__(self) -> str:
        """Write the signature as one line, such as `macroF1|data:flowcam@3f9a2c|split:holdout.v1|…`."""
        manifest = [f"manifest:{self.manifest_sha256[:HASH_DIGITS]}"] if self.manifest_sha256 else []
        parts = [
            "macroF1",
            f"data:{self.data}@{self.data_sha256[:HASH_DIGITS]}",
            *manifest,
            f"split:{self.split}",
            f"n:{self.n_objects}",
            f"classes:{self.n_classes}/{self.n_known}",
            "absent:listed",
            "zd:0",
            f"ci:{self.resampled}-{self.draws}",
            f"seed:{self.seed}",
            f"v:{self.version}",
        ]
        return "|".join(parts)
