"""Speed of preparing images for networks, for `tox -e bench-speed`: the store beside bare decoding, and its batches.

The store is built as a run builds it: processes started, faults looked for, everything on the disk. Bare decoding
reads the same files in as many processes, takes turns with it, and starts its processes, too.
"""

from __future__ import annotations

import os
import statistics
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ...data_manifests.images.store import open_images
from ...features.network_images.form import ImageForm, Source
from ...features.network_images.store import reopen_network_images, stored_network_images
from ...models.protocol.threads import available_cores
from .cases import Line
from .memory import memory_watched
from .stopwatch import in_own_process, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...features.network_images.store import NetworkImages

TIMES, BATCH_MS = 0.4, 10
"""The limits: images a second beside bare decoding, and milliseconds of a batch."""
PAIRS, BATCH, BATCHES = 5, 512, 9
DECODING = f"{__package__}.bare_decoding"


def preparing(folder: Path, images: Path) -> list[Line]:
    """Time the store and its batches.

    Args:
        folder: for what is built.
        images: folder, zip or tar file of images.

    """
    jobs = available_cores()
    decode = partial(in_own_process, f"from {DECODING} import decode_whole", "decode_whole(*sys.argv[1:])")
    build = partial(in_own_process, f"from {__name__} import build_whole", "build_whole(*sys.argv[1:])")
    count = decode(images, jobs).told
    pairs = [(build(images, folder / f"stacks-{turn}", jobs), decode(images, jobs)) for turn in range(PAIRS)]
    ours, bare = (statistics.median(count / one.seconds for one in some) for some in zip(*pairs, strict=True))
    ratio = statistics.median(theirs.seconds / own.seconds for own, theirs in pairs)
    address, most_mb = pairs[0][0].told
    on = f"{count:,} images of {images.absolute().parent.name}/{images.name}, {jobs} processes"
    store = Line(
        f"preparing {on}, started and written",
        f"{ours:,.0f} images/s, {most_mb:.0f} MB of all processes",
        f"{bare:,.0f} images/s (cv2.imdecode alone, {PAIRS} pairs in turn)",
        f"{ratio:.2f} x",
        f"{TIMES} x",
        ratio >= TIMES,
    )
    return [store, batches(reopen_network_images(address))]


def build_whole(source: str, cache_home: str, jobs: str) -> tuple[str, float]:
    """Prepare all images of a source into an empty cache.

    Returns:
        Address of the store, and the most anonymous memory of all processes in MiB; the mapped file is not in it.

    """
    os.environ["XDG_CACHE_HOME"] = cache_home
    store = open_images(Path(source))
    store.choose_ids()
    with memory_watched() as seen:
        network_images = stored_network_images(store, ImageForm(), Source(), jobs=int(jobs))
    return network_images.address, max(seen)


def batches(network_images: NetworkImages) -> Line:
    """Time batches of random rows in one thread, beside OpenCV called for each image, and beside three stored channels.

    The last tells what it would gain to store threshold and opening, in a file three times as large.
    """
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, len(network_images), BATCH) for _ in range(BATCHES + 1)]
    stored = network_images.batch(np.arange(min(len(network_images), 20 * BATCH)))
    network_images.batch(rows[0])
    took = {
        way: statistics.median(1000 * seconds(partial(work, some)) for some in rows[1:])
        for way, work in {
            "ours": network_images.batch,
            "looped": lambda some: looped(network_images.grey[some]),
            "stored": lambda some: stored[some % len(stored)],
        }.items()
    }
    return Line(
        f"a batch of {BATCH} stacks of random rows, {network_images.form.side} px, one thread",
        f"{took['ours']:.1f} ms",
        f"{took['looped']:.1f} ms (OpenCV in a loop); {took['stored']:.1f} ms if all three channels were stored",
        f"{took['looped'] / took['ours']:.1f} x",
        f"{BATCH_MS} ms",
        took["ours"] <= BATCH_MS,
    )


def looped(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make the three channels of each image as source 001 did: uint8 of shape (n, side, side, 3)."""
    element = np.ones((3, 3), np.uint8)
    network_images = np.empty((*grey.shape, 3), np.uint8)
    for image, channels in zip(grey, network_images, strict=True):
        _, above = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        channels[...] = np.dstack([image, above, cv2.morphologyEx(image, cv2.MORPH_OPEN, element)])
    return network_images
