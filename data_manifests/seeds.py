"""Seeds and content hashes: the same text gives the same numbers, on every machine and in every process."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SEEDS_OF_SKLEARN = 2**32  # scikit-learn and XGBoost take seeds of 32 bits


def derived_seed(**axes: str | int) -> int:
    """Return the seed of a task: the first 8 bytes of SHA-256 of its axes as canonical JSON.

    The axes are what the randomness should vary with (data set, split, seed, purpose); their order does not matter.
    """
    text = json.dumps(axes, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def derived_seed32(**axes: str | int) -> int:
    """Return `derived_seed` folded into the 32 bits that scikit-learn accepts as `random_state`."""
    return derived_seed(**axes) % SEEDS_OF_SKLEARN


def sha256_text(*parts: str) -> str:
    """Return the SHA-256 of several texts, each behind its length, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode()
        digest.update(f"{len(content)}:".encode() + content)
    return digest.hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, read in chunks, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
