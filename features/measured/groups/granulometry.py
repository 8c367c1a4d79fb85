"""Granulometry: the spectrum of sizes, by openings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ..feature import Feature, ratio
from .boundary import disc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

DIAMETERS = (3, 5, 7, 9, 13)  # pixels

FEATURES = (
    *(Feature(f"granulo{size}", "granulometry", "", "share of the contrast that openings by a disc of "
              f"{size} px remove beyond the next smaller disc", "Matheron 1975; Serra 1982") for size in DIAMETERS),
    Feature("granulo_mean", "granulometry", "px", "mean diameter of that spectrum; what the largest disc leaves counts "
            f"as {DIAMETERS[-1]} px", "Maragos 1989, doi 10.1109/34.192465"),
    Feature("granulo_stddev", "granulometry", "px", "its standard deviation", "Maragos 1989"),
)  # fmt: skip


def measure_granulometry(mosaic: Mosaic) -> Columns:
    """Measure the spectrum of sizes: how much of the contrast openings by growing discs remove.

    An object without contrast has none.
    """
    left = [_volume(mosaic, mosaic.contrast)]
    for size in DIAMETERS:
        opened = cv2.morphologyEx(mosaic.contrast, cv2.MORPH_OPEN, disc(size // 2))
        left.append(_volume(mosaic, np.asarray(opened)))
    removed = [ratio(before - after, left[0]) for before, after in pairwise(left)]
    rest = ratio(left[-1], left[0])
    sizes = np.array([1, *DIAMETERS])
    spectrum = np.stack([*removed, rest])
    mean = sizes @ spectrum
    return {
        **{f"granulo{size}": column for size, column in zip(DIAMETERS, removed, strict=True)},
        "granulo_mean": mean,
        "granulo_stddev": np.sqrt(np.maximum(sizes**2 @ spectrum - mean**2, 0)),
    }


def _volume(mosaic: Mosaic, image: NDArray[Any]) -> NDArray[np.float64]:
    """Add up the values of each object's band, float64 of shape (n_objects,)."""
    return np.add.reduceat(image.sum(axis=1), mosaic.tops[:-1]).astype(np.float64)
