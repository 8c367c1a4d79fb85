"""Tests of derived seeds and content hashes: reproducible, and different for different input."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.seeds import derived_seed, derived_seed32, sha256_file, sha256_text

if TYPE_CHECKING:
    from pathlib import Path

AXES = st.dictionaries(
    st.text("abcdefgh_", min_size=1), st.integers() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1
)


def test_a_seed_is_the_first_eight_bytes_of_the_sha256_of_its_axes() -> None:
    """The axes are written as canonical JSON: sorted keys, no spaces, UTF-8."""
    text = '{"data_set":"Méditerranée","purpose":"split-test","seed":0,"split":"holdout"}'
    expected = int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16)

    assert expected == derived_seed(seed=0, data_set="Méditerranée", split="holdout", purpose="split-test")


def test_a_seed_is_stable() -> None:
    """Seeds must not change between versions or machines, since stored splits depend on them."""
    assert derived_seed(data_set="flowcam", seed=0) == 9354153403048230232


@given(AXES)
def test_seeds_do_not_depend_on_the_order_of_axes(axes: dict[str, str | int]) -> None:
    """The 32-bit seed consists of the lower 32 bits of the 64-bit seed."""
    seed = derived_seed(**dict(reversed(axes.items())))

    assert derived_seed(**axes) == seed
    assert derived_seed32(**axes) == seed & 0xFFFFFFFF


@pytest.mark.parametrize("other", [{"seed": 1}, {"seed": "0"}, {"split": "kfold3"}, {"data_set": "b", "more": 0}])
def test_seeds_depend_on_every_axis(other: dict[str, str | int]) -> None:
    """A different value, a different type and an additional axis each change the seed."""
    axes: dict[str, str | int] = {"data_set": "a", "split": "holdout", "seed": 0}

    assert derived_seed(**{**axes, **other}) != derived_seed(**axes)


@pytest.mark.parametrize(("texts", "content"), [(("ab", "c"), b"2:ab1:c"), (("é",), b"2:\xc3\xa9"), ((), b"")])
def test_texts_are_hashed_with_their_lengths(texts: tuple[str, ...], content: bytes) -> None:
    """Lengths in bytes make the hash depend on the boundaries between texts."""
    assert hashlib.sha256(content).hexdigest() == sha256_text(*texts)


def test_the_hash_of_a_file_covers_all_bytes(tmp_path: Path) -> None:
    """A file larger than one chunk has the hash of its whole content."""
    content = bytes(range(256)) * 5000 + b"end"
    path = tmp_path / "large"
    path.write_bytes(content)

    assert hashlib.sha256(content).hexdigest() == sha256_file(path)
