"""Texture: co-occurrence, local binary patterns, gradients, and the spectrum of sizes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from .feature import Feature, ratio
from .interior import disc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

GREYS = 16  # levels of a co-occurrence matrix
DISTANCES = (1, 2, 4)
DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1))  # rows and columns; 0°, 45°, 90° and 135° in Haralick's figure 1
NEIGHBOURS = 8
CIRCLES = (1, 2, 3)  # pixels
DIAMETERS = (3, 5, 7, 9, 13)  # pixels
FINE = 1 << 10  # the fractions of a pixel that a neighbour on the circle lies off are kept as so many parts

HARALICK = "Haralick et al. 1973, doi 10.1109/TSMC.1973.4309314"
OJALA = "Ojala et al. 2002, doi 10.1109/TPAMI.2002.1017623"
STATISTICS = {
    "asm": "f₁ angular second moment",
    "contrast": "f₂ contrast",
    "correlation": "f₃ correlation",
    "variance": "f₄ sum of squares: variance",
    "idm": "f₅ inverse difference moment",
    "sumaverage": "f₆ sum average, levels from 0",
    "sumvariance": "f₇ sum variance, about f₆",
    "sumentropy": "f₈ sum entropy, in bits",
    "entropy": "f₉ entropy, in bits",
    "diffvariance": "f₁₀ difference variance",
    "diffentropy": "f₁₁ difference entropy, in bits",
    "imc1": "f₁₂ information measure of correlation",
    "imc2": "f₁₃ information measure of correlation",
}

FEATURES = (
    *(Feature(f"haralick_{name}_d{distance}", "texture", "", f"{text}, of grey levels in {GREYS} equal steps, pairs of "
              f"pixels {distance} px apart in four directions counted together", HARALICK)
      for distance in DISTANCES for name, text in STATISTICS.items()),
    Feature("fcons", "texture", "", "mean squared difference of the grey levels of neighbours in four directions",
            "ZooProcess, name; here"),
    *(Feature(f"lbp_r{radius}_{code}", "texture", "", "share of the pixels with " + (
        f"a uniform pattern of {code} of 8 neighbours at {radius} px not darker" if code <= NEIGHBOURS else
        f"a pattern of 8 neighbours at {radius} px that is not uniform"), OJALA)
      for radius in CIRCLES for code in range(NEIGHBOURS + 2)),
    Feature("gradient_mean", "texture", "grey", "mean length of the gradient, Sobel's operator / 8", "here"),
    Feature("gradient_stddev", "texture", "grey", "standard deviation of that length", "here"),
    Feature("gradient_max", "texture", "grey", "largest of these lengths", "here"),
    Feature("gradient_aligned", "texture", "", "|mean of the squared gradients as complex numbers| / mean of their "
            "squared lengths: 1 when all lie on one line", "Bigün & Granlund 1987, coherence"),
    Feature("laplacian_mean", "texture", "grey", "mean of the absolute Laplacian, four neighbours", "here"),
    Feature("laplacian_stddev", "texture", "grey", "standard deviation of the Laplacian", "here"),
    *(Feature(f"granulo{size}", "texture", "", f"share of the contrast that openings by a disc of {size} px remove "
              "beyond the next smaller disc", "Matheron 1975; Serra 1982") for size in DIAMETERS),
    Feature("granulo_mean", "texture", "px", "mean diameter of that spectrum; what the largest disc leaves counts as "
            f"{DIAMETERS[-1]} px", "Maragos 1989, doi 10.1109/34.192465"),
    Feature("granulo_stddev", "texture", "px", "its standard deviation", "Maragos 1989"),
)  # fmt: skip


def measure_texture(sheet: Sheet) -> Columns:
    """Measure texture, holes filled."""
    return {**cooccurrence(sheet), **local_patterns(sheet), **gradients(sheet), **granulometry(sheet)}


def cooccurrence(sheet: Sheet) -> Columns:
    """Return Haralick's statistics of co-occurrence matrices, and the contrast of neighbours.

    A pair counts when both pixels are of the object; each is counted in both orders, and the four directions together,
    so that turning the image by 90° changes nothing. A distance at which there is no pair gives NaN.
    """
    pixels = sheet.pixels
    outside = sheet.filled == 0
    grey = sheet.grey.ravel()
    quantised = (sheet.grey // (256 // GREYS)).astype(np.uint8)
    quantised[outside] = GREYS
    quantised = quantised.ravel()
    here = (pixels.owner * (GREYS + 1) + quantised[pixels.place]) * (GREYS + 1)
    columns = sheet.grey.shape[1]
    found = np.empty((len(sheet), len(DISTANCES), GREYS, GREYS))
    for k, distance in enumerate(DISTANCES):
        counts = np.zeros(len(sheet) * (GREYS + 1) ** 2, np.int64)
        for down, right in DIRECTIONS:
            there = pixels.place + distance * (down * columns + right)
            counts += np.bincount(here + quantised[there], minlength=len(counts))
        matrix = counts.reshape(-1, GREYS + 1, GREYS + 1)[:, :GREYS, :GREYS]
        found[:, k] = matrix + matrix.transpose(0, 2, 1)
    share = ratio(found, found.sum(axis=(2, 3), keepdims=True))
    statistics = haralick(share)
    columns_of = {
        f"haralick_{name}_d{distance}": statistics[name][:, k]
        for k, distance in enumerate(DISTANCES)
        for name in STATISTICS
    }
    return {**columns_of, "fcons": _neighbour_contrast(sheet, grey, outside.ravel())}


def _neighbour_contrast(sheet: Sheet, grey: NDArray[np.uint8], outside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean squared difference of neighbours that are both of the object, NaN without such pairs."""
    pixels, columns = sheet.pixels, sheet.grey.shape[1]
    here = grey[pixels.place].astype(np.int64)
    squares, pairs = np.zeros(len(here), np.int64), np.zeros(len(here), np.int64)
    for down, right in DIRECTIONS:
        there = pixels.place + down * columns + right
        inside = ~outside[there]
        squares += inside * (here - grey[there]) ** 2
        pairs += inside
    return ratio(pixels.total(squares), pixels.total(pairs))


