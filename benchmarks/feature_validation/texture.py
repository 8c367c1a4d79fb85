"""Local binary patterns of images and of smoothed images, with SciPy and scikit-image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

SCALES = ((1, 2), (2, 4))  # standard deviation of the Gaussian, and radius of the circle


def pattern_shares(image: NDArray[np.uint8], inside: NDArray[np.bool_], radius: int) -> list[float]:
    """Return the share of each rotation-invariant uniform pattern of 8 neighbours."""
    from skimage.feature import local_binary_pattern

    codes = local_binary_pattern(image, 8, radius, "uniform")[inside].astype(int)
    return [float(share) for share in np.bincount(codes, minlength=10) / len(codes)]


def smoothed_patterns(subject: Subject) -> Values:
    """Compute the patterns of smoothed images."""
    features: Values = {}
    for sigma, radius in SCALES:
        shares = pattern_shares(_smoothed(subject.grey, sigma), subject.filled, radius)
        features |= {f"lbp_s{sigma}_r{radius}_{code}": share for code, share in enumerate(shares)}
    return features


def _smoothed(grey: NDArray[np.uint8], sigma: int) -> NDArray[np.uint8]:
    """Smooth with a separable Gaussian of weights in 256ths up to 3 σ, and round half up to integer levels."""
    along = np.arange(-3 * sigma, 3 * sigma + 1)
    share = np.exp(-(along**2) / (2 * sigma**2))
    weights = np.round(256 * share / share.sum())
    weights[3 * sigma] = 256 - weights[along != 0].sum()
    total = grey.astype(np.float64)
    for axis in (0, 1):
        total = ndimage.correlate1d(total, weights, axis, mode="nearest")
    return np.asarray(np.floor(total / 256**2 + 0.5), np.uint8)
