"""Local binary patterns of the smoothed image: coarser texture, less affected by pixel noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled
from ..objects.crop import MARGIN, WIDE
from .patterns import CODES, OJALA, pattern_shares, pattern_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

SCALES = ((1, 2), (2, 4))  # standard deviation of the Gaussian and radius of the circle, in pixels
CUT_OFF = 3  # standard deviations
SUBSETS = 256  # sum of the integer weights; integers make sums independent of the order of additions

FEATURES = tuple(
    Feature(f"lbp_s{sigma}_r{radius}_{code}", "smoothed", "", f"{pattern_text(radius, code)}, in the image smoothed "
            f"with a Gaussian of σ = {sigma} px and rounded to integers", OJALA)
    for sigma, radius in SCALES for code in range(CODES)
)  # fmt: skip


def gaussian(sigma: int) -> NDArray[np.int32]:
    """Return the weights of a Gaussian at whole pixels up to `CUT_OFF` standard deviations, in 256ths, int32.

    The rounding error of the sum is added to the central weight.
    """
    reach = CUT_OFF * sigma
    bell = np.exp(-np.square(np.arange(-reach, reach + 1) / sigma) / 2)
    weights = np.asarray(np.rint(SUBSETS * bell / bell.sum()), np.int32)
    weights[reach] += SUBSETS - weights.sum()
    return weights


def measure_smoothed(mosaic: Mosaic) -> Columns:
    """Measure histograms of local binary patterns as in `patterns`, but of smoothed images."""
    found: Columns = {}
    for sigma, radius in SCALES:
        shares = pattern_shares(_smooth_mosaic(mosaic, gaussian(sigma)), mosaic.pixels, radius)
        found |= {f"lbp_s{sigma}_r{radius}_{code}": shares[:, code] for code in range(CODES)}
    return found


def _smooth_mosaic(mosaic: Mosaic, weights: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Smooth each object's crop including its surroundings in the image, uint8 of shape (rows, columns)."""
    smooth = np.zeros_like(mosaic.grey)
    for band, wide in zip(mosaic.bands, mosaic.wide, strict=True):
        spare, reach = WIDE - MARGIN, len(weights) // 2
        seen = wide[spare - reach : len(wide) - spare + reach, spare - reach : wide.shape[1] - spare + reach]
        smooth_into(smooth[band, : wide.shape[1] - 2 * spare], seen, weights)
    return smooth


@compiled
def smooth_into(smooth: NDArray[np.uint8], image: NDArray[np.uint8], weights: NDArray[np.int32]) -> None:
    """Smooth an image along rows and columns, and round to integers, halves up.

    Args:
        smooth: output, uint8 of shape (height, width).
        image: uint8 of shape (height + n_weights − 1, width + n_weights − 1).
        weights: int32 of shape (n_weights,), with sum `SUBSETS`.

    """
    height, width = smooth.shape
    across = np.zeros((len(image), width), np.int32)
    for y in range(len(image)):
        row = across[y]
        for k in range(len(weights)):
            weight, shifted = weights[k], image[y, k:]
            for x in range(width):
                row[x] += weight * shifted[x]
    total = np.empty(width, np.int32)
    for y in range(height):
        total[:] = SUBSETS * SUBSETS // 2
        for k in range(len(weights)):
            weight, row = weights[k], across[y + k]
            for x in range(width):
                total[x] += weight * row[x]
        for x in range(width):
            smooth[y, x] = total[x] // (SUBSETS * SUBSETS)