def haralick(share: NDArray[np.float64]) -> Columns:
    """Return Haralick's statistics f₁ to f₁₃ (1973, appendix I), with levels counted from 0 and logarithms to base 2.

    The correlation of an object of one grey level is NaN, and so is f₁₂ then.

    Args:
        share: co-occurrence matrices, symmetric, each with sum 1 or all NaN, float64 of shape (…, levels, levels).

    Returns:
        Each statistic by its name in `STATISTICS`, float64 of shape (…).

    """
    size = share.shape[-1]
    i, j = np.indices((size, size))
    level = np.arange(size)
    edge = share.sum(axis=-1)
    mean = edge @ level
    variance = (edge * (level - mean[..., None]) ** 2).sum(axis=-1)
    flat = share.reshape(*share.shape[:-2], -1)
    sums = flat @ (np.arange(2 * size - 1) == (i + j).reshape(-1, 1)).astype(np.float64)
    differences = flat @ (level == abs(i - j).reshape(-1, 1)).astype(np.float64)
    sum_level = np.arange(2 * size - 1)
    sum_mean, difference_mean = sums @ sum_level, differences @ level
    both, alone = entropy(flat), entropy(edge)
    apart = 2 * alone  # the entropy of independent levels with the same shares; HXY1 and HXY2 of the paper
    return {
        "asm": (flat**2).sum(axis=-1),
        "contrast": differences @ level**2,
        "correlation": ratio((share * i * j).sum(axis=(-2, -1)) - mean**2, np.where(variance > 0, variance, np.nan)),
        "variance": variance,
        "idm": flat @ (1 / (1 + (i - j) ** 2)).ravel(),
        "sumaverage": sum_mean,
        "sumvariance": (sums * (sum_level - sum_mean[..., None]) ** 2).sum(axis=-1),
        "sumentropy": entropy(sums),
        "entropy": both,
        "diffvariance": (differences * (level - difference_mean[..., None]) ** 2).sum(axis=-1),
        "diffentropy": entropy(differences),
        "imc1": ratio(both - apart, alone),
        "imc2": np.sqrt(np.maximum(1 - np.exp(-2 * (apart - both)), 0)),
    }


