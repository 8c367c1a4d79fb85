"""The dense core of an object: where its contrast is beyond Otsu's threshold within the object.

In a transparent animal that is gut, eye or gonad; in an object of one density, about all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .feature import Feature, ratio
from .geometry import ellipse_of, measure_geometry, moments
from .outline import measure_outline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .geometry import Ellipse
    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

LEVELS = 256
SHAPES = ("pieces", "holes", "extent", "elongation", "circ.", "solidity", "perimferet", "hu1")
RATIOS = ("area", "feret", "perim.", "convarea")

FEATURES = (
    Feature("core_threshold", "core", "grey", "contrast above which a pixel is of the core: Otsu's threshold over the "
            "object's pixels, at most its largest contrast − 1", "Otsu 1979, doi 10.1109/TSMC.1979.4310076"),
    *(Feature(f"core_{name}", "core", "", f"{name} of the core", f"as {name}") for name in SHAPES),
    *(Feature(f"core_{name}_share", "core", "", f"{name} of the core / {name} of the object", f"as {name}")
      for name in RATIOS),
    Feature("core_offset", "core", "", "distance between the centroids of core and object / esd of the object", "here"),
    Feature("core_turn", "core", "", "|sine of the angle between the major axes of core and object|", "here"),
)  # fmt: skip


def measure_core(sheet: Sheet, ellipse: Ellipse, known: Columns) -> Columns:
    """Measure the core.

    Args:
        sheet: the objects.
        ellipse: their ellipses.
        known: what was measured of the objects: `esd`, and what the core is compared with.

    """
    threshold = _thresholds(sheet)
    dense = (sheet.contrast > threshold[sheet.owner_of_row, None]) & (sheet.filled > 0)
    core = replace(sheet, mask=dense.astype(np.uint8))
    mu = moments(core, core.filled, binary=True)
    other = ellipse_of(core, mu)
    found = measure_geometry(core, mu, other)
    found |= measure_outline(core, found)
    turn = np.where(other.round | ellipse.round, np.nan, other.turn - ellipse.turn)
    return {
        "core_threshold": np.maximum(threshold, 0).astype(np.float64),
        **{f"core_{name}": found[name] for name in SHAPES},
        **{f"core_{name}_share": ratio(found[name], known[name]) for name in RATIOS},
        "core_offset": np.hypot(other.x - ellipse.x, other.y - ellipse.y) / known["esd"],
        "core_turn": np.abs(np.sin(turn)),
    }


def _thresholds(sheet: Sheet) -> NDArray[np.int64]:
    """Return the contrast above which an object's pixels are of its core, int64 of shape (n_objects,).

    At least one pixel always is: of an object without contrast all are, and the threshold is −1.
    """
    pixels = sheet.pixels
    codes = pixels.owner * LEVELS + sheet.contrast.ravel()[pixels.place]
    counts = np.bincount(codes, minlength=len(sheet) * LEVELS).reshape(-1, LEVELS)
    most = LEVELS - 1 - (counts[:, ::-1] > 0).argmax(axis=1)
    return np.asarray(np.minimum(otsu(counts), most - 1), np.int64)


def otsu(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return Otsu's threshold of histograms: the lowest level that parts the pixels with the most variance between.

    Args:
        counts: pixels of each level, int64 of shape (n_objects, n_levels).

    Returns:
        int64 of shape (n_objects,); pixels above are of the upper class. 0 where all pixels have one level.

    """
    below = np.cumsum(counts, axis=1)
    sums = np.cumsum(counts * np.arange(counts.shape[1]), axis=1)
    above = below[:, -1:] - below
    between = ratio((sums[:, -1:] * below - below[:, -1:] * sums).astype(np.float64) ** 2, below * above)
    return np.asarray(np.nan_to_num(between, nan=-1.0).argmax(axis=1), np.int64)
