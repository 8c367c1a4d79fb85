"""Compiled loops warmed up: compiled once per machine, before worker processes start that would each compile them."""

from __future__ import annotations

import logging
from functools import cache
from threading import Timer

import numpy as np

from .measure import ALL, measure_chunk
from .objects.segmentation import Segmentation

PATIENCE = 2.0  # seconds before a message is logged
COMPILING = (
    "Compiling the measuring code for this machine, which takes about half a minute. The compiled code is cached for "
    "later calls, unless neither the package folder nor the user's cache folder is writable."
)


@cache
def make_ready(groups: frozenset[str] = ALL) -> None:
    """Compile the loops of groups of features, or load the cached code, by measuring a small object.

    If that takes longer than `PATIENCE`, a warning is logged to the logger `planktonbench`, which by default is printed
    on standard error.
    """
    timer = Timer(PATIENCE, logging.getLogger("planktonbench").warning, [COMPILING])
    timer.start()
    try:
        measure_chunk([_small_object()], Segmentation(), groups=groups)
    finally:
        timer.cancel()


def _small_object() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draw a bar with two grey levels on white."""
    image = np.full((24, 24), 255, np.uint8)
    image[6:18, 8:13], image[6:18, 13:15] = 60, 120
    return image
