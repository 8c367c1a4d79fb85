"""Pieces of an object with grey levels up to each quartile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from ..kernels.runs import count_pieces
from .geometry import ZOOPROCESS
from .grey import CHALLENGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

FEATURES = (
    *(Feature(f"nb{k}", "quartiles", "", f"number of 8-connected pieces of pixels with grey level ≤ histcum{k}, "
              "holes filled", f"{ZOOPROCESS}, name") for k in (1, 2, 3)),
    *(Feature(f"nb{k}_area", "quartiles", "", f"nb{k} / area", CHALLENGE) for k in (1, 2, 3)),
    *(Feature(f"nb{k}_range", "quartiles", "", f"nb{k} / range", CHALLENGE) for k in (1, 2, 3)),
)  # fmt: skip


def measure_quartiles(mosaic: Mosaic, known: Columns) -> Columns:
    """Count the pieces of pixels with grey levels up to each quartile.

    Args:
        mosaic: the objects.
        known: features of the objects: `area`, `range`, and `histcum1` to `histcum3`.

    """
    nb = {f"nb{k}": _pieces_below(mosaic, known[f"histcum{k}"]) for k in (1, 2, 3)}
    return {
        **nb,
        **{f"{name}_area": values / known["area"] for name, values in nb.items()},
        **{f"{name}_range": ratio(values, known["range"]) for name, values in nb.items()},
    }


def _pieces_below(mosaic: Mosaic, threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the pieces of each object's pixels with grey levels up to its threshold."""
    limit = np.repeat(np.floor(threshold).astype(np.int64), np.diff(mosaic.pixels.bounds))
    return count_pieces(mosaic.pixels, mosaic.values_of(mosaic.grey) <= limit).astype(np.float64)
