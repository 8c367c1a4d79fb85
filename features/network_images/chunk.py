"""Preparation of a chunk of images in one process, which needs no listing of the other images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO, TYPE_CHECKING

import numpy as np

from ...data_manifests.images.decoding import BLACK, WHITE, grey_levels, quiet_decoder
from ...data_manifests.images.opened import opened
from ...data_manifests.images.pixels import FaultyImageError, pixels_at
from ..preparation.chunk_files import ChunkResult
from .form import bright_area, bright_object, resized

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.images.opened import Opening
    from ...data_manifests.images.store import ImageLocation
    from .form import ImageForm, Source

    Size = tuple[float, float, float]

UNKNOWN: Size = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class PreparedChunk(ChunkResult):
    """Sizes and faults of a chunk, as those of `write_chunk`, with its network images.

    Attributes:
        pixels: first channels, concatenated, side × side bytes per image.

    """

    pixels: bytes


def prepare_chunk(
    images: Opening, locations: Sequence[ImageLocation], form: ImageForm, source: Source
) -> PreparedChunk:
    """Read images and prepare them as `write_chunk` does, but return the pixels."""
    with BytesIO() as target:
        result = _prepare(images, locations, form, source, target)
        return PreparedChunk(result.values, result.faults, target.getvalue())


def write_chunk(
    images: Opening,
    locations: Sequence[ImageLocation],
    form: ImageForm,
    source: Source,
    *,
    file: Path,
    rows: Sequence[int],
) -> ChunkResult:
    """Read images, prepare them and write them to the file of a store; the caller flushes the file.

    Args:
        images: the opened images.
        locations: location of each image of the chunk.
        form: form of the network images.
        source: how the images were taken.
        file: file of the first channels, side × side bytes per image; it is written rather than memory-mapped, so that
            a full disk raises an error instead of crashing the process.
        rows: position in the file of each image.

    Returns:
        Sizes (`SIZES`), float64 of shape (n_images, 3), NaN for images with a fault; and faults by position. The pixels
        written for images with a fault are meaningless.

    Raises:
        OSError: the file cannot be written.

    """
    content = BytesIO()
    result = _prepare(images, locations, form, source, content)
    write_rows(file, content.getbuffer(), rows, form)
    return result


def write_rows(file: Path, pixels: memoryview, rows: Sequence[int], form: ImageForm) -> None:
    """Write images to their positions in the file of a store, in the order of the file; the caller flushes it.

    Args:
        file: file of the first channels.
        pixels: first channels, concatenated.
        rows: position in the file of each image.
        form: form of the network images.

    Raises:
        OSError: the file cannot be written.

    """
    size = form.side**2
    with file.open("r+b") as target:
        for row, place in sorted(zip(rows, range(len(rows)), strict=True)):
            target.seek(row * size)
            target.write(pixels[place * size : (place + 1) * size])


def _prepare(
    images: Opening, locations: Sequence[ImageLocation], form: ImageForm, source: Source, target: IO[bytes]
) -> ChunkResult:
    """Read images, prepare them and write them to a file at its current position."""
    sizes: list[Size] = []
    faults: dict[int, str] = {}
    blank = np.zeros((form.side, form.side), np.uint8)
    decode = partial(grey_levels, behind=BLACK if source.background == "dark" else WHITE)
    with quiet_decoder():
        store = opened(images)
        for row, location in enumerate(locations):
            try:
                grey, size = _prepared(pixels_at(store, location, decode), form, source)
            except FaultyImageError as fault:
                faults[row] = str(fault)
                grey, size = blank, UNKNOWN
            target.write(grey.data)
            sizes.append(size)
    return ChunkResult(np.array(sizes), faults)


def _prepared(image: NDArray[np.uint8], form: ImageForm, source: Source) -> tuple[NDArray[np.uint8], Size]:
    bright, level = bright_object(image, form, source)
    return resized(bright, level, form), (*bright.shape, bright_area(bright, form))
