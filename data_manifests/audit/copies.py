"""Duplicates of images: the same pixels, and nearly the same look."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from .scan import SMALL_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_BITS = 5  # of 64 in which the looks of candidates may differ
ALIKE_FROM = 0.98  # correlation of small copies
SAME_SHAPE = 1.2  # largest ratio of the aspect ratios of images that are alike
BANDS = MOST_BITS + 1  # of two looks that differ in five bits, one of six bands is the same
EDGES = [64 * band // BANDS for band in range(BANDS + 1)]
MASKS = [(1 << end) - (1 << start) for start, end in pairwise(EDGES)]
AT_ONCE = 4_000_000  # comparisons, 8 bytes each
PAIRS_AT_ONCE = 5_000  # of small copies, 10 MB; thousands of images of a particle stuck before the lens make millions


def same_pixels(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the groups of images with the same size and grey levels, each in storage order."""
    good = table[table["status"] == "ok"]
    again = good[good["pixels"].duplicated(keep=False)]
    return [group for _, group in again.groupby("pixels", sort=False)]


def near_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of images that look alike, but are not the same: candidates for a person to look at.

    The looks (perceptual hashes) of a pair differ in at most `MOST_BITS` bits, their aspect ratios by at most a fifth,
    and the grey levels of their copies of 16 × 16 px correlate with `ALIKE_FROM` or more. Of images with the same
    pixels the first alone is compared; images of a single grey level are left aside.

    The limits were chosen on 2,500 images of the ndsb set. They find 97 in 100 or more of those that were encoded again
    as JPEG of quality 40 or better, or enlarged, 95 of those that were made brighter or darker by 15 grey levels, 92 of
    those that were shrunk by a fifth, 63 of those that were halved (at 20 px most of a plankton image is gone). Of the
    460 million pairs of the whole set they call 635 alike.

    Args:
        table: as `scan` returns.

    Returns:
        Columns first, second (row numbers in `table`, first < second) and correlation, the most alike first.

    """
    import numpy as np
    import pandas as pd

    usable = (table["status"] == "ok") & (table["lowest"] < table["highest"])
    unique = table[usable].drop_duplicates("pixels")
    rows = unique.index.to_numpy()
    shape = np.log((unique["width"] / unique["height"]).to_numpy())
    small = np.frombuffer(b"".join(unique["small"]), np.uint8).reshape(-1, SMALL_SIDE**2)
    found = [np.empty((0, 3))]
    for pairs in close_looks(unique["look"].to_numpy(np.uint64)):
        first, second = pairs[np.abs(shape[pairs[:, 0]] - shape[pairs[:, 1]]) <= np.log(SAME_SHAPE)].T
        correlation = _correlations(small, first, second)
        alike = correlation >= ALIKE_FROM
        found.append(np.column_stack([rows[first], rows[second], correlation])[alike])
    result = pd.DataFrame(np.concatenate(found), columns=["first", "second", "correlation"])
    order = result.sort_values(["correlation", "first", "second"], ascending=[False, True, True], ignore_index=True)
    return order.astype({"first": "int64", "second": "int64"})


def _correlations(small: NDArray[np.uint8], first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the correlation of each pair of rows, in parts, so that memory does not grow with the number of pairs."""
    import numpy as np

    starts = range(0, len(first), PAIRS_AT_ONCE)
    parts = [(first[start : start + PAIRS_AT_ONCE], second[start : start + PAIRS_AT_ONCE]) for start in starts]
    products = [(_standardised(small[one]) * _standardised(small[two])).sum(axis=1) for one, two in parts]
    return np.concatenate([np.empty(0), *products])


def _standardised(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return each row with mean 0 and length 1; a row without contrast is all 0."""
    import numpy as np

    centred = small - small.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6))


def close_looks(looks: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Yield all pairs of positions whose looks differ in at most `MOST_BITS` bits, each pair once, the lower first.

    By the pigeonhole principle two such looks agree in one band of bits at least, so only looks with the same bits in a
    band are compared; a pair that agrees in several bands belongs to the first of them.

    Yields:
        A part of the pairs, intp of shape (n, 2).

    """
    import numpy as np

    for band, mask in enumerate(MASKS):
        for crowd in _crowds(looks & np.uint64(mask)):
            step = max(1, AT_ONCE // len(crowd))
            for start in range(0, len(crowd) - 1, step):
                some, others = crowd[start : start + step], crowd[start:]
                different = looks[some][:, None] ^ looks[others]
                one, two = np.nonzero(np.triu(np.bitwise_count(different) <= MOST_BITS, 1))
                bits = different[one, two]
                new = np.ones(len(one), dtype=bool)
                for earlier in MASKS[:band]:
                    new &= bits & np.uint64(earlier) != 0
                yield np.column_stack([some[one], others[two]])[new]


def _crowds(keys: NDArray[np.uint64]) -> Iterator[NDArray[np.intp]]:
    """Yield the ascending positions of each key that occurs more than once."""
    import numpy as np

    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    yield from (crowd for crowd in np.split(order, edges) if len(crowd) > 1)
