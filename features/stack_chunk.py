"""A chunk of stacks: images read, prepared and written into the file of a store by one process, which lists none."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ..data_manifests.decoding import BLACK, WHITE, grey_levels, quiet_decoder
from ..data_manifests.opened import opened
from ..data_manifests.pixels import FaultyImageError, pixels_at
from .measured.chunk import MeasuredChunk
from .stacks import bright_area, bright_on_dark, fitted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..data_manifests.images import Place
    from ..data_manifests.opened import Opening
    from .stacks import Source, StackForm

SIZES = ("height", "width", "area")  # pixels of the image without its scale bar; of the object


def prepare_chunk(
    images: Opening, places: Sequence[Place], form: StackForm, source: Source, *, file: Path, first: int
) -> MeasuredChunk:
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
        Sizes (`SIZES`) and faults; what lies in the place of an image that has a fault means nothing.

    Raises:
        OSError: the file cannot be written.

    """
    grey = np.zeros((len(places), form.side, form.side), np.uint8)
    sizes: list[tuple[float, ...]] = []
    faults: dict[int, str] = {}
    decode = partial(grey_levels, behind=BLACK if source.background == "dark" else WHITE)
    with quiet_decoder():
        store = opened(images)
        for row, place in enumerate(places):
            try:
                bright, level = bright_on_dark(pixels_at(store, place, decode), source)
            except FaultyImageError as fault:
                faults[row] = str(fault)
                sizes.append((np.nan,) * len(SIZES))
                continue
            grey[row] = fitted(bright, level, form)
            sizes.append((*bright.shape, bright_area(bright, form)))
    write_rows(file, first, grey)
    return MeasuredChunk(np.array(sizes), faults)


def write_rows(file: Path, first: int, grey: NDArray[np.uint8]) -> None:
    """Write first channels, uint8 of shape (n, side, side), at their place into a file."""
    with file.open("r+b") as target:
        target.seek(first * grey[0].size)
        target.write(grey.data)
