"""A chunk of stacks: images read, prepared and written into the file of a store by one process, which lists none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.images.decoding import BLACK, WHITE, grey_levels, quiet_decoder
from ...data_manifests.images.opened import opened
from ...data_manifests.images.pixels import FaultyImageError, pixels_at
from ..preparation.chunk_files import ChunkResult
from .form import bright_area, bright_on_dark, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.images.opened import Opening
    from ...data_manifests.images.store import ImageLocation
    from .form import ImageForm, Source

    Size = tuple[float, float, float]

SIZES = ("height", "width", "area")  # pixels of the image without its scale bar; of the object
UNKNOWN: Size = (np.nan, np.nan, np.nan)
BUFFER = 2**18  # bytes on their way into the file; new pages of memory cost as much as shrinking an image


def prepare_chunk(
    images: Opening, places: Sequence[ImageLocation], form: ImageForm, source: Source, *, file: Path, first: int
) -> ChunkResult:
    """Prepare images, and write them; the caller flushes them to the disk.

    Args:
        images: where they lie.
        places: where each lies.
        form: what is asked for.
        source: how the images were taken.
        file: first channels, side × side bytes an image; it is written in its place and not shared in memory, so that a
            full disk is an error and no crash.
        first: position in the file of the first image.

    Returns:
        Sizes (`SIZES`), float64 of shape (n_images, 3), NaN where an image has a fault, and faults by position. What
        lies in the file in the place of such an image means nothing.

    Raises:
        OSError: the file cannot be written.

    """
    sizes: list[Size] = []
    faults: dict[int, str] = {}
    nothing = np.zeros((form.side, form.side), np.uint8)
    decode = partial(grey_levels, behind=BLACK if source.background == "dark" else WHITE)
    with quiet_decoder(), file.open("r+b", BUFFER) as target:
        store = opened(images)
        target.seek(first * nothing.size)
        for row, place in enumerate(places):
            try:
                grey, size = _prepared(pixels_at(store, place, decode), form, source)
            except FaultyImageError as fault:
                faults[row] = str(fault)
                grey, size = nothing, UNKNOWN
            target.write(grey.data)
            sizes.append(size)
    return ChunkResult(np.array(sizes), faults)


def _prepared(image: NDArray[np.uint8], form: ImageForm, source: Source) -> tuple[NDArray[np.uint8], Size]:
    bright, level = bright_on_dark(image, source)
    return fitted(bright, level, form), (*bright.shape, bright_area(bright, form))
