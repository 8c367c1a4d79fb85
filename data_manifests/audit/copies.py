"""Duplicate images: identical pixels, and near duplicates by perceptual hash."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from .scan import SMALL_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_BITS = 5  # of 64 in which the perceptual hashes of near duplicates may differ
ALIKE_FROM = 0.98  # minimum correlation of small copies
SAME_SHAPE = 1.2  # largest ratio of the aspect ratios of near duplicates
BANDS = MOST_BITS + 1  # if two hashes differ in five bits, at least one of six bands is identical
EDGES = [64 * band // BANDS for band in range(BANDS + 1)]
MASKS = [(1 << end) - (1 << start) for start, end in pairwise(EDGES)]
AT_ONCE = 4_000_000  # comparisons, 8 bytes each
PAIRS_AT_ONCE = (
    5_000  # of small copies, 10 MB; thousands of images of a particle stuck to the lens give millions of pairs
)


def same_pixels(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return groups of images with identical size and grey levels, each in storage order."""
    good = table[table["status"] == "ok"]
    repeated = good[good["pixels"].duplicated(keep=False)]
    return [group for _, group in repeated.groupby("pixels", sort=False)]


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of near-duplicate images, as candidates for visual inspection.

    The perceptual hashes of a pair differ in at most `MOST_BITS` bits, their aspect ratios by at most a fifth, and the
    grey levels of their copies of 16 × 16 px have a correlation of `ALIKE_FROM` or more. Of images with identical
    pixels, only the first is compared; images with a single grey level are excluded.

    The limits were chosen on 2,500 images of the ndsb set. They find at least 97 % of images re-encoded as JPEG of
    quality 40 or better, or enlarged; 95 % of images made brighter or darker by 15 grey levels; 92 % of images shrunk
    by a fifth; and 63 % of images shrunk by half (at 20 px, little is left of a plankton image). Of the 460 million
    pairs of the whole set, 635 are near duplicates.

    Args:
        table: return value of `scan`.

    Returns:
        Columns first, second (row numbers in `table`, first < second) and correlation, highest correlation first.

    """
    import numpy as np
    import pandas as pd

    usable = (table["status"] == "ok") & (table["lowest"] < table["highest"])
    unique = table[usable].drop_duplicates("pixels")
    rows = unique.index.to_numpy()
    shape = np.log((unique["width"] / unique["height"]).to_numpy())
    small = np.frombuffer(b"".join(unique["small"]), np.uint8).reshape(-1, SMALL_SIDE**2)
    found = [np.empty((0, 3))]
    for pairs in close_hashes(unique["look"].to_numpy(np.uint64)):
        first, second = pairs[np.abs(shape[pairs[:, 0]] - shape[pairs[:, 1]]) <= np.log(SAME_SHAPE)].T
        correlation = _correlations(small, first, second)
        alike = correlation >= ALIKE_FROM
        found.append(np.column_stack([rows[first], rows[second], correlation])[alike])
    result = pd.DataFrame(np.concatenate(found), columns=["first", "second", "correlation"])
    order = result.sort_values(["correlation", "first", "second"], ascending=[False, True, True], ignore_index=True)
    return order.astype({"first": "int64", "second": "int64"})


def _correlations(small: NDArray[np.uint8], first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the correlation of each pair of rows, computed in chunks to limit memory."""
    import numpy as np

    starts = range(0, len(first), PAIRS_AT_ONCE)
    chunks = [(first[start : start + PAIRS_AT_ONCE], second[start : start + PAIRS_AT_ONCE]) for start in starts]
    products = [(_standardised(small[one]) * _standardised(small[two])).sum(axis=1) for one, two in chunks]
    return np.concatenate([np.empty(0), *products])


def _standardised(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return each row with mean 0 and norm 1; a row without contrast becomes 0."""
    import numpy as np

    centred = small - small.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6))


def close_hashes(hashes: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Yield all pairs of positions whose hashes differ in at most `MOST_BITS` bits, each pair once, the lower first.

    By the pigeonhole principle, two such hashes agree in at least one band of bits, so only hashes with identical bits
    in a band are compared; a pair that agrees in several bands is assigned to the first of them.

    Yields:
        A chunk of pairs, intp of shape (n, 2).

    """
    import numpy as np

    for band, mask in enumerate(MASKS):
        for group in _groups(hashes & np.uint64(mask)):
            step = max(1, AT_ONCE // len(group))
            for start in range(0, len(group) - 1, step):
                some, others = group[start : start + step], group[start:]
                different = hashes[some][:, None] ^ hashes[others]
                one, two = np.nonzero(np.triu(np.bitwise_count(different) <= MOST_BITS, 1))
                bits = different[one, two]
                new = np.ones(len(one), dtype=bool)
                for earlier in MASKS[:band]:
                    new &= bits & np.uint64(earlier) != 0
                yield np.column_stack([some[one], others[two]])[new]


def _groups(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Yield the ascending positions of each key that occurs more than once."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    yield from (group for group in np.split(order, edges) if len(group) > 1)
