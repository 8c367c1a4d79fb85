"""Size, moments and ellipse of an object's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature, ratio
from ..kernels.compiled import compiled
from ..kernels.moments import ORDERS, hu_moments
from ..kernels.runs import count_pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

ZOOPROCESS = "ZooProcess (Gorsky et al. 2010, doi 10.1093/plankt/fbp124)"
HU = "Hu 1962, doi 10.1109/TIT.1962.1057692"
HU_TEXT = "sign(h) · log10(1 + |h| / 10⁻¹⁵), where h is Hu invariant {k} of {what}"

FEATURES = (
    Feature("area", "geometry", "px²", "number of pixels, holes filled", ZOOPROCESS),
    Feature("area_exc", "geometry", "px²", "number of pixels, holes excluded", ZOOPROCESS),
    Feature("%area", "geometry", "", "100 · area_exc / area", ZOOPROCESS),
    Feature("pieces", "geometry", "", "number of 8-connected pieces", "here"),
    Feature("holes", "geometry", "", "number of holes, 4-connected", "here"),
    Feature("width", "geometry", "px", "columns of the bounding box", ZOOPROCESS),
    Feature("height", "geometry", "px", "rows of the bounding box", ZOOPROCESS),
    Feature("bbox_area", "geometry", "px²", "width · height", "UVPec"),
    Feature("extent", "geometry", "", "area / bbox_area", "scikit-image"),
    Feature("esd", "geometry", "px", "2 · √(area / π), diameter of a disc of the same area", ZOOPROCESS),
    Feature("major", "geometry", "px", "4 · √λ₁, where λ₁ is the larger eigenvalue of the covariance of x and y",
            "scikit-image"),
    Feature("minor", "geometry", "px", "4 · √λ₂, where λ₂ is the smaller eigenvalue of the covariance of x and y",
            "scikit-image"),
    Feature("major_zp", "geometry", "px", "√(4 · area / π · √((λ₁ + 1/12) / (λ₂ + 1/12))), major axis of the "
            "ellipse of the same area", "ImageJ, EllipseFitter"),
    Feature("minor_zp", "geometry", "px", "4 · area / (π · major_zp)", "ImageJ, EllipseFitter"),
    Feature("angle", "geometry", "°", "angle between major axis and x axis, anticlockwise, 0 to 180; undefined if "
            "λ₁ = λ₂", ZOOPROCESS),
    Feature("elongation", "geometry", "", "major_zp / minor_zp", ZOOPROCESS),
    Feature("eccentricity", "geometry", "", "√(1 − λ₂ / λ₁)", "scikit-image"),
    *(Feature(f"nu{order}", "geometry", "", f"μ{order} / area^(1 + ({order[0]} + {order[1]}) / 2), where μ is the "
              "central moment of the pixels, holes filled", HU) for order in ORDERS),
    *(Feature(f"hu{k}", "geometry", "", HU_TEXT.format(k=k, what="nu"), HU) for k in range(1, 8)),
)  # fmt: skip


def measure_geometry(mosaic: Mosaic) -> dict[str, NDArray[np.float64]]:
    """Measure size and moments."""
    ellipse, nu = mosaic.ellipse, mosaic.form.nu
    area, area_exc, width, height = _sizes(mosaic.mask, mosaic.pixels).T
    with_pixel = (ellipse.larger + 1 / 12) / (ellipse.smaller + 1 / 12)
    major_zp = np.sqrt(4 * area / np.pi * np.sqrt(with_pixel))
    minor_zp = 4 * area / (np.pi * major_zp)
    return {
        "area": area,
        "area_exc": area_exc,
        "%area": 100 * area_exc / area,
        "pieces": count_pieces(mosaic.pixels, mosaic.values_of(mosaic.mask) > 0).astype(np.float64),
        "holes": mosaic.holes.astype(np.float64),
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
        **dict(zip((f"nu{order}" for order in ORDERS), nu.T, strict=True)),
        **{f"hu{k + 1}": column for k, column in enumerate(hu_moments(nu).T)},
    }


@compiled
def _sizes(mask: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.float64]:
    """Return area, area_exc, width and height, float64 of shape (n_objects, 4)."""
    found = np.zeros((len(pixels.bounds) - 1, 4))
    for k in range(len(found)):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        left = right = pixels.x[begin]
        for p in range(begin, end):
            left, right = min(left, pixels.x[p]), max(right, pixels.x[p])
            found[k, 1] += mask[pixels.y[p], pixels.x[p]]
        found[k, 0] = end - begin
        found[k, 2], found[k, 3] = right - left + 1, pixels.y[end - 1] - pixels.y[begin] + 1
    return found
