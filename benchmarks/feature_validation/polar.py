"""Reference implementations of Zernike moments, by mahotas on resampled images, rings and angular harmonics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

SIDE, DEGREE, RINGS, HARMONICS = 32, 10, 8, 8
MOMENTS = tuple((n, m) for n in range(DEGREE + 1) for m in range(n + 1) if (n - m) % 2 == 0)  # in the order of mahotas


def zernike_by_mahotas(subject: Subject) -> Values:
    """Compute Zernike moments with mahotas on the contrast resampled to a square around its centroid."""
    from mahotas.features import zernike_moments

    if not subject.contrast.any():
        return {f"zernike{n}_{m}": np.nan for n, m in MOMENTS}
    centre = (SIDE - 1) / 2
    values = zernike_moments(_resampled(subject), SIDE / 2, degree=DEGREE, cm=(centre, centre))
    return {f"zernike{n}_{m}": float(value) for (n, m), value in zip(MOMENTS, values, strict=True)}


def rings(subject: Subject) -> Values:
    """Compute the filled share of rings around the centroid, and the share of the contrast in each."""
    if not subject.contrast.any():
        undefined = [f"ring{k}_{quantity}" for k in range(1, RINGS + 1) for quantity in ("fill", "contrast")]
        return dict.fromkeys([*undefined, "gyration"], np.nan)
    distance, radius = _distances(subject)
    ring = np.ceil(RINGS * np.nextafter(distance / radius, 1)).clip(1, RINGS)
    weight = subject.contrast[subject.filled]
    features: Values = {"gyration": float(np.sqrt(np.average(distance**2, weights=weight)) / radius)}
    for k in range(1, RINGS + 1):
        area = np.pi * radius**2 * (2 * k - 1) / RINGS**2
        features[f"ring{k}_fill"] = float((ring == k).sum() / area)
        features[f"ring{k}_contrast"] = float(weight[ring == k].sum() / weight.sum())
    return features


def angles(subject: Subject) -> Values:
    """Sum directions from the centroid as complex numbers, with three kinds of weights."""
    names = [f"angular_{quantity}{m}" for quantity in ("contrast", "spread", "rim") for m in range(1, HARMONICS + 1)]
    if not subject.contrast.any():
        return dict.fromkeys(names, np.nan)
    y, x = (np.argwhere(subject.filled) - ndimage.center_of_mass(subject.contrast)).T
    distance, radius = _distances(subject)
    off_centre = distance > 1e-6  # noqa: PLR2004 - the centroid has no direction
    rim = distance > 0.6 * radius
    directions = np.exp(1j * np.outer(range(1, HARMONICS + 1), np.arctan2(y, x)[off_centre]))
    weights = [weight[off_centre].astype(float) for weight in (subject.contrast[subject.filled], distance, rim)]
    values = [abs(directions @ weight) / weight.sum() if weight.any() else [np.nan] * HARMONICS for weight in weights]
    return dict(zip(names, np.concatenate(values).tolist(), strict=True))


def _distances(subject: Subject) -> tuple[NDArray[np.float64], float]:
    """Return distances of pixels from the centroid of the contrast, and the radius of the enclosing circle."""
    distance = np.hypot(*(np.argwhere(subject.filled) - ndimage.center_of_mass(subject.contrast)).T)
    return distance, float(distance.max() + 0.5)


def _resampled(subject: Subject) -> NDArray[np.float64]:
    """Resample the enclosing circle to SIDE × SIDE px in integer levels, after averaging if it is shrunk."""
    _, radius = _distances(subject)
    step = 2 * radius / SIDE
    source = subject.contrast
    if step > 1:
        source = np.rint(ndimage.uniform_filter(source, 2 * int(step / 2 + 0.5) + 1, mode="constant"))
    offsets = (np.arange(SIDE) - (SIDE - 1) / 2) * step
    positions = [axis + centre for axis, centre in zip(np.meshgrid(offsets, offsets, indexing="ij"),
                                                    ndimage.center_of_mass(subject.contrast), strict=True)]  # fmt: skip
    return np.asarray(np.rint(ndimage.map_coordinates(source, positions, order=1, cval=0)), np.float64)
