"""Loops made ready: compiled once for a machine, before processes start that would each compile them."""

from __future__ import annotations

import logging
from functools import cache
from threading import Timer

import numpy as np

from .measure import ALL, measure_chunk
from .objects.segmentation import Segmentation

PATIENCE = 2.0  # seconds that pass without a word
COMPILING = (
    "The loops that measure are being compiled for this machine, which takes about half a minute. They are kept for "
    "the next time, unless neither the package's folder nor the user's cache can be written."
)


@cache
def make_ready(groups: frozenset[str] = ALL) -> None:
    """Compile the loops of groups of features, or load what was compiled before, by measuring a small object.

    When that takes longer than `PATIENCE`, a warning is logged to `planktonbench`, which Python prints on standard
    error unless told otherwise.
    """
    told = Timer(PATIENCE, logging.getLogger("planktonbench").warning, [COMPILING])
    told.start()
    try:
        measure_chunk([_small_object()], Segmentation(), groups=groups)
    finally:
        told.cancel()


def _small_object() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw a bar of two grey levels on white."""
    image = np.full((24, 24), 255, np.uint8)
    image[6:18, 8:13], image[6:18, 13:15] = 60, 120
    return image
