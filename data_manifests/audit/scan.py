"""Scan of all images: integrity, size, and the hashes used to find duplicates."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from ..errors import DataError
from ..files.processes import in_order
from ..images.decoding import decoded, grey_levels, quiet_decoder
from ..images.encoding import fault_of
from ..images.opened import Opening, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..images.store import ImageStore

TEXTS = ("object_id", "member", "status", "content", "pixels")
NUMBERS = ("height", "width", "channels", "coloured", "bits", "lowest", "highest", "look")
COLUMNS = (*TEXTS, *NUMBERS, "small")
CHUNK = 500  # images
SMALL_SIDE, LOOK_SIDE = 16, 8  # pixels of the small copy, and coefficients of the block of lowest frequencies

Row = tuple[str | int | bytes, ...]


def scan(images: ImageStore, *, jobs: int = 1, advance: Callable[[int], object] = lambda _: None) -> pd.DataFrame:
    """Open every image of a store, in storage order; about 1 kB per image is kept.

    Args:
        images: the images.
        jobs: number of processes; the result does not depend on it.
        advance: called with the number of images opened since the last call.

    Returns:
        One row per image in storage order: object_id, member; status (`ok`, `empty`, `truncated`, `damaged`,
        `unknown` if not an image, `unreadable` if it cannot be decoded); content, a hash of the file's bytes; pixels, a
        hash of size and grey levels; height and width in pixels; channels, and whether they differ (coloured, 0 or 1);
        bits per channel; lowest and highest grey level; look, a perceptual hash of 64 bits (uint64); small, the uint8
        grey levels of a copy of 16 × 16 px as bytes. Unless status is ok, numbers are 0 and hashes empty.

    """
    import pandas as pd

    ids = list(images.members)
    scan_chunk = partial(_scan_chunk, Opening.of(images))
    tasks = (partial(scan_chunk, ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))
    rows: list[Row] = []
    for found in in_order(tasks, jobs):
        rows += found
        advance(len(found))
    opened.cache_clear()
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({**dict.fromkeys(NUMBERS, "int64"), "look": "uint64"})


def _scan_chunk(opening: Opening, object_ids: list[str]) -> list[Row]:
    with quiet_decoder():
        images = opened(opening)
        return [_scan_one(images, object_id) for object_id in object_ids]


def _scan_one(images: ImageStore, object_id: str) -> Row:
    member = images.members[object_id]
    try:
        content = images.read_bytes(object_id)
    except DataError:
        return object_id, member, "unreadable", *EMPTY_ROW
    fault = fault_of(content)
    facts = None if fault else _describe(content)
    return (object_id, member, "ok", *facts) if facts else (object_id, member, fault or "unreadable", *EMPTY_ROW)


EMPTY_ROW: Row = ("", "", *[0] * len(NUMBERS), b"")


def _describe(content: bytes) -> Row | None:
    """Return the columns of an encoded image from `content` on; None if it cannot be decoded."""
    import cv2
    import numpy as np

    image = decoded(content, cv2.IMREAD_UNCHANGED)
    if image is None:
        return None
    plain = image.ndim == 2 and image.dtype == np.uint8  # noqa: PLR2004 - grey
    grey = np.asarray(image, np.uint8) if plain else grey_levels(content)
    if grey is None:
        return None
    height, width = grey.shape
    channels = 1 if image.ndim == 2 else image.shape[2]  # noqa: PLR2004 - grey
    coloured = channels > 2 and bool((image[..., :1] != image[..., 1:3]).any())  # noqa: PLR2004 - grey with alpha
    small = cv2.resize(grey, (SMALL_SIDE, SMALL_SIDE), interpolation=cv2.INTER_AREA)
    lowest, highest = int(grey.min()), int(grey.max())
    return (
        _digest(content), _digest(grey.tobytes(), f"{height}x{width}"), height, width, channels, int(coloured),
        8 * image.dtype.itemsize, lowest, highest, perceptual_hash(np.asarray(small, np.uint8)), small.tobytes(),
    )  # fmt: skip


def _digest(content: bytes, key: str = "") -> str:
    return hashlib.blake2b(content, digest_size=12, key=key.encode()).hexdigest()


def perceptual_hash(small: NDArray[np.uint8]) -> int:
    """Return the perceptual hash of a small copy: one bit per low frequency, set if above their median.

    The frequencies are the first 8 × 8 coefficients of the cosine transform (after C. Zauner 2010, "Implementation and
    benchmarking of perceptual image hash functions", section 3.2.1). Brightness shifts one of them, contrast scales
    all.

    Args:
        small: grey levels, uint8 of shape (16, 16); images that are not square are stretched.

    """
    import cv2
    import numpy as np

    lowest = cv2.dct(np.asarray(small, np.float32))[:LOOK_SIDE, :LOOK_SIDE].ravel()
    return int.from_bytes(np.packbits(lowest > np.median(lowest)).tobytes(), "big")
