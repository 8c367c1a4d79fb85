"""What is measured of an object's grey levels, holes filled, from one histogram each.

Grey levels are as the image has them: 0 is black and 255 white, whichever the background is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .feature import Feature, ratio
from .geometry import HU, HU_TEXT, ZOOPROCESS, hu_moments, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .geometry import Ellipse
    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

LEVELS, WHITE = 256, 255
QUARTERS = (0.25, 0.5, 0.75)
CHALLENGE = "FlowCam challenge, name"

FEATURES = (
    Feature("mean", "grey", "grey", "mean grey level", ZOOPROCESS),
    Feature("stddev", "grey", "grey", "standard deviation, divisor area − 1", ZOOPROCESS),
    Feature("mode", "grey", "grey", "most frequent grey level, the lowest of several", ZOOPROCESS),
    Feature("min", "grey", "grey", "lowest grey level", ZOOPROCESS),
    Feature("max", "grey", "grey", "highest grey level", ZOOPROCESS),
    Feature("median", "grey", "grey", "lowest level that at least half of the pixels do not exceed", ZOOPROCESS),
    Feature("range", "grey", "grey", "max − min", ZOOPROCESS),
    Feature("intden", "grey", "", "sum of grey levels, area · mean", ZOOPROCESS),
    Feature("skew", "grey", "", "m₃ / m₂^(3/2), m the central moments of the grey levels", ZOOPROCESS),
    Feature("kurt", "grey", "", "m₄ / m₂² − 3", ZOOPROCESS),
    *(Feature(f"histcum{k}", "grey", "grey", f"grey level where the cumulative histogram, linear within a level of "
              f"L − ½ to L + ½, reaches {25 * k} %", ZOOPROCESS) for k in (1, 2, 3)),
    Feature("slope", "grey", "", "least-squares slope of the cumulative histogram, in % of the pixels, over the grey "
            "levels from min to max", ZOOPROCESS),
    Feature("cv", "grey", "", "100 · stddev / mean", ZOOPROCESS),
    Feature("sr", "grey", "", "100 · stddev / range", ZOOPROCESS),
    Feature("meanpos", "grey", "", "(mean − max) / (mean − min)", ZOOPROCESS),
    Feature("entropy", "grey", "", "−Σ p · log₂ p over grey levels, in bits", "scikit-image"),
    Feature("meanimagegrey", "grey", "grey", "mean grey level of the whole image, scale bar left out", CHALLENGE),
    Feature("transparency", "grey", "", "1 − mean contrast / largest contrast that the background leaves", "here, "
            "after ZooCAM's transparence"),
    Feature("centroids", "grey", "px", "distance between the centroid of the pixels and that weighted by contrast",
            ZOOPROCESS),
    *(Feature(f"nb{k}", "grey", "", f"number of 8-connected pieces of pixels not above histcum{k}, holes filled",
              f"{ZOOPROCESS}, name") for k in (1, 2, 3)),
    *(Feature(f"nb{k}_area", "grey", "", f"nb{k} / area", CHALLENGE) for k in (1, 2, 3)),
    *(Feature(f"nb{k}_range", "grey", "", f"nb{k} / range", CHALLENGE) for k in (1, 2, 3)),
    Feature("kurt_mean", "grey", "", "kurt / mean", CHALLENGE),
    Feature("skew_mean", "grey", "", "skew / mean", CHALLENGE),
    Feature("median_mean", "grey", "", "median / mean", CHALLENGE),
    Feature("median_mean_range", "grey", "", "median / mean / range", CHALLENGE),
    *(Feature(f"grey_hu{k}", "grey", "", HU_TEXT.format(k=k, what="the normalised central moments of contrast"), HU)
      for k in range(1, 8)),
)  # fmt: skip


def measure_grey(sheet: Sheet, ellipse: Ellipse) -> Columns:
    """Measure grey levels."""
    counts = histograms(sheet)
    measured = levels(counts)
    area = counts.sum(axis=1)
    weighted = moments(sheet, sheet.own_contrast, binary=False)
    most = np.where(sheet.light, sheet.level, WHITE - sheet.level)
    off_x = ratio(weighted[:, 1], weighted[:, 0]) - ellipse.x
    off_y = ratio(weighted[:, 2], weighted[:, 0]) - (ellipse.y - sheet.tops[:-1])
    nb = {f"nb{k}": _pieces_below(sheet, measured[f"histcum{k}"]) for k in (1, 2, 3)}
    hu = np.where(weighted[:, :1] > 0, hu_moments(weighted[:, 17:24]), np.nan)
    return {
        **measured,
        "meanimagegrey": sheet.frame,
        "transparency": 1 - ratio(weighted[:, 0] / area, most),
        "centroids": np.hypot(off_x, off_y),
        **nb,
        **{f"{name}_area": values / area for name, values in nb.items()},
        **{f"{name}_range": ratio(values, measured["range"]) for name, values in nb.items()},
        **{f"grey_hu{k + 1}": column for k, column in enumerate(hu.T)},
    }


def histograms(sheet: Sheet) -> NDArray[np.int64]:
    """Count the grey levels of each object's pixels, int64 of shape (n_objects, 256)."""
    pixels = sheet.pixels
    codes = pixels.owner * LEVELS + sheet.grey.ravel()[pixels.place]
    return np.bincount(codes, minlength=len(sheet) * LEVELS).reshape(-1, LEVELS)


