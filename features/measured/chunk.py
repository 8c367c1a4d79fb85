"""Reading, decoding and measuring a chunk of images in one process, which needs no listing of the other images.

If an image cannot be measured, the fault is recorded, its row is NaN and the other images continue.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.images.decoding import BLACK, WHITE, grey_levels, mask_levels, quiet_decoder
from ...data_manifests.images.pixels import FaultyImageError, pixels_at
from ..preparation.chunk_files import ChunkResult
from .catalogue import NAMES
from .measure import measure_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageLocation
    from ..preparation.sources import Openings, Sources
    from .objects.segmentation import Segmentation

    Pair = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]

MOST_PIXELS = 20_000_000  # measured at once, unless a single image has more
NO_MASK = "no mask"


@dataclass(frozen=True)
class ImageWithMask:
    """Location of an image inside its source, and of its mask; None if it has no mask."""

    image: ImageLocation
    mask: ImageLocation | None = None


def measure_opened(openings: Openings, members: Sequence[ImageWithMask], options: Segmentation) -> ChunkResult:
    """Measure images like `measure_members`, in a process that may not have opened the sources yet."""
    with quiet_decoder():
        return measure_members(openings.opened(), members, options)


def measure_members(sources: Sources, members: Sequence[ImageWithMask], options: Segmentation) -> ChunkResult:
    """Measure images in batches, so that memory use does not grow with their number.

    Args:
        sources: sources of the images and masks.
        members: location of each image and its mask.
        options: segmentation; for images with masks, only the scale bar is used.

    """
    values = np.full((len(members), len(NAMES)), np.nan)
    faults: dict[int, str] = {}
    for rows, pairs in _batches(sources, members, options, faults):
        images, masks = zip(*pairs, strict=True)
        values[rows] = measure_chunk(images, options, masks)
    return ChunkResult(values, faults)


def _batches(
    sources: Sources, members: Sequence[ImageWithMask], options: Segmentation, faults: dict[int, str]
) -> Iterator[tuple[list[int], list[Pair]]]:
    """Yield positions and pixels of images to measure at once; record faults in `faults`."""
    rows: list[int] = []
    pairs: list[Pair] = []
    pixels = 0
    for row, member in enumerate(members):
        try:
            pair = _read(sources, member, options)
        except FaultyImageError as fault:
            faults[row] = str(fault)
            continue
        if rows and pixels + pair[0].size > MOST_PIXELS:
            yield rows, pairs
            rows, pairs, pixels = [], [], 0
        rows.append(row)
        pairs.append(pair)
        pixels += pair[0].size
    if rows:
        yield rows, pairs


def _read(sources: Sources, member: ImageWithMask, options: Segmentation) -> Pair:
    """Return the grey levels of an image and of its mask."""
    behind = BLACK if options.background == "dark" else WHITE
    image = pixels_at(sources.images, member.image, partial(grey_levels, behind=behind))
    if sources.masks is None:
        return image, None
    if member.mask is None:
        raise FaultyImageError(NO_MASK)
    try:
        mask = pixels_at(sources.masks, member.mask, mask_levels)
    except FaultyImageError as fault:
        message = f"mask {fault}"
        raise FaultyImageError(message) from fault
    if mask.shape != image.shape:
        message = f"mask of {_size(mask)} px, image of {_size(image)} px"
        raise FaultyImageError(message)
    return image, mask


def _size(image: NDArray[np.uint8]) -> str:
    return f"{image.shape[1]} × {image.shape[0]}"
