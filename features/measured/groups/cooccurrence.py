"""Co-occurrence of grey levels: Haralick statistics and contrast between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

GREYS, STEP = 16, 16  # levels of a co-occurrence matrix, and grey levels per matrix level
DISTANCES = (1, 2, 4)
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))  # rows and columns; 0°, 45°, 90° and 135° in Haralick's figure 1
WAYS = np.array([(distance * down, distance * right) for distance in DISTANCES for down, right in DIRECTIONS])

HARALICK = "Haralick et al. 1973, doi 10.1109/TSMC.1973.4309314"
STATISTICS = {
    "asm": "f₁ angular second moment",
    "contrast": "f₂ contrast",
    "correlation": "f₃ correlation",
    "variance": "f₄ sum of squares: variance",
    "idm": "f₅ inverse difference moment",
    "sumaverage": "f₆ sum average, levels counted from 0",
    "sumvariance": "f₇ sum variance, about f₆",
    "sumentropy": "f₈ sum entropy, in bits",
    "entropy": "f₉ entropy, in bits",
    "diffvariance": "f₁₀ difference variance",
    "diffentropy": "f₁₁ difference entropy, in bits",
    "imc1": "f₁₂ information measure of correlation",
    "imc2": "f₁₃ information measure of correlation",
}

MEASURED = len(STATISTICS)

FEATURES = (
    *(Feature(f"haralick_{name}_d{distance}", "cooccurrence", "", f"{text}, with {GREYS} equally wide levels; "
              f"pairs of pixels {distance} px apart, pooled over four directions", HARALICK)
      for distance in DISTANCES for name, text in STATISTICS.items()),
    Feature("fcons", "cooccurrence", "", "mean squared grey-level difference between neighbours in four directions",
            "ZooProcess, name; here"),
)  # fmt: skip


def measure_cooccurrence(mosaic: Mosaic) -> Columns:
    """Measure Haralick statistics of co-occurrence matrices, and the contrast between neighbours.

    A pair counts if both pixels belong to the object; each pair is counted in both orders, and the four directions are
    pooled, so that rotating the image by 90° changes nothing. A distance without pairs gives NaN.
    """
    counts = _count_pairs(np.where(mosaic.filled, mosaic.grey // STEP, GREYS).astype(np.uint8), mosaic.pixels)
    statistics = haralick(counts.reshape(-1, GREYS, GREYS)).reshape(len(mosaic), len(DISTANCES), -1)
    found = {
        f"haralick_{name}_d{distance}": statistics[:, k, j]
        for k, distance in enumerate(DISTANCES)
        for j, name in enumerate(STATISTICS)
    }
    return {**found, "fcons": _neighbour_contrast(mosaic.grey, mosaic.filled, mosaic.pixels)}


@compiled
def _count_pairs(steps: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.int64]:
    """Count the pairs of each object's pixels by their levels.

    Args:
        steps: level of each pixel, `GREYS` outside the objects; uint8 of shape (rows, columns).
        pixels: pixels of the objects.

    Returns:
        Symmetric matrices, int64 of shape (n_objects, n_distances, GREYS, GREYS).

    """
    objects = len(pixels.bounds) - 1
    found = np.zeros((objects, len(DISTANCES), GREYS, GREYS), np.int64)
    for k in range(objects):
        counts = np.zeros((len(WAYS), GREYS + 1, GREYS + 1), np.int32)  # one per way, for independent increments
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            x, y = pixels.x[p], pixels.y[p]
            level = steps[y, x]
            for way in range(len(WAYS)):
                counts[way, level, steps[y + WAYS[way, 0], x + WAYS[way, 1]]] += 1
        for way in range(len(WAYS)):
            one = counts[way, :GREYS, :GREYS]
            found[k, way // len(DIRECTIONS)] += one + one.T
    return found


@compiled
def _neighbour_contrast(grey: NDArray[np.uint8], filled: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.float64]:
    """Return the mean squared difference between neighbours within an object, NaN without such pairs."""
    found = np.empty(len(pixels.bounds) - 1)
    for k in range(len(found)):
        squares = pairs = 0
        for p in range(pixels.bounds[k], pixels.bounds[k + 1]):
            x, y = pixels.x[p], pixels.y[p]
            for down, right in DIRECTIONS:
                inside = filled[y + down, x + right]
                squares += inside * (np.int64(grey[y, x]) - grey[y + down, x + right]) ** 2
                pairs += inside
        found[k] = squares / pairs
    return found


@compiled
def haralick(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return Haralick's statistics f₁ to f₁₃ (1973, appendix I), with levels counted from 0 and logarithms to base 2.

    The correlation and f₁₂ are NaN for an object with a single grey level.

    Args:
        counts: symmetric co-occurrence matrices, int64 of shape (n_matrices, levels, levels).

    Returns:
        Statistics in the order of `STATISTICS`, float64 of shape (n_matrices, 13); NaN for a matrix of zeros.

    """
    found = np.full((len(counts), MEASURED), np.nan)
    for k in range(len(counts)):
        total = counts[k].sum()
        if total:
            found[k] = _statistics(counts[k] / total)
    return found


@compiled
def _statistics(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the statistics of a matrix with sum 1."""
    levels = len(share)
    edge, sums, differences = np.zeros(levels), np.zeros(2 * levels - 1), np.zeros(levels)
    asm = product = idm = 0.0
    for i in range(levels):
        for j in range(levels):
            part = share[i, j]
            edge[i] += part
            sums[i + j] += part
            differences[abs(i - j)] += part
            asm += part * part
            product += part * i * j
            idm += part / (1 + (i - j) ** 2)
    mean, variance = spread(edge)
    sum_mean, sum_variance = spread(sums)
    both, alone = entropy(share.ravel()), entropy(edge)
    apart = 2 * alone  # the entropy of independent levels with these marginals; HXY1 and HXY2 of the paper
    difference_mean, difference_variance = spread(differences)
    return np.array([
        asm,
        difference_variance + difference_mean**2,
        (product - mean * mean) / variance if variance > 0 else np.nan,
        variance, idm, sum_mean, sum_variance, entropy(sums), both, difference_variance, entropy(differences),
        (both - apart) / alone if alone > 0 else np.nan,
        np.sqrt(max(1 - np.exp(-2 * (apart - both)), 0.0)),
    ])  # fmt: skip


@compiled
def spread(share: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and variance of a distribution over levels counted from 0."""
    mean = variance = 0.0
    for level in range(len(share)):
        mean += share[level] * level
    for level in range(len(share)):
        variance += share[level] * (level - mean) ** 2
    return mean, variance


@compiled
def entropy(share: NDArray[np.float64]) -> float:
    """Return −Σ p · log₂ p, in bits."""
    total = 0.0
    for part in share:
        if part > 0:
            total -= part * np.log2(part)
    return total
