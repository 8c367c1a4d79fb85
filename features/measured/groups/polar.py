"""Distribution of an object's contrast around its centre: Zernike moments and rings.

The centre is the centroid of the contrast; the radius is the distance of the farthest pixel from it, plus half a pixel.
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..feature import Feature, ratio
from ..kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.moments import Moments
    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

SIDE = 32  # pixels of the resampled image from which Zernike moments are computed
DEGREE = 10
RINGS = 8
ORDERS = tuple((n, m) for n in range(2, DEGREE + 1) for m in range(n % 2, n + 1, 2))
TEAGUE = "Teague 1980, doi 10.1364/JOSA.70.000920; Khotanzad & Hong 1990, doi 10.1109/34.55109"

FEATURES = (
    *(Feature(f"zernike{n}_{m}", "polar", "", f"|Zₙₘ| of degree {n} and repetition {m} of the contrast, resampled to "
              f"{SIDE} × {SIDE} px and divided by its sum", TEAGUE) for n, m in ORDERS),
    *(Feature(f"ring{k}_fill", "polar", "", f"fraction of ring {k} of {RINGS} that the object fills; rings have equal "
              "width, from the centre (1) outwards; pixels are counted by their centres", "here")
      for k in range(1, RINGS + 1)),
    *(Feature(f"ring{k}_contrast", "polar", "", f"fraction of the contrast in ring {k}", "here")
      for k in range(1, RINGS + 1)),
    Feature("gyration", "polar", "", "root mean square distance of the contrast from the centre / radius", "here"),
)  # fmt: skip


def measure_polar(mosaic: Mosaic) -> Columns:
    """Measure Zernike moments and rings; they are NaN for an object without contrast, which has no centre."""
    middle = mosaic.weight
    radius = _radii(mosaic.pixels, middle)
    fill, contrast, gyration = _rings(mosaic.contrast, mosaic.pixels, middle, radius)
    zernike = zernike_moments(_drawings(mosaic, radius))
    return {
        **{f"zernike{n}_{m}": column for (n, m), column in zip(ORDERS, zernike.T, strict=True)},
        **{f"ring{k + 1}_fill": fill[:, k] for k in range(RINGS)},
        **{f"ring{k + 1}_contrast": contrast[:, k] for k in range(RINGS)},
        "gyration": gyration,
    }


@compiled
def _radii(pixels: Pixels, middle: Moments) -> NDArray[np.float64]:
    """Return the distance of each object's farthest pixel from its centre, plus half a pixel; NaN without a centre."""
    found = np.full(len(middle.mass), np.nan)
    for k in range(len(found)):
        square, begin = 0.0, pixels.bounds[k]
        for p in range(begin, pixels.bounds[k + 1]):
            square = max(square, (pixels.x[p] - middle.x[k]) ** 2 + (pixels.y[p] - pixels.y[begin] - middle.y[k]) ** 2)
        if middle.mass[k]:
            found[k] = np.sqrt(square) + 0.5
    return found


@compiled
def _rings(
    contrast: NDArray[np.uint8], pixels: Pixels, middle: Moments, radius: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the filled fraction of each ring, the fraction of the contrast in it, and the radius of gyration."""
    objects = len(radius)
    fill, inside, gyration = np.zeros((objects, RINGS)), np.zeros((objects, RINGS)), np.full(objects, np.nan)
    for k in range(objects):
        if not middle.mass[k]:
            fill[k], inside[k] = np.nan, np.nan
            continue
        squares, begin = 0.0, pixels.bounds[k]
        for p in range(begin, pixels.bounds[k + 1]):
            square = (pixels.x[p] - middle.x[k]) ** 2 + (pixels.y[p] - pixels.y[begin] - middle.y[k]) ** 2
            ring = min(int(np.sqrt(square) / radius[k] * RINGS), RINGS - 1)
            weight = contrast[pixels.y[p], pixels.x[p]]
            squares += weight * square
            fill[k, ring] += 1
            inside[k, ring] += weight
        for ring in range(RINGS):
            fill[k, ring] /= np.pi * radius[k] ** 2 * (2 * ring + 1) / RINGS**2
            inside[k, ring] /= middle.mass[k]
        gyration[k] = np.sqrt(squares / middle.mass[k]) / radius[k]
    return fill, inside, gyration


def _drawings(mosaic: Mosaic, radius: NDArray[np.float64]) -> NDArray[np.float32]:
    """Resample each object's contrast to a square whose inscribed circle is that of the object; 0 without a centre.

    Returns:
        float32 of shape (n_objects, SIDE, SIDE).

    """
    drawings = np.zeros((len(mosaic), SIDE, SIDE), np.float32)
    middle, bands = mosaic.weight, mosaic.bands
    y = middle.y + mosaic.pixels.y[mosaic.pixels.bounds[:-1]] - mosaic.tops[:-1]
    for k in np.flatnonzero(middle.mass):
        step = 2 * radius[k] / SIDE
        source = mosaic.contrast[bands[k]]
        if step > 1:
            reach = 2 * int(step / 2 + 0.5) + 1
            source = np.asarray(cv2.blur(source, (reach, reach), borderType=cv2.BORDER_CONSTANT), np.uint8)
        corner = step * (SIDE - 1) / 2
        place = np.array([[step, 0, middle.x[k] - corner], [0, step, y[k] - corner]])
        drawings[k] = cv2.warpAffine(source, place, (SIDE, SIDE), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
    return drawings


def zernike_moments(drawings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return magnitudes of Zernike moments, which are invariant to rotation and mirroring.

    Z(n, m) = (n + 1) / π · Σ f(x, y) · R(n, m, r) · exp(−i m θ) over pixels with r ≤ 1 (Khotanzad & Hong 1990,
    equations 2 to 6), where f is divided by its sum over these pixels.

    Args:
        drawings: images, float32 of shape (n_objects, SIDE, SIDE); the moments of an all-zero image are NaN.

    Returns:
        float64 of shape (n_objects, len(ORDERS)).

    """
    real, imaginary, disc = _basis()
    flat = drawings.reshape(len(drawings), -1).astype(np.float64)
    return ratio(np.hypot(flat @ real, flat @ imaginary), (flat @ disc)[:, None])


@lru_cache(maxsize=1)
def _basis() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return real and imaginary parts of the polynomials, shape (SIDE², len(ORDERS)), and the disc, shape (SIDE²,)."""
    along = (np.arange(SIDE) - (SIDE - 1) / 2) / (SIDE / 2)
    x, y = np.meshgrid(along, along)
    rho, theta = np.hypot(x, y).ravel(), np.arctan2(y, x).ravel()
    disc = rho <= 1
    columns = [(n + 1) / np.pi * _radial(n, m, rho) * np.exp(-1j * m * theta) * disc for n, m in ORDERS]
    basis = np.stack(columns, axis=1)
    return np.ascontiguousarray(basis.real), np.ascontiguousarray(basis.imag), disc.astype(np.float64)


def _radial(n: int, m: int, rho: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the radial polynomial R(n, m) (Khotanzad & Hong 1990, equation 3)."""
    terms = (
        (-1) ** s * factorial(n - s) / (factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s))
        * rho ** (n - 2 * s)
        for s in range((n - m) // 2 + 1)
    )  # fmt: skip
    return np.asarray(np.sum(list(terms), axis=0), np.float64)
