"""Every image opened once: whether it is whole, how large it is, and hashes by which copies are found."""

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
SMALL_SIDE, LOOK_SIDE = 16, 8  # pixels of the small copy, and of the block of its lowest frequencies

Row = tuple[str | int | bytes, ...]


def scan(images: ImageStore, *, jobs: int = 1, advance: Callable[[int], object] = lambda _: None) -> pd.DataFrame:
    """Open every image of a store, in storage order; about 1 kB is kept of each.

    Args:
        images: the images.
        jobs: processes; the result does not depend on it.
        advance: told how many more images were opened.

    Returns:
        One row per image in storage order: object_id, member; status (`ok`, `empty`, `truncated`, `damaged`,
        `unknown` for no image at all, `unreadable` when the decoder gives up); content, a hash of the file's bytes;
        pixels, a hash of size and grey levels; height and width in pixels, channels, whether these differ (coloured, 0
        or 1), bits of a channel, lowest and highest grey level; look, a perceptual hash of 64 bits (uint64); small, the
        uint8 grey levels of a copy of 16 × 16 px as bytes. Unless status is ok, numbers are 0 and hashes empty.

    """
    import pandas as pd

    ids = list(images.members)
    some = partial(_scan_some, Opening.of(images))
    tasks = (partial(some, ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))
    rows: list[Row] = []
    for found in in_order(tasks, jobs):
        rows += found
        advance(len(found))
    opened.cache_clear()
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({**dict.fromkeys(NUMBERS, "int64"), "look": "uint64"})


def _scan_some(opening: Opening, object_ids: list[str]) -> list[Row]:
    with quiet_decoder():
        images = opened(opening)
        return [_scan_one(images, object_id) for object_id in object_ids]


def _scan_one(images: ImageStore, object_id: str) -> Row:
    member = images.members[object_id]
    try:
        content = images.read_bytes(object_id)
    except DataError:
        return object_id, member, "unreadable", *NOTHING_SEEN
    fault = fault_of(content)
    seen = None if fault else _seen(content)
    return (object_id, member, "ok", *seen) if seen else (object_id, member, fault or "unreadable", *NOTHING_SEEN)


NOTHING_SEEN: Row = ("", "", *[0] * len(NUMBERS), b"")


def _seen(content: bytes) -> Row | None:
    """Return what a row tells of an encoded image, from its content on; None when it cannot be decoded."""
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
        8 * image.dtype.itemsize, lowest, highest, look_of(np.asarray(small, np.uint8)), small.tobytes(),
    )  # fmt: skip


def _digest(content: bytes, key: str = "") -> str:
    return hashlib.blake2b(content, digest_size=12, key=key.encode()).hexdigest()


def look_of(small: NDArray[np.uint8]) -> int:
    """Return the perceptual hash of a small copy: which of its 64 lowest frequencies are above their median.

    The frequencies are the first 8 × 8 coefficients of the cosine transform (after C. Zauner 2010, "Implementation and
    benchmarking of perceptual image hash functions", section 3.2.1). Brightness moves one of them, contrast scales all.

    Args:
        small: grey levels, uint8 of shape (16, 16); an image that is not square is stretched.

    """
    import cv2
    import numpy as np

    lowest = cv2.dct(np.asarray(small, np.float32))[:LOOK_SIDE, :LOOK_SIDE].ravel()
    return int.from_bytes(np.packbits(lowest > np.median(lowest)).tobytes(), "big")
