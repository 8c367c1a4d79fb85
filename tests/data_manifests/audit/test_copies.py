"""Duplicate images: identical pixels and near duplicates are found, different images are not."""

from __future__ import annotations

import tracemalloc
from itertools import combinations
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from planktonbench.data_manifests.audit import copies
from planktonbench.data_manifests.audit.copies import MASKS, MOST_BITS, close_hashes, near_duplicates, same_pixels
from planktonbench.data_manifests.audit.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from planktonbench.data_manifests.dataset import Dataset


def reencoded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image after encoding as a JPEG of mediocre quality."""
    decoded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)
    return np.asarray(decoded, np.uint8)


def resized(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return a smaller or larger copy."""
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


CHANGES: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "re-encoded": reencoded,
    "shrunk by a fifth": lambda image: resized(image, 0.8),
    "shrunk by half": lambda image: resized(image, 0.5),
    "enlarged by half": lambda image: resized(image, 1.5),
    "brighter": lambda image: image + np.uint8(25),
    "darker": lambda image: image - np.uint8(25),
    "with less contrast": lambda image: (image // 2 + 60).astype(np.uint8),
}


def pairs_of(dataset: Dataset) -> list[set[str]]:
    """Return the near duplicates of a data set by member."""
    assert dataset.images is not None
    table = scan(dataset.images)
    pairs = near_duplicates(table)
    return [set(table["member"].iloc[[one, two]]) for one, two in pairs[["first", "second"]].to_numpy(int)]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_copy_is_a_near_duplicate(
    make_images: Callable[..., Dataset],
    draw: Callable[..., NDArray[np.uint8]],
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """It is paired with its original; there are no other pairs."""
    dataset = make_images({"Copepoda/0.png": draw(1000), "egg/changed.png": change(draw(1000))})

    assert pairs_of(dataset) == [{"Copepoda/0.png", "egg/changed.png"}]


def test_different_images_are_not_near_duplicates(make_images: Callable[..., Dataset]) -> None:
    """There is no pair among 63 different images."""
    assert pairs_of(make_images()) == []


def test_images_of_different_shape_are_not_near_duplicates(
    make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]
) -> None:
    """A copy stretched to twice its width has the same perceptual hash, but is excluded."""
    image = draw(1000)
    dataset = make_images({"egg/0.png": image, "egg/1.png": np.repeat(image, 2, axis=1)})

    assert pairs_of(dataset) == []


def test_copies_and_blank_images_are_not_near_duplicates(
    make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]
) -> None:
    """Identical pixels are reported only as copies; all images with a single grey level would be near duplicates."""
    blank = {f"egg/{level}.png": np.full((30 + level, 40), level, np.uint8) for level in range(3)}
    dataset = make_images({**blank, "egg/10.png": draw(1000), "egg/11.png": draw(1000)})

    assert pairs_of(dataset) == []


def test_same_pixels_in_another_file_format_are_copies(
    make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]
) -> None:
    """Copies have the same size and grey levels, not the same bytes; equal bytes in another shape are not copies."""
    flat = {"egg/0.png": np.full((20, 30), 7, np.uint8), "egg/1.png": np.full((30, 20), 7, np.uint8)}
    dataset = make_images({**flat, "Copepoda/a.png": draw(1000), "egg/b.bmp": draw(1000)})
    assert dataset.images is not None

    groups = same_pixels(scan(dataset.images))

    assert [list(group["member"]) for group in groups] == [["Copepoda/a.png", "egg/b.bmp"]]
    assert len(set(groups[0]["content"])) == 2


def test_compression_does_not_matter(
    make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]
) -> None:
    """PNGs with and without compression, and with three equal channels, are copies of each other."""
    image = draw(1000)
    changed: dict[str, NDArray[np.uint8] | bytes] = {"egg/three.png": np.dstack([image] * 3)}
    for level in (0, 9):
        options = [cv2.IMWRITE_PNG_COMPRESSION, level]
        changed[f"egg/{level}a.png"] = cv2.imencode(".png", image, options)[1].tobytes()
    dataset = make_images(changed)
    assert dataset.images is not None

    groups = same_pixels(scan(dataset.images))

    assert [list(group["member"]) for group in groups] == [["egg/0a.png", "egg/9a.png", "egg/three.png"]]


def brute_force(hashes: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Return the close pairs found by comparing all pairs."""
    pairs = combinations(range(len(hashes)), 2)
    return [(i, j) for i, j in pairs if (int(hashes[i]) ^ int(hashes[j])).bit_count() <= MOST_BITS]


def banded(hashes: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Return the close pairs found by bands, sorted; a pair found twice would be listed twice."""
    return sorted((int(i), int(j)) for chunk in close_hashes(hashes) for i, j in chunk)


@given(
    arrays.arrays(np.uint64, st.integers(0, 30), elements=st.integers(0, 2**64 - 1)),
    st.lists(st.tuples(st.integers(0, 29), st.sets(st.integers(0, 63), max_size=8)), max_size=30),
)
def test_bands_find_the_same_pairs_as_brute_force(
    hashes: NDArray[np.uint64], changes: list[tuple[int, set[int]]]
) -> None:
    """Each pair within the limit is found once, and none beyond it, whichever bits differ."""
    near = [
        hashes[place % len(hashes)] ^ np.uint64(sum(1 << bit for bit in bits)) for place, bits in changes if len(hashes)
    ]
    everything = np.concatenate([hashes, np.array(near, np.uint64)])

    assert banded(everything) == brute_force(everything)


def test_large_bands_are_compared_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """If many hashes share a band, they are compared in chunks, with the same result."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**9, 80, dtype=np.uint64)
    expected = brute_force(hashes)

    monkeypatch.setattr(copies, "AT_ONCE", 100)

    assert banded(hashes) == expected
    assert len(expected) > 1000


def similar_images(number: int) -> pd.DataFrame:
    """Return a table like that of `scan`, of slightly different images, as if a particle were stuck to the lens."""
    rng = np.random.default_rng(0)
    base = rng.integers(20, 220, 256)
    small = [(base + rng.integers(-3, 4, 256)).astype(np.uint8).tobytes() for _ in range(number)]
    same = {"status": "ok", "lowest": 0, "highest": 9, "width": 20, "height": 20, "look": np.full(number, 5, np.uint64)}
    return pd.DataFrame({**same, "pixels": [str(place) for place in range(number)], "small": small})


def test_many_similar_images_are_all_paired(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs are found, with the correlation computed by NumPy, for any chunk size."""
    table = similar_images(40)
    small = np.frombuffer(b"".join(table["small"]), np.uint8).reshape(40, 256)
    at_once = near_duplicates(table)
    monkeypatch.setattr(copies, "PAIRS_AT_ONCE", 7)
    in_chunks = near_duplicates(table)

    pd.testing.assert_frame_equal(in_chunks, at_once)
    assert len(at_once) == 40 * 39 // 2
    np.testing.assert_allclose(at_once["correlation"], np.corrcoef(small)[at_once["first"], at_once["second"]])


def test_memory_does_not_grow_with_the_number_of_pairs() -> None:
    """The small copies of 45,000 pairs, 290 MB, are not all held at once."""
    table = similar_images(300)
    tracemalloc.start()
    try:
        pairs = near_duplicates(table)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(pairs) == 300 * 299 // 2
    assert most < 80_000_000


def test_bands_cover_all_bits_once() -> None:
    """The masks are disjoint and cover 64 bits."""
    assert sum(MASKS) == 2**64 - 1
    assert len(MASKS) == MOST_BITS + 1
