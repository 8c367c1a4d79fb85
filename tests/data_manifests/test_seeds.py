"""Seeds and hashes: the same everywhere, and different where something differs."""

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
    """The seed is what anybody can work out by hand from the canonical text of its axes."""
    text = '{"data_set":"Méditerranée","purpose":"split-test","seed":0,"split":"holdout"}'
    expected = int(hashlib.sha256(text.encode("utf-8")).hexdigest()[:16], 16)

    assert expected == derived_seed(seed=0, data_set="Méditerranée", split="holdout", purpose="split-test")


def test_a_seed_never_changes() -> None:
    """A seed is the same in each version and on each machine, since stored splits depend on it."""
    assert derived_seed(data_set="flowcam", seed=0) == 9354153403048230232


@given(AXES)
def test_order_of_axes_does_not_matter_and_32_bits_suffice(axes: dict[str, str | int]) -> None:
    """Axes in another order give the same seed; the short seed is the long one folded into 32 bits."""
    seed = derived_seed(**dict(reversed(axes.items())))

    assert derived_seed(**axes) == seed
    assert derived_seed32(**axes) == seed & 0xFFFFFFFF


@pytest.mark.parametrize("other", [{"seed": 1}, {"seed": "0"}, {"split": "kfold3"}, {"data_set": "b", "more": 0}])
def test_each_axis_matters(other: dict[str, str | int]) -> None:
    """Another value, another type or another axis gives another seed."""
    axes: dict[str, str | int] = {"data_set": "a", "split": "holdout", "seed": 0}

    assert derived_seed(**{**axes, **other}) != derived_seed(**axes)


@pytest.mark.parametrize(("parts", "content"), [(("ab", "c"), b"2:ab1:c"), (("é",), b"2:\xc3\xa9"), ((), b"")])
def test_texts_are_hashed_behind_their_lengths(parts: tuple[str, ...], content: bytes) -> None:
    """Where one text ends and the next begins is part of the hash; lengths are in bytes."""
    assert hashlib.sha256(content).hexdigest() == sha256_text(*parts)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    """A file of many chunks has the hash of all its bytes."""
    content = bytes(range(256)) * 5000 + b"end"
    path = tmp_path / "large"
    path.write_bytes(content)

    assert hashlib.sha256(content).hexdigest() == sha256_file(path)
