"""Opaque ids: keyed hashes in place of ids that may name the class of an object or follow the order of the classes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from ..seeds import RunSeeds

DIGEST_BYTES = 10
"""Two of a million ids have the same hash of 80 bits with a probability below 1e-12 (birthday bound)."""

OPAQUE = re.compile(rf"\bo[0-9a-f]{{{2 * DIGEST_BYTES}}}\b")
"""An opaque id: it begins with a letter, so that it is never read as a number."""


@dataclass(frozen=True)
class OpaqueIds:
    """Keyed hashes of ids: the same id and key always give the same opaque id, which tells nothing about the id.

    Attributes:
        key: key of the hash, at most 64 bytes.

    """

    key: bytes

    @classmethod
    def of_run(cls, seeds: RunSeeds, noun: str) -> OpaqueIds:
        """Return the ids of a run: one key for each data set, split and seed, so that those of its base runs match.

        Args:
            seeds: seeds of the run.
            noun: what the ids identify, such as `object`; each noun has a key of its own.

        """
        return cls(seeds.key(f"opaque ids/{noun}"))

    def of(self, ids: Iterable[object]) -> NDArray[np.object_]:
        """Return the opaque id of each id, object array of text of shape (n_ids,): BLAKE2b (RFC 7693) with a key."""
        opaque = [hashlib.blake2b(str(one).encode(), key=self.key, digest_size=DIGEST_BYTES).hexdigest() for one in ids]
        return np.array([f"o{digest}" for digest in opaque], dtype=object)


def replace_opaque(text: str, real: Callable[[str], str | None]) -> str:
    """Return a text with its opaque ids replaced by real ones.

    Args:
        text: such as an error message of a track.
        real: returns the real id of an opaque one; None keeps it.

    """
    return OPAQUE.sub(lambda found: real(found.group()) or found.group(), text)
