"""Images decoded and nothing more: what the preparation of images is compared with. Its processes import no more."""

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


def decode_whole(source: str, jobs: str) -> int:
    """Read and decode all images of a source in so many processes, in chunks; return how many could be decoded."""
    store = open_images(Path(source))
    places = [store.location_of(object_id) for object_id in store.members]
    opening = Opening.of(store)
    tasks = (partial(decode_some, opening, places[first : first + CHUNK]) for first in range(0, len(places), CHUNK))
    return sum(in_order(tasks, int(jobs)))


def decode_some(images: Opening, places: Sequence[ImageLocation]) -> int:
    """Read images and decode them with `cv2.imdecode`, as they are stored; return how many could be decoded."""
    import cv2

    store = opened(images)
    with quiet_decoder():
        return sum(decoded(store.read_at(place), cv2.IMREAD_UNCHANGED) is not None for place in places)
