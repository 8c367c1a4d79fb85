"""Speed of preparing network images compared with decoding alone, and of their batches, for `tox -e bench-speed`.

The store is built as in a run: processes are started, images are checked, and everything is written to disk. Decoding
reads the same files with the same number of processes, which it also starts, and takes turns with the preparation.
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
from .memory import monitor_memory
from .stopwatch import in_subprocess, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...features.network_images.store import NetworkImages

MIN_RATIO, BATCH_MS = 0.4, 10
"""The limits: images per second relative to decoding alone, and milliseconds per batch."""
PAIRS, BATCH, BATCHES = 5, 512, 9
DECODING = f"{__package__}.bare_decoding"


def preparing(folder: Path, images: Path) -> list[Line]:
    """Time the preparation of network images and the loading of batches.

    Args:
        folder: folder for temporary files.
        images: folder, zip or tar file of images.

    """
    jobs = available_cores()
    decode = partial(in_subprocess, f"from {DECODING} import decode_all", "decode_all(*sys.argv[1:])")
    build = partial(in_subprocess, f"from {__name__} import build_store", "build_store(*sys.argv[1:])")
    count = decode(images, jobs).value
    pairs = [(build(images, folder / f"stacks-{turn}", jobs), decode(images, jobs)) for turn in range(PAIRS)]
    ours, bare = (statistics.median(count / run.seconds for run in runs) for runs in zip(*pairs, strict=True))
    ratio = statistics.median(decoding.seconds / own.seconds for own, decoding in pairs)
    address, most_mb = pairs[0][0].value
    on = f"{count:,} images of {images.absolute().parent.name}/{images.name}, {jobs} processes"
    store = Line(
        f"preparing {on}, started and written",
        f"{ours:,.0f} images/s, {most_mb:.0f} MB of all processes",
        f"{bare:,.0f} images/s (cv2.imdecode alone, {PAIRS} pairs in turn)",
        f"{ratio:.2f} x",
        f"{MIN_RATIO} x",
        ratio >= MIN_RATIO,
    )
    return [store, batches(reopen_network_images(address))]


def build_store(source: str, cache_home: str, jobs: str) -> tuple[str, float]:
    """Prepare all images of a source in an empty cache.

    Returns:
        Address of the store, and peak anonymous memory of all processes in MiB; this excludes the mapped file.

    """
    os.environ["XDG_CACHE_HOME"] = cache_home
    store = open_images(Path(source))
    store.choose_ids()
    with monitor_memory() as samples:
        network_images = stored_network_images(store, ImageForm(), Source(), jobs=int(jobs))
    return network_images.address, max(samples)


def batches(network_images: NetworkImages) -> Line:
    """Time batches of random rows in one thread, against OpenCV on each image and against three stored channels.

    The latter shows the gain from storing threshold and opening, in a file three times as large.
    """
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, len(network_images), BATCH) for _ in range(BATCHES + 1)]
    stored = network_images.batch(np.arange(min(len(network_images), 20 * BATCH)))
    network_images.batch(rows[0])
    elapsed = {
        way: statistics.median(1000 * seconds(partial(make_batch, batch)) for batch in rows[1:])
        for way, make_batch in {
            "ours": network_images.batch,
            "looped": lambda batch: channels_by_opencv(network_images.grey[batch]),
            "stored": lambda batch: stored[batch % len(stored)],
        }.items()
    }
    return Line(
        f"a batch of {BATCH} network images of random rows, {network_images.form.side} px, one thread",
        f"{elapsed['ours']:.1f} ms",
        f"{elapsed['looped']:.1f} ms (OpenCV in a loop); {elapsed['stored']:.1f} ms if all three channels were stored",
        f"{elapsed['looped'] / elapsed['ours']:.1f} x",
        f"{BATCH_MS} ms",
        elapsed["ours"] <= BATCH_MS,
    )


def channels_by_opencv(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compute the three channels of each image like source 001; return uint8 of shape (n, side, side, 3)."""
    element = np.ones((3, 3), np.uint8)
    network_images = np.empty((*grey.shape, 3), np.uint8)
    for image, channels in zip(grey, network_images, strict=True):
        _, above = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        channels[...] = np.dstack([image, above, cv2.morphologyEx(image, cv2.MORPH_OPEN, element)])
    return network_images
