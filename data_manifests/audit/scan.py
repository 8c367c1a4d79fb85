"""Every image opened once: whether it is whole, how large it is, and hashes by which copies are found."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from ..errors import DataError
from ..images import reopen_images
from ..processes import in_order
from .encoding import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from ..images import ImageStore

COLUMNS = (
    "object_id", "member", "status", "height", "width", "channels", "bits", "lowest", "highest", "pixels", "look",
)  # fmt: skip
CHUNK = 500  # images
LOOK_SIDE, LOOK_BITS = 32, 8  # pixels of the small copy, and of the block of its lowest frequencies

Row = tuple[str, str, str, int, int, int, int, int, int, str, int]


def scan(images: ImageStore, *, jobs: int = 1, advance: Callable[[int], object] = lambda _: None) -> pd.DataFrame:
    """Open every image of a store, in storage order.

    Args:
        images: the images.
        jobs: processes; the result does not depend on it.
        advance: told how many more images were opened.

    Returns:
        One row per image in storage order: object_id, member; status (`ok`, `empty`, `truncated`, `damaged`,
        `unknown` for no image at all, `unreadable` when the decoder gives up); height and width in pixels, channels,
        bits of a channel, lowest and highest grey level; pixels, a hash of size and grey levels; look, a perceptual
        hash of 64 bits (uint64). Numbers are 0 and hashes empty unless status is ok.

    """
    import pandas as pd

    ids = list(images.members)
    tasks = (partial(_scan_some, images.address, ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))
    rows: list[Row] = []
    for some in in_order(tasks, jobs):
        rows += some
        advance(len(some))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = dict.fromkeys(COLUMNS[3:9], "int64")
    return table.astype({**numbers, "look": "uint64"})


def _scan_some(address: str, object_ids: list[str]) -> list[Row]:
    import cv2

    cv2.setNumThreads(1)
    images = reopen_images(address)
    return [_scan_one(images, object_id) for object_id in object_ids]


def _scan_one(images: ImageStore, object_id: str) -> Row:
    import cv2
    import numpy as np

    member = images.members[object_id]
    try:
        content = images.read_bytes(object_id)
    except DataError:
        return _faulty(object_id, member, "unreadable")
    fault = fault_of(content)
    if fault:
        return _faulty(object_id, member, fault)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        return _faulty(object_id, member, "unreadable")
    plain = image.ndim == 2 and image.dtype == np.uint8  # noqa: PLR2004 - grey
    grey = np.asarray(image, np.uint8) if plain else images.read(object_id)
    height, width = grey.shape
    channels = 1 if image.ndim == 2 else image.shape[2]  # noqa: PLR2004 - grey
    pixels = hashlib.blake2b(grey.tobytes(), digest_size=12, key=f"{height}x{width}".encode()).hexdigest()
    lowest, highest = int(grey.min()), int(grey.max())
    bits = 8 * image.dtype.itemsize
    return object_id, member, "ok", height, width, channels, bits, lowest, highest, pixels, look_of(grey)


def _faulty(object_id: str, member: str, status: str) -> Row:
    return object_id, member, status, 0, 0, 0, 0, 0, 0, "", 0


def look_of(grey: NDArray[np.uint8]) -> int:
    """Return the perceptual hash of an image: which of its 64 lowest frequencies are above their median.

    The image is shrunk to 32 × 32 px, stretched where it is not square; the hash is made of the signs of the first
    8 × 8 coefficients of its cosine transform against their median (C. Zauner 2010, "Implementation and benchmarking of
    perceptual image hash functions", section 3.2.1).
    """
    import cv2
    import numpy as np

    small = cv2.resize(grey, (LOOK_SIDE, LOOK_SIDE), interpolation=cv2.INTER_AREA)
    lowest = cv2.dct(np.asarray(small, np.float32))[:LOOK_BITS, :LOOK_BITS].ravel()
    above = lowest > np.median(lowest)
    return int.from_bytes(np.packbits(above).tobytes(), "big")
