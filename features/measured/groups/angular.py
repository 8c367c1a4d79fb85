"""Angular harmonics of an object around its centre, which respond to bars, stars and objects with a front.

The centre is the centroid of the contrast; the radius is the distance of the farthest pixel from it, plus half a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.moments import Moments
    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

ORDERS = 8
RIM = 0.6  # of the radius
NEAR = 1e-6  # pixels from the centre, below which the direction is undefined
WEIGHTS = {
    "contrast": "the contrast",
    "spread": "the distance from the centre",
    "rim": f"1 beyond {RIM} of the radius, 0 inside",
}

FEATURES = tuple(
    Feature(f"angular_{name}{m}", "angular", "", f"|Σ w · exp({m}iθ)| / Σ w over the pixels, holes filled, "
            f"where θ is the direction from the centroid of the contrast and w is {text}", "here")
    for name, text in WEIGHTS.items() for m in range(1, ORDERS + 1)
)  # fmt: skip


def measure_angular(mosaic: Mosaic) -> Columns:
    """Measure angular harmonics; they are NaN for an object without contrast, which has no centre."""
    found = _harmonics(mosaic.contrast, mosaic.pixels, mosaic.weight)
    return {f"angular_{name}{m}": found[:, k, m - 1] for k, name in enumerate(WEIGHTS) for m in range(1, ORDERS + 1)}


@compiled
def _harmonics(contrast: NDArray[np.uint8], pixels: Pixels, middle: Moments) -> NDArray[np.float64]:
    """Return the features, float64 of shape (n_objects, 3, ORDERS); NaN if all weights are 0."""
    found = np.full((len(middle.mass), 3, ORDERS), np.nan)
    for k in range(len(found)):
        if not middle.mass[k]:
            continue
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        radius = 0.0
        for p in range(begin, end):
            x, y = pixels.x[p] - middle.x[k], pixels.y[p] - pixels.y[begin] - middle.y[k]
            radius = max(radius, np.sqrt(x * x + y * y) + 0.5)
        sums, totals = np.zeros((ORDERS, 6)), np.zeros(3)
        for p in range(begin, end):
            x, y = pixels.x[p] - middle.x[k], pixels.y[p] - pixels.y[begin] - middle.y[k]
            away = np.sqrt(x * x + y * y)
            if away > NEAR:
                weights = (float(contrast[pixels.y[p], pixels.x[p]]), away, 1.0 if away > RIM * radius else 0.0)
                _add(sums, totals, weights, (x / away, y / away))
        for kind in range(3):
            for m in range(ORDERS):
                if totals[kind]:
                    found[k, kind, m] = np.hypot(sums[m, kind], sums[m, 3 + kind]) / totals[kind]
    return found


@compiled
def _add(
    sums: NDArray[np.float64],
    totals: NDArray[np.float64],
    weights: tuple[float, float, float],
    unit: tuple[float, float],
) -> None:
    """Add a pixel's contribution to each harmonic: real parts for the three weights, then imaginary parts."""
    for kind in range(3):
        totals[kind] += weights[kind]
    real, imaginary = unit
    for m in range(ORDERS):
        for kind in range(3):
            sums[m, kind] += weights[kind] * real
            sums[m, 3 + kind] += weights[kind] * imaginary
        real, imaginary = real * unit[0] - imaginary * unit[1], real * unit[1] + imaginary * unit[0]
