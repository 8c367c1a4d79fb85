"""Moments of objects, and the ellipse with the same second moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..feature import ratio
from .compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .pixels import Pixels

ORDERS = ("20", "11", "02", "30", "21", "12", "03")  # exponents of x and y
POWERS = np.array([1 + (int(order[0]) + int(order[1])) / 2 for order in ORDERS])  # of the mass, for normalisation
COUNT = len(ORDERS)
HU_FLOOR = 1e-15  # smaller Hu moments are rounding errors of symmetric shapes


@dataclass(frozen=True)
class Ellipse:
    """Second moments and principal axes of each object; float64 arrays of shape (n_objects,).

    Attributes:
        x, y: centroid, as in `Moments`.
        larger, smaller: eigenvalues of the covariance of x and y.
        turn: angle of the major axis in radians, from the x axis towards the y axis, which points down.
        round: whether both eigenvalues are equal, so that there is no major axis; bool.

    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    larger: NDArray[np.float64]
    smaller: NDArray[np.float64]
    turn: NDArray[np.float64]
    round: NDArray[np.bool_]


class Moments(NamedTuple):
    """Moments of an image within each object; float64.

    Attributes:
        mass: sum of the image, of shape (n_objects,).
        x, y: centroid, y from the object's first row, so that its precision does not depend on the position in the
            mosaic; NaN where the mass is 0.
        mu: central moments in the order of `ORDERS`, of shape (n_objects, 7); NaN where the mass is 0.

    """

    mass: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    mu: NDArray[np.float64]

    @property
    def nu(self) -> NDArray[np.float64]:
        """Normalised central moments, of shape (n_objects, 7)."""
        return np.asarray(ratio(self.mu, self.mass[:, None] ** POWERS), np.float64)


@compiled
def moments(image: NDArray[np.uint8], pixels: Pixels) -> Moments:
    """Return the moments of an image of the mosaic's shape; for the filled mask, these are the moments of the shape."""
    count = len(pixels.bounds) - 1
    found = Moments(np.empty(count), np.empty(count), np.empty(count), np.zeros((count, COUNT)))
    for k in range(count):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        top = pixels.y[begin]
        mass = along = down = np.int64(0)
        for p in range(begin, end):
            weight = np.int64(image[pixels.y[p], pixels.x[p]])
            mass += weight
            along += weight * pixels.x[p]
            down += weight * (pixels.y[p] - top)
        x, y = along / mass, down / mass
        found.mass[k], found.x[k], found.y[k] = mass, x, y
        for p in range(begin, end):
            weight = np.int64(image[pixels.y[p], pixels.x[p]])
            _add_central(found.mu[k], weight, pixels.x[p] - x, pixels.y[p] - top - y)
    return found


@compiled
def _add_central(mu: NDArray[np.float64], weight: np.int64, x: float, y: float) -> None:
    """Add a pixel's contribution to each central moment."""
    mu[0] += weight * x * x
    mu[1] += weight * x * y
    mu[2] += weight * y * y
    mu[3] += weight * x * x * x
    mu[4] += weight * x * x * y
    mu[5] += weight * x * y * y
    mu[6] += weight * y * y * y


def ellipse_of(form: Moments) -> Ellipse:
    """Return the ellipses of objects from the moments of their filled masks."""
    xx, xy, yy = (form.mu[:, :3] / form.mass[:, None]).T
    root = np.hypot(xx - yy, 2 * xy)
    return Ellipse(
        x=form.x,
        y=form.y,
        larger=(xx + yy + root) / 2,
        smaller=np.maximum(xx + yy - root, 0) / 2,
        turn=np.arctan2(2 * xy, xx - yy) / 2,
        round=root <= 1e-9 * (xx + yy),
    )


def hu_moments(nu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hu's seven invariants of normalised central moments, on a signed logarithmic scale.

    Args:
        nu: ν20, ν11, ν02, ν30, ν21, ν12, ν03 of each object, float64 of shape (n_objects, 7).

    Returns:
        sign(h) · log10(1 + |h| / 10⁻¹⁵), float64 of shape (n_objects, 7), where h are Hu's (1962) invariants.

    """
    n20, n11, n02, n30, n21, n12, n03 = nu.T
    a, b = n30 + n12, n21 + n03
    c, d = n30 - 3 * n12, 3 * n21 - n03
    e, f = a * a - 3 * b * b, 3 * a * a - b * b
    h = np.stack(
        [
            n20 + n02,
            (n20 - n02) ** 2 + 4 * n11**2,
            c * c + d * d,
            a * a + b * b,
            c * a * e + d * b * f,
            (n20 - n02) * (a * a - b * b) + 4 * n11 * a * b,
            d * a * e - c * b * f,
        ],
        axis=1,
    )
    return np.asarray(np.sign(h) * np.log10(1 + np.abs(h) / HU_FLOOR), np.float64)
