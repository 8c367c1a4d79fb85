"""Opaque ids: reproducible, and unrelated to the ids they stand for."""

from __future__ import annotations

import hashlib

import numpy as np
from planktonbench.data_manifests.blinding.opaque_ids import OPAQUE, OpaqueIds, replace_opaque

REAL = [f"{taxon}/{number:03d}" for taxon in ("Acantharea", "Copepoda") for number in range(500)]


def test_ids_are_keyed_hashes() -> None:
    """The hash of the standard library gives the same digits; another fact or noun gives other ids."""
    ids = OpaqueIds.keyed_by("object", "lake", "3").of(REAL)
    key = hashlib.sha256(b"6:object4:lake1:3").digest()
    others = [
        OpaqueIds.keyed_by("object", "lake", "4"),
        OpaqueIds.keyed_by("object", "lak", "e3"),
        OpaqueIds.keyed_by("sample", "lake", "3"),
    ]

    assert ids[0] == "o" + hashlib.blake2b(b"Acantharea/000", digest_size=10, key=key).hexdigest()
    assert len({*ids, *(one for other in others for one in other.of(REAL))}) == 4 * len(REAL)
    assert all(OPAQUE.fullmatch(one) for one in ids)


def test_their_order_is_unrelated_to_the_classes() -> None:
    """Of the first half in the order of the opaque ids, about half are of the first class."""
    order = np.argsort(OpaqueIds(b"key").of(REAL))
    first = int((order[:500] < 500).sum())

    assert abs(first - 250) < 3 * np.sqrt(500) / 2


def test_messages_get_real_ids_back() -> None:
    """Opaque ids without a real one stay."""
    one, other = OpaqueIds(b"key").of(["Copepoda/1", "elsewhere"])

    text = replace_opaque(f"objects {one}, {other} and x{one}", {one: "Copepoda/1"}.get)

    assert text == f"objects Copepoda/1, {other} and x{one}"


def test_all_texts_get_real_ids_back() -> None:
    """In lists and dictionaries, also in their keys; everything else stays."""
    (one,) = OpaqueIds(b"key").of(['a "quoted" \\ id'])
    value = {"worst": [one, {"of": f"{one}!"}], one: 0.5, "none": None}

    found = replace_opaque(value, {one: 'a "quoted" \\ id'}.get)

    real = 'a "quoted" \\ id'
    assert found == {"worst": [real, {"of": f"{real}!"}], real: 0.5, "none": None}