def entropy(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return −Σ p · log₂ p over the last axis, in bits; NaN where shares are NaN."""
    return np.asarray(-(share * np.log2(np.where(share > 0, share, 1))).sum(axis=-1), np.float64)


def local_patterns(sheet: Sheet) -> Columns:
    """Return histograms of rotation-invariant uniform local binary patterns of 8 neighbours on circles.

    Neighbours on the diagonals lie between pixels and are interpolated (Ojala et al. 2002, section 2.1), here in whole
    numbers, so that a flat neighbourhood is flat. A neighbour may lie outside of the object.
    """
    pixels, codes = sheet.pixels, NEIGHBOURS + 2
    found: Columns = {}
    for radius in CIRCLES:
        pattern = _neighbours_not_darker(sheet, radius)
        changes = (pattern != np.roll(pattern, 1, axis=0)).sum(axis=0)
        code = np.where(changes <= 2, pattern.sum(axis=0), NEIGHBOURS + 1)  # noqa: PLR2004 - the definition of uniform
        counts = np.bincount(pixels.owner * codes + code, minlength=len(sheet) * codes).reshape(-1, codes)
        found |= {f"lbp_r{radius}_{k}": counts[:, k] / pixels.area for k in range(codes)}
    return found


def _neighbours_not_darker(sheet: Sheet, radius: int) -> NDArray[np.bool_]:
    """Tell which neighbours on a circle are at least as bright as each pixel, bool of shape (8, n_pixels)."""
    pixels, columns = sheet.pixels, sheet.grey.shape[1]
    grey = sheet.grey.ravel().astype(np.int32)
    centre = grey[pixels.place]
    whole, rest = divmod(round(FINE * radius * np.sqrt(0.5)), FINE)
    found = []
    for down, right in ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)):
        if not (down and right):
            found.append(grey[pixels.place + radius * (down * columns + right)] >= centre)
            continue
        near = pixels.place + whole * (down * columns + right)
        value = (FINE - rest) * ((FINE - rest) * grey[near] + rest * grey[near + right]) + rest * (
            (FINE - rest) * grey[near + down * columns] + rest * grey[near + down * columns + right]
        )
        found.append(value >= FINE * FINE * centre)
    return np.stack(found)


def gradients(sheet: Sheet) -> Columns:
    """Return statistics of the gradient and of the Laplacian."""
    pixels = sheet.pixels
    x, y = (
        cv2.Sobel(sheet.grey, cv2.CV_16S, *order, ksize=3).ravel()[pixels.place].astype(np.float64) / 8
        for order in ((1, 0), (0, 1))
    )
    square = x * x + y * y
    length = np.sqrt(square)
    laplacian = cv2.Laplacian(sheet.grey, cv2.CV_16S, ksize=1).ravel()[pixels.place].astype(np.float64)
    mean, bend = pixels.mean(length), pixels.mean(laplacian)
    aligned = np.hypot(pixels.total(x * x - y * y), 2 * pixels.total(x * y))
    return {
        "gradient_mean": mean,
        "gradient_stddev": _deviation(pixels.mean(square), mean),
        "gradient_max": pixels.largest(length),
        "gradient_aligned": ratio(aligned, pixels.total(square)),
        "laplacian_mean": pixels.mean(np.abs(laplacian)),
        "laplacian_stddev": _deviation(pixels.mean(laplacian**2), bend),
    }


def _deviation(square: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(square - mean**2, 0))


def granulometry(sheet: Sheet) -> Columns:
    """Return the spectrum of sizes: how much of the contrast openings by growing discs remove.

    An object without contrast has none.
    """
    left = [_volume(sheet, sheet.own_contrast)]
    for size in DIAMETERS:
        opened = cv2.morphologyEx(sheet.own_contrast, cv2.MORPH_OPEN, disc(size // 2))
        left.append(_volume(sheet, np.asarray(opened)))
    removed = [ratio(before - after, left[0]) for before, after in pairwise(left)]
    rest = ratio(left[-1], left[0])
    sizes = np.array([1, *DIAMETERS])
    spectrum = np.stack([*removed, rest])
    mean = sizes @ spectrum
    return {
        **{f"granulo{size}": column for size, column in zip(DIAMETERS, removed, strict=True)},
        "granulo_mean": mean,
        "granulo_stddev": _deviation(sizes**2 @ spectrum, mean),
    }


def _volume(sheet: Sheet, image: NDArray[Any]) -> NDArray[np.float64]:
    """Add up the values of each object's band, float64 of shape (n_objects,)."""
    return np.add.reduceat(image.sum(axis=1), sheet.tops[:-1]).astype(np.float64)
