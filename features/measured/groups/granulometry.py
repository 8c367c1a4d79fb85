"""Granulometry: size spectrum from morphological openings."""

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
    *(Feature(f"granulo{size}", "granulometry", "", "fraction of the contrast removed by opening with a disc "
              f"of {size} px but not with the next smaller disc", "Matheron 1975; Serra 1982") for size in DIAMETERS),
    Feature("granulo_mean", "granulometry", "px", "mean diameter of the size spectrum; contrast left by the largest "
            f"disc counts as {DIAMETERS[-1]} px", "Maragos 1989, doi 10.1109/34.192465"),
    Feature("granulo_stddev", "granulometry", "px", "standard deviation of the size spectrum", "Maragos 1989"),
)  # fmt: skip


def measure_granulometry(mosaic: Mosaic) -> Columns:
    """Measure the size spectrum: the fraction of the contrast removed by openings with discs of increasing size.

    It is NaN for an object without contrast.
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
    """Sum the values in each object's band, float64 of shape (n_objects,)."""
    return np.add.reduceat(image.sum(axis=1), mosaic.tops[:-1]).astype(np.float64)
