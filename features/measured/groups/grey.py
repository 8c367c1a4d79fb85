"""Grey-level statistics of an object, holes filled, computed from its histogram.

Grey levels are those of the image: 0 is black and 255 is white, whether the background is light or dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from ..kernels.compiled import compiled
from ..kernels.moments import hu_moments
from .geometry import HU, HU_TEXT, ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

LEVELS, WHITE = 256, 255
QUARTERS = (0.25, 0.5, 0.75)
CHALLENGE = "FlowCam challenge, name"

FEATURES = (
    Feature("mean", "grey", "grey", "mean grey level", ZOOPROCESS),
    Feature("stddev", "grey", "grey", "standard deviation, divisor area − 1", ZOOPROCESS),
    Feature("mode", "grey", "grey", "most frequent grey level, the lowest if tied", ZOOPROCESS),
    Feature("min", "grey", "grey", "lowest grey level", ZOOPROCESS),
    Feature("max", "grey", "grey", "highest grey level", ZOOPROCESS),
    Feature("median", "grey", "grey", "lowest grey level not exceeded by at least half of the pixels", ZOOPROCESS),
    Feature("range", "grey", "grey", "max − min", ZOOPROCESS),
    Feature("intden", "grey", "", "sum of grey levels, area · mean", ZOOPROCESS),
    Feature("skew", "grey", "", "m₃ / m₂^(3/2), where m are central moments of the grey levels", ZOOPROCESS),
    Feature("kurt", "grey", "", "m₄ / m₂² − 3", ZOOPROCESS),
    *(Feature(f"histcum{k}", "grey", "grey", f"grey level at which the cumulative histogram reaches {25 * k} %, "
              "linear within each level L from L − ½ to L + ½", ZOOPROCESS) for k in (1, 2, 3)),
    Feature("slope", "grey", "", "least-squares slope of the cumulative histogram, in % of the pixels, against grey "
            "level from min to max", ZOOPROCESS),
    Feature("cv", "grey", "", "100 · stddev / mean", ZOOPROCESS),
    Feature("sr", "grey", "", "100 · stddev / range", ZOOPROCESS),
    Feature("meanpos", "grey", "", "(mean − max) / (mean − min)", ZOOPROCESS),
    Feature("entropy", "grey", "", "−Σ p · log₂ p over grey levels, in bits", "scikit-image"),
    Feature("meanimagegrey", "grey", "grey", "mean grey level of the whole image, scale bar excluded", CHALLENGE),
    Feature("transparency", "grey", "", "1 − mean contrast / largest contrast possible on the background", "here, "
            "after ZooCAM's transparence"),
    Feature("centroids", "grey", "px", "distance between the centroids of the pixels and of the contrast",
            ZOOPROCESS),
    Feature("kurt_mean", "grey", "", "kurt / mean", CHALLENGE),
    Feature("skew_mean", "grey", "", "skew / mean", CHALLENGE),
    Feature("median_mean", "grey", "", "median / mean", CHALLENGE),
    Feature("median_mean_range", "grey", "", "median / mean / range", CHALLENGE),
    *(Feature(f"grey_hu{k}", "grey", "", HU_TEXT.format(k=k, what="the normalised central moments of contrast"), HU)
      for k in range(1, 8)),
)  # fmt: skip


def measure_grey(mosaic: Mosaic) -> Columns:
    """Measure grey-level statistics."""
    weighted, form = mosaic.weight, mosaic.form
    most = np.where(mosaic.light, mosaic.level, WHITE - mosaic.level)
    hu = hu_moments(weighted.nu)
    return {
        **levels(histograms(mosaic.grey, mosaic.pixels)),
        "meanimagegrey": mosaic.frame,
        "transparency": 1 - ratio(weighted.mass / form.mass, most),
        "centroids": np.hypot(weighted.x - form.x, weighted.y - form.y),
        **{f"grey_hu{k + 1}": column for k, column in enumerate(hu.T)},
    }


@compiled
def histograms(image: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.int64]:
    """Return the histogram of each object in an image of the mosaic's shape, int64 of shape (n_objects, 256)."""
    found = np.zeros((len(pixels.bounds) - 1, LEVELS), np.int64)
    for k in range(len(found)):
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            found[k, image[pixels.y[p], pixels.x[p]]] += 1
    return found


