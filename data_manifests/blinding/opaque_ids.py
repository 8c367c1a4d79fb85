"""Opaque ids: keyed hashes in place of ids that may name the class of an object or follow the order of the classes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..seeds import sha256_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

DIGEST_BYTES = 10
"""Two of a million ids have the same hash of 80 bits with a probability below 1e-12 (birthday bound)."""

OPAQUE = re.compile(rf"\bo[0-9a-f]{{{2 * DIGEST_BYTES}}}\b")
"""An opaque id: it begins with a letter, so that it is never read as a number."""


@dataclass(frozen=True)
class OpaqueIds:
    """Keyed hashes of ids: the same id and key always give the same opaque id, which tells nothing about the id.

    Whoever has the key and a list of ids can compute their opaque ids, and so find which is which.

    Attributes:
        key: key of the hash, at most 64 bytes.

    """

    key: bytes

    @classmethod
    def keyed_by(cls, noun: str, *facts: str) -> OpaqueIds:
        """Return ids whose key is a hash of facts, so that the same facts give the same ids, also in a later run.

        Args:
            noun: what the ids identify, such as `object`; each noun has a key of its own.
            facts: at least one of them must be unknown to those who see the ids.

        """
        return cls(bytes.fromhex(sha256_text(noun, *facts)))

    def of(self, ids: Iterable[object]) -> NDArray[np.object_]:
        """Return the opaque id of each id, object array of text of shape (n_ids,): BLAKE2b (RFC 7693) with a key."""
        opaque = [hashlib.blake2b(str(one).encode(), key=self.key, digest_size=DIGEST_BYTES).hexdigest() for one in ids]
        return np.array([f"o{digest}" for digest in opaque], dtype=object)


def replace_opaque(value: Any, real: Callable[[str], str | None]) -> Any:  # noqa: ANN401 - of the same type
    """Return a text with its opaque ids replaced by real ones, or a list or dictionary with all texts in it.

    Args:
        value: such as an error message of a track; numbers and None are returned as they are.
        real: returns the real id of an opaque one; None keeps it.

    """
    if isinstance(value, str):
        return OPAQUE.sub(lambda found: real(found.group()) or found.group(), value)
    if isinstance(value, list):
        return [replace_opaque(one, real) for one in value]
    if isinstance(value, dict):
        return {replace_opaque(key, real): replace_opaque(one, real) for key, one in value.items()}
    return value
