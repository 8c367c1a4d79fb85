"""Features of the outline: the chain of border pixels of each piece, holes filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

FEATURES = (
    Feature("perim.", "outline", "px", "Σ over pieces of (length of the chain of border pixels, 1 or √2 per step, + "
            "π), the length of the line half a pixel outside the chain (Steiner's formula)", ZOOPROCESS),
    Feature("circ.", "outline", "", "4 · π · area / perim.², at most 1", ZOOPROCESS),
    Feature("circex", "outline", "", "4 · π · area_exc / perim.², at most 1", ZOOPROCESS),
    Feature("convexity", "outline", "", "convperim / perim.", "ImageJ, shape descriptors"),
    Feature("perimareaexc", "outline", "", "perim. / √area_exc", ZOOPROCESS),
    Feature("perimferet", "outline", "", "perim. / feret", ZOOPROCESS),
    Feature("perimmajor", "outline", "", "perim. / major", ZOOPROCESS),
    Feature("convperim_perim", "outline", "", "convperim / perim.", "FlowCam challenge"),
)  # fmt: skip


def measure_outline(mosaic: Mosaic, known: Columns) -> Columns:
    """Measure outlines.

    Args:
        mosaic: the objects.
        known: features of the objects: `area`, `area_exc`, `major`, `feret` and `convperim`.

    """
    perimeter = mosaic.outlines.perimeter
    area, area_exc, convexity = known["area"], known["area_exc"], known["convperim"] / perimeter
    return {
        "perim.": perimeter,
        "circ.": np.minimum(4 * np.pi * area / perimeter**2, 1),
        "circex": np.minimum(4 * np.pi * area_exc / perimeter**2, 1),
        "convexity": convexity,
        "perimareaexc": ratio(perimeter, np.sqrt(area_exc)),
        "perimferet": perimeter / known["feret"],
        "perimmajor": ratio(perimeter, known["major"]),
        "convperim_perim": convexity,
    }
