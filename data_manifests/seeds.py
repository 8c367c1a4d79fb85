"""Seeds and content hashes that are identical on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

SEED_LIMIT = 2**32  # scikit-learn and XGBoost accept seeds of 32 bits


def derived_seed(**axes: str | int) -> int:
    """Return the seed of a task: the first 8 bytes of SHA-256 of its axes as canonical JSON.

    Axes are the values that the seed depends on (data set, split, seed, purpose); their order does not matter.
    """
    text = json.dumps(axes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def derived_seed32(**axes: str | int) -> int:
    """Return `derived_seed` modulo 2**32, as accepted by scikit-learn as `random_state`."""
    return derived_seed(**axes) % SEED_LIMIT


@dataclass(frozen=True)
class RunSeeds:
    """Seeds of a run, one for each purpose, derived from its data set, split and seed.

    Attributes:
        dataset: name of the data set.
        split: name of the split.
        seed: seed of the run.
        prefix: beginning of each purpose.

    """

    dataset: str = ""
    split: str = ""
    seed: int = 0
    prefix: str = ""

    def within(self, label: str) -> RunSeeds:
        """Return other seeds, for a part of the run such as the track or an inner network."""
        return replace(self, prefix=f"{self.prefix}{label}/")

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the generator for a purpose, such as `fit`."""
        import numpy as np

        return np.random.default_rng(derived_seed(**self._axes(purpose)))

    def seed32(self, purpose: str) -> int:
        """Return the seed for a purpose, below 2**32."""
        return derived_seed32(**self._axes(purpose))

    def _axes(self, purpose: str) -> dict[str, str | int]:
        run: dict[str, str | int] = {"data_set": self.dataset, "split": self.split, "seed": self.seed}
        return {**run, "purpose": f"{self.prefix}{purpose}"}


def sha256_text(*texts: str) -> str:
    """Return the SHA-256 of texts, each prefixed with its length in bytes, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for text in texts:
        content = text.encode()
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in chunks, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
