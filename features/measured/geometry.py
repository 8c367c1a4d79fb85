"""Sizes, moments and the ellipse of an object's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .feature import Feature, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sheet import Sheet

HU_FLOOR = 1e-15  # Hu moments below are rounding errors of symmetric shapes
ORDERS = ("20", "11", "02", "30", "21", "12", "03")

ZOOPROCESS = "ZooProcess (Gorsky et al. 2010, doi 10.1093/plankt/fbp124)"
HU = "Hu 1962, doi 10.1109/TIT.1962.1057692"
HU_TEXT = "sign(h) · log10(1 + |h| / 10⁻¹⁵), h the invariant {k} of {what}"

FEATURES = (
    Feature("area", "geometry", "px²", "number of pixels, holes filled", ZOOPROCESS),
    Feature("area_exc", "geometry", "px²", "number of pixels, holes left out", ZOOPROCESS),
    Feature("%area", "geometry", "", "100 · area_exc / area", ZOOPROCESS),
    Feature("pieces", "geometry", "", "number of 8-connected pieces", "here"),
    Feature("holes", "geometry", "", "number of holes, 4-connected", "here"),
    Feature("width", "geometry", "px", "columns of the bounding box", ZOOPROCESS),
    Feature("height", "geometry", "px", "rows of the bounding box", ZOOPROCESS),
    Feature("bbox_area", "geometry", "px²", "width · height", "UVPec"),
    Feature("extent", "geometry", "", "area / bbox_area", "scikit-image"),
    Feature("esd", "geometry", "px", "2 · √(area / π), diameter of the disc of the same area", ZOOPROCESS),
    Feature("major", "geometry", "px", "4 · √λ₁, λ₁ the larger eigenvalue of the covariance of x, y", "scikit-image"),
    Feature("minor", "geometry", "px", "4 · √λ₂, λ₂ the smaller eigenvalue of the covariance of x, y", "scikit-image"),
    Feature("major_zp", "geometry", "px", "√(4 · area / π · √((λ₁ + 1/12) / (λ₂ + 1/12))), ellipse of the same area",
            "ImageJ, EllipseFitter"),
    Feature("minor_zp", "geometry", "px", "4 · area / (π · major_zp)", "ImageJ, EllipseFitter"),
    Feature("angle", "geometry", "°", "of the major axis with the x axis, anticlockwise, 0 to 180; undefined when "
            "λ₁ = λ₂", ZOOPROCESS),
    Feature("elongation", "geometry", "", "major_zp / minor_zp", ZOOPROCESS),
    Feature("eccentricity", "geometry", "", "√(1 − λ₂ / λ₁)", "scikit-image"),
    *(Feature(f"nu{order}", "geometry", "", f"μ{order} / area^(1 + ({order[0]} + {order[1]}) / 2), μ the central "
              "moment of the pixels, holes filled", HU) for order in ORDERS),
    *(Feature(f"hu{k}", "geometry", "", HU_TEXT.format(k=k, what="nu"), HU) for k in range(1, 8)),
)  # fmt: skip


@dataclass(frozen=True)
class Ellipse:
    """Second moments of each object, and its principal axes; float64 arrays of shape (n_objects,).

    Attributes:
        x, y: centroid in the sheet.
        larger, smaller: eigenvalues of the covariance of x and y.
        turn: angle of the major axis in radians, from the x axis towards the y axis, which points down.
        round: whether both eigenvalues are the same, so that there is no major axis.

    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    larger: NDArray[np.float64]
    smaller: NDArray[np.float64]
    turn: NDArray[np.float64]
    round: NDArray[np.bool_]


def moments(sheet: Sheet, image: NDArray[np.uint8], *, binary: bool) -> NDArray[np.float64]:
    """Return OpenCV's 24 moments of each object in an image of the sheet's shape, float64 of shape (n_objects, 24)."""
    return np.array([tuple(cv2.moments(image[band], binary).values()) for band in sheet.bands])


def ellipse_of(sheet: Sheet, mu: NDArray[np.float64]) -> Ellipse:
    """Return the ellipses of objects whose moments are known."""
    m00, m10, m01 = mu[:, 0], mu[:, 1], mu[:, 2]
    xx, xy, yy = mu[:, 10] / m00, mu[:, 11] / m00, mu[:, 12] / m00
    root = np.hypot(xx - yy, 2 * xy)
    return Ellipse(
        x=m10 / m00,
        y=m01 / m00 + sheet.tops[:-1],
        larger=(xx + yy + root) / 2,
        smaller=np.maximum(xx + yy - root, 0) / 2,
        turn=np.arctan2(2 * xy, xx - yy) / 2,
        round=root <= 1e-9 * (xx + yy),
    )


def measure_geometry(sheet: Sheet, mu: NDArray[np.float64], ellipse: Ellipse) -> dict[str, NDArray[np.float64]]:
    """Measure sizes and moments.

    Args:
        sheet: the objects.
        mu: moments of the filled masks, as `moments` returns them.
        ellipse: as `ellipse_of` returns it.

    """
    area = mu[:, 0]
    area_exc = np.add.reduceat(sheet.mask.sum(axis=1), sheet.tops[:-1]).astype(np.float64)
    boxes = np.array([cv2.boundingRect(sheet.filled[band]) for band in sheet.bands], np.float64)
    width, height = boxes[:, 2], boxes[:, 3]
    with_pixel = (ellipse.larger + 1 / 12) / (ellipse.smaller + 1 / 12)
    major_zp = np.sqrt(4 * area / np.pi * np.sqrt(with_pixel))
    minor_zp = 4 * area / (np.pi * major_zp)
    return {
        "area": area,
        "area_exc": area_exc,
        "%area": 100 * area_exc / area,
        "pieces": sheet.count_pieces(sheet.mask).astype(np.float64),
        "holes": sheet.holes.astype(np.float64),
        "width": width,
        "height": height,
        "bbox_area": width * height,
        "extent": area / (width * height),
        "esd": 2 * np.sqrt(area / np.pi),
        "major": 4 * np.sqrt(ellipse.larger),
        "minor": 4 * np.sqrt(ellipse.smaller),
        "major_zp": major_zp,
        "minor_zp": minor_zp,
        "angle": np.where(ellipse.round, np.nan, np.rad2deg(-ellipse.turn) % 180),
        "elongation": major_zp / minor_zp,
        "eccentricity": np.sqrt(np.maximum(1 - ratio(ellipse.smaller, ellipse.larger), 0)),
        **dict(zip((f"nu{order}" for order in ORDERS), mu[:, 17:24].T, strict=True)),
        **{f"hu{k + 1}": column for k, column in enumerate(hu_moments(mu[:, 17:24]).T)},
    }


def hu_moments(nu: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Hu's seven invariants of normalised central moments, on a signed logarithmic scale.

    Args:
        nu: ν20, ν11, ν02, ν30, ν21, ν12, ν03 of each object, float64 of shape (n_objects, 7).

    Returns:
        sign(h) · log10(1 + |h| / 10⁻¹⁵), float64 of shape (n_objects, 7), where h are the invariants of Hu 1962.

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
