"""Histogram of the contrast of an object's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..feature import Feature
from .grey import LEVELS, histograms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

BINS = 16
WIDTH = LEVELS // BINS

FEATURES = tuple(
    Feature(f"contrast_bin{k + 1}", "contrast", "", "fraction of pixels whose contrast with the background is "
            f"{WIDTH * k} to {WIDTH * (k + 1) - 1}", "here")
    for k in range(BINS)
)  # fmt: skip


def measure_contrast(mosaic: Mosaic) -> Columns:
    """Measure the histogram of contrast, holes filled."""
    counts = histograms(mosaic.contrast, mosaic.pixels).reshape(len(mosaic), BINS, WIDTH).sum(axis=2)
    shares = counts / mosaic.form.mass[:, None]
    return {f"contrast_bin{k + 1}": shares[:, k] for k in range(BINS)}
