"""Decoding of images, the baseline for their preparation. Worker processes import only this module."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.files.processes import in_order
from ...data_manifests.images.decoding import decoded, quiet_decoder
from ...data_manifests.images.opened import Opening, opened
from ...data_manifests.images.store import open_images
from ...features.preparation.chunk_files import CHUNK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...data_manifests.images.store import ImageLocation


def decode_all(source: str, jobs: str) -> int:
    """Read and decode all images of a source with `jobs` processes, in chunks; return the number decoded."""
    store = open_images(Path(source))
    locations = [store.location_of(object_id) for object_id in store.members]
    opening = Opening.of(store)
    tasks = (
        partial(decode_chunk, opening, locations[first : first + CHUNK]) for first in range(0, len(locations), CHUNK)
    )
    return sum(in_order(tasks, int(jobs)))


def decode_chunk(images: Opening, locations: Sequence[ImageLocation]) -> int:
    """Read images and decode them unchanged with `cv2.imdecode`; return the number decoded."""
    import cv2

    store = opened(images)
    with quiet_decoder():
        return sum(decoded(store.read_at(location), cv2.IMREAD_UNCHANGED) is not None for location in locations)