def levels(counts: NDArray[np.int64]) -> Columns:
    """Measure histograms of grey levels.

    Args:
        counts: how many pixels of each object have each level, int64 of shape (n_objects, 256), none empty.

    """
    grey = np.arange(LEVELS, dtype=np.float64)
    area = counts.sum(axis=1).astype(np.float64)
    share = counts / area[:, None]
    mean = share @ grey
    off = grey - mean[:, None]
    m2, m3, m4 = ((share * off**power).sum(axis=1) for power in (2, 3, 4))
    lowest, highest = (counts > 0).argmax(axis=1), WHITE - (counts[:, ::-1] > 0).argmax(axis=1)
    m2 = np.where(lowest == highest, 0, m2)
    stddev = np.sqrt(ratio(m2 * area, area - 1))
    upto = np.cumsum(counts, axis=1)
    span = (highest - lowest).astype(np.float64)
    skew, kurt = ratio(m3, m2**1.5), ratio(m4, m2**2) - 3
    median = (2 * upto >= area[:, None]).argmax(axis=1).astype(np.float64)
    quarters = {f"histcum{k}": _quantile(counts, upto, part) for k, part in enumerate(QUARTERS, start=1)}
    return {
        "mean": mean,
        "stddev": stddev,
        "mode": counts.argmax(axis=1).astype(np.float64),
        "min": lowest.astype(np.float64),
        "max": highest.astype(np.float64),
        "median": median,
        "range": span,
        "intden": mean * area,
        "skew": skew,
        "kurt": kurt,
        **quarters,
        "slope": _slope(upto, lowest, highest),
        "cv": ratio(100 * stddev, mean),
        "sr": ratio(100 * stddev, span),
        "meanpos": ratio(mean - highest, mean - lowest),
        "entropy": -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1),
        "kurt_mean": ratio(kurt, mean),
        "skew_mean": ratio(skew, mean),
        "median_mean": ratio(median, mean),
        "median_mean_range": ratio(ratio(median, mean), span),
    }


def _quantile(counts: NDArray[np.int64], upto: NDArray[np.int64], part: float) -> NDArray[np.float64]:
    """Return the grey level at which the cumulative histogram reaches a part, linear within a level."""
    wanted = part * upto[:, -1]
    level = (upto >= wanted[:, None]).argmax(axis=1)
    rows = np.arange(len(counts))
    inside = counts[rows, level]
    return np.asarray(level + 0.5 - (upto[rows, level] - wanted) / inside, np.float64)


def _slope(upto: NDArray[np.int64], lowest: NDArray[np.int64], highest: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the least-squares slope of the cumulative histogram, in % of the pixels per grey level."""
    grey = np.arange(LEVELS)
    inside = (grey >= lowest[:, None]) & (grey <= highest[:, None])
    off = np.where(inside, grey - (lowest + highest)[:, None] / 2, 0)
    percent = 100 * upto / upto[:, -1:]
    return ratio((off * percent).sum(axis=1), (off * off).sum(axis=1))


def _pieces_below(sheet: Sheet, threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count the pieces of each object's pixels that are not above its threshold."""
    limit = np.floor(threshold).astype(np.int64)[sheet.owner_of_row]
    return sheet.count_pieces(((sheet.grey <= limit[:, None]) & (sheet.filled > 0)).astype(np.uint8)).astype(np.float64)
