"""Dense core of an object: the pixels whose contrast exceeds Otsu's threshold within the object.

In a transparent animal this is the gut, an eye or a gonad; in an object of uniform density, almost all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from ..kernels.compiled import compiled
from .geometry import measure_geometry
from .grey import histograms
from .hull import measure_hull
from .outline import measure_outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

SHAPES = ("pieces", "holes", "extent", "elongation", "circ.", "solidity", "perimferet", "hu1")
RATIOS = ("area", "feret", "perim.", "convarea")

FEATURES = (
    Feature("core_threshold", "core", "grey", "contrast above which a pixel belongs to the core: Otsu's threshold of "
            "the object's pixels, at most their largest contrast − 1", "Otsu 1979, doi 10.1109/TSMC.1979.4310076"),
    *(Feature(f"core_{name}", "core", "", f"{name} of the core", f"as {name}") for name in SHAPES),
    *(Feature(f"core_{name}_share", "core", "", f"{name} of the core / {name} of the object", f"as {name}")
      for name in RATIOS),
    Feature("core_offset", "core", "", "distance between the centroids of core and object / esd of the object", "here"),
    Feature("core_turn", "core", "", "|sine of the angle between the major axes of core and object|", "here"),
)  # fmt: skip


def measure_core(mosaic: Mosaic, known: Columns) -> Columns:
    """Measure the core.

    Args:
        mosaic: the objects.
        known: features of the objects: `esd`, and those in `RATIOS`.

    """
    counts = histograms(mosaic.contrast, mosaic.pixels)
    threshold = _thresholds(counts)
    dense = (mosaic.contrast > threshold[mosaic.owner_of_row, None]) & (mosaic.filled > 0)
    core = replace(mosaic, mask=dense.astype(np.uint8))
    found = measure_geometry(core)
    found |= measure_hull(core, found)
    found |= measure_outline(core, found)
    ellipse, other = mosaic.ellipse, core.ellipse
    lower = core.pixels.y[core.pixels.bounds[:-1]] - mosaic.pixels.y[mosaic.pixels.bounds[:-1]]
    turn = np.where(other.round | ellipse.round, np.nan, other.turn - ellipse.turn)
    return {
        "core_threshold": np.maximum(threshold, 0).astype(np.float64),
        **{f"core_{name}": found[name] for name in SHAPES},
        **{f"core_{name}_share": ratio(found[name], known[name]) for name in RATIOS},
        "core_offset": np.hypot(other.x - ellipse.x, other.y - ellipse.y + lower) / known["esd"],
        "core_turn": np.abs(np.sin(turn)),
    }


@compiled
def _thresholds(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the contrast above which an object's pixels belong to its core, int64 of shape (n_objects,).

    A core has at least one pixel; for an object without contrast, it is the whole object and the threshold is −1.

    Args:
        counts: number of pixels at each contrast, int64 of shape (n_objects, n_levels).

    """
    found = np.empty(len(counts), np.int64)
    for k in range(len(counts)):
        most = counts.shape[1] - 1
        while not counts[k, most]:
            most -= 1
        found[k] = min(otsu(counts[k]), most - 1)
    return found


@compiled
def otsu(counts: NDArray[np.int64]) -> int:
    """Return Otsu's threshold of a histogram: the lowest level that maximises the between-class variance.

    Args:
        counts: number of pixels at each level, int64 of shape (n_levels,).

    Returns:
        Pixels above the threshold belong to the upper class. 0 if all pixels have the same level.

    """
    area = total = 0
    for level in range(len(counts)):
        area += counts[level]
        total += counts[level] * level
    below = darker = best = 0
    most = 0.0
    for level in range(len(counts)):
        below += counts[level]
        darker += counts[level] * level
        if below and below < area:
            between = float(total * below - area * darker) ** 2 / (float(below) * (area - below))
            if between > most:
                best, most = level, between
    return best
