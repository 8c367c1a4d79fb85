"""Copies of images: the same pixels, and nearly the same look."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..images import ImageStore

MOST_BITS = 3  # of 64 in which the looks of candidates may differ
ALIKE_FROM = 0.97  # correlation of small copies
SMALL_SIDE = 32  # pixels of a small copy
BANDS = MOST_BITS + 1  # of two looks that differ in three bits, one of four bands is the same
BAND_BITS = 64 // BANDS
AT_ONCE = 2000  # rows of a crowded band that are compared with all others at once
SAME_SHAPE = 1.2  # largest ratio of the aspect ratios of images that are alike


def same_pixels(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the groups of images with the same size and grey levels, each in storage order."""
    good = table[table["status"] == "ok"]
    again = good[good["pixels"].duplicated(keep=False)]
    return [group for _, group in again.groupby("pixels", sort=False)]


def look_alikes(table: pd.DataFrame, images: ImageStore) -> pd.DataFrame:
    """Return pairs of images that look alike, but are not the same: candidates for a person to look at.

    The looks (perceptual hashes) of a pair differ in at most `MOST_BITS` bits, their aspect ratios by less than a
    fifth, and the grey levels of their copies of 32 × 32 px correlate with `ALIKE_FROM` or more. Of images with the
    same pixels the first alone is compared; images of a single grey level are left aside.

    Args:
        table: as `scan` returns.
        images: the images of the table; those of candidates are read again.

    Returns:
        Columns first, second (row numbers in `table`, first < second) and correlation, the most alike first.

    """
    import numpy as np
    import pandas as pd

    usable = (table["status"] == "ok") & (table["lowest"] < table["highest"])
    unique = table[usable].drop_duplicates("pixels")
    rows = unique.index.to_numpy()
    pairs = close_looks(unique["look"].to_numpy(np.uint64))
    shape = np.log((unique["width"] / unique["height"]).to_numpy())
    pairs = rows[pairs[np.abs(shape[pairs[:, 0]] - shape[pairs[:, 1]]) <= np.log(SAME_SHAPE)]]
    ids = table["object_id"].to_numpy()
    small = {row: _small(images, ids[row]) for row in np.unique(pairs).tolist()}
    correlation = np.array([small[one] @ small[two] for one, two in pairs.tolist()])
    result = pd.DataFrame({"first": pairs[:, 0], "second": pairs[:, 1], "correlation": correlation})
    alike = result[result["correlation"] >= ALIKE_FROM]
    return alike.sort_values(["correlation", "first", "second"], ascending=[False, True, True], ignore_index=True)


def _small(images: ImageStore, object_id: str) -> NDArray[np.float32]:
    """Return a small copy of an image as a vector of mean 0 and length 1, float32 of shape (1024,)."""
    import cv2
    import numpy as np

    side = (SMALL_SIDE, SMALL_SIDE)
    grey = np.asarray(cv2.resize(images.read(object_id), side, interpolation=cv2.INTER_AREA), np.float32).ravel()
    grey -= grey.mean()
    return np.asarray(grey / max(float(np.linalg.norm(grey)), 1e-6), np.float32)


def close_looks(looks: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return all pairs of positions whose looks differ in at most `MOST_BITS` bits, intp of shape (n, 2), sorted."""
    import numpy as np

    found = {pair for first, second in _candidates(looks) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    return np.array(sorted(found), dtype=np.intp).reshape(-1, 2)


def _candidates(looks: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield pairs of positions whose looks differ in at most `MOST_BITS` bits; a pair may come more than once."""
    import numpy as np

    for band in range(BANDS):
        keys = (looks >> np.uint64(band * BAND_BITS)) & np.uint64((1 << BAND_BITS) - 1)
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order])) + 1
        for crowd in np.split(order, edges):
            for start in range(0, len(crowd) if len(crowd) > 1 else 0, AT_ONCE):
                some = crowd[start : start + AT_ONCE]
                different = np.bitwise_count(looks[some][:, None] ^ looks[crowd])
                one, two = np.nonzero(different <= MOST_BITS)
                first, second = some[one], crowd[two]
                yield first[first < second], second[first < second]