def levels(counts: NDArray[np.int64]) -> Columns:
    """Compute features from histograms of grey levels.

    Args:
        counts: number of pixels of each object at each level, int64 of shape (n_objects, 256); no object is empty.

    """
    area, mean, m2, m3, m4, entropy, lowest, highest, mode, slope, median, *reached = _statistics(counts).T
    stddev = np.sqrt(ratio(m2 * area, area - 1))
    span = highest - lowest
    skew, kurt = ratio(m3, m2**1.5), ratio(m4, m2**2) - 3
    return {
        "mean": mean,
        "stddev": stddev,
        "mode": mode,
        "min": lowest,
        "max": highest,
        "median": median,
        "range": span,
        "intden": mean * area,
        "skew": skew,
        "kurt": kurt,
        **{f"histcum{k}": level for k, level in enumerate(reached, start=1)},
        "slope": slope,
        "cv": ratio(100 * stddev, mean),
        "sr": ratio(100 * stddev, span),
        "meanpos": ratio(mean - highest, mean - lowest),
        "entropy": entropy,
        "kurt_mean": ratio(kurt, mean),
        "skew_mean": ratio(skew, mean),
        "median_mean": ratio(median, mean),
        "median_mean_range": ratio(ratio(median, mean), span),
    }


@compiled
def _statistics(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the statistics that `levels` uses, float64 of shape (n_objects, 14)."""
    found = np.empty((len(counts), 14))
    for k in range(len(counts)):
        row = counts[k]
        area = row.sum()
        lowest, highest, mode = _range(row)
        mean, m2, m3, m4 = _moments(row[lowest : highest + 1], lowest, area)
        entropy = 0.0
        for level in range(lowest, highest + 1):
            if row[level]:
                entropy -= row[level] / area * np.log2(row[level] / area)
        median, _ = _reached(row, 0.5 * area)
        slope = _slope(row[lowest : highest + 1], area)
        found[k, :11] = np.array([area, mean, m2, m3, m4, entropy, lowest, highest, mode, slope, median])
        for part in range(len(QUARTERS)):
            found[k, 11 + part] = _reached(row, QUARTERS[part] * area)[1]
    return found


@compiled
def _range(counts: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return the lowest, the highest and the most frequent level of a histogram."""
    lowest, highest, mode = -1, 0, 0
    for level in range(len(counts)):
        if counts[level]:
            lowest = level if lowest < 0 else lowest
            highest = level
            mode = level if counts[level] > counts[mode] else mode
    return lowest, highest, mode


@compiled
def _moments(counts: NDArray[np.int64], lowest: int, area: int) -> tuple[float, float, float, float]:
    """Return the mean and the second, third and fourth central moments of a histogram that starts at `lowest`."""
    total, m2, m3, m4 = 0, 0.0, 0.0, 0.0
    for step in range(len(counts)):
        total += counts[step] * (lowest + step)
    mean = total / area
    for step in range(len(counts)):
        off = lowest + step - mean
        square = off * off * (counts[step] / area)
        m2 += square
        m3 += square * off
        m4 += square * off * off
    return mean, m2, m3, m4


@compiled
def _reached(counts: NDArray[np.int64], wanted: float) -> tuple[int, float]:
    """Return the level at which the cumulative histogram reaches a number of pixels, and its linear interpolation."""
    level, upto = 0, counts[0]
    while upto < wanted:
        level += 1
        upto += counts[level]
    return level, level + 0.5 - (upto - wanted) / counts[level]


@compiled
def _slope(counts: NDArray[np.int64], area: int) -> float:
    """Return the least-squares slope of the cumulative histogram in % of the pixels per level; NaN for one level."""
    upto, product, square = 0, 0.0, 0.0
    for step in range(len(counts)):
        off = step - (len(counts) - 1) / 2
        upto += counts[step]
        product += off * (100 * upto / area)
        square += off * off
    return product / square
