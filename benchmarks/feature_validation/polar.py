"""The referee's Zernike moments, by mahotas on a drawing made with SciPy, its rings, and its angular harmonics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

SIDE, DEGREE, RINGS, HARMONICS = 32, 10, 8, 8
MOMENTS = tuple((n, m) for n in range(DEGREE + 1) for m in range(n + 1) if (n - m) % 2 == 0)  # in mahotas's order


def zernike_by_mahotas(subject: Subject) -> Values:
    """Draw the contrast into a square around its middle, and ask mahotas for the moments within its circle."""
    from mahotas.features import zernike_moments

    if not subject.contrast.any():
        return {f"zernike{n}_{m}": np.nan for n, m in MOMENTS}
    middle = (SIDE - 1) / 2
    values = zernike_moments(_drawing(subject), SIDE / 2, degree=DEGREE, cm=(middle, middle))
    return {f"zernike{n}_{m}": float(value) for (n, m), value in zip(MOMENTS, values, strict=True)}


def rings(subject: Subject) -> Values:
    """Lay rings around the middle: what of each the object fills, and the share of the contrast in it."""
    if not subject.contrast.any():
        unknown = [f"ring{k}_{what}" for k in range(1, RINGS + 1) for what in ("fill", "contrast")]
        return dict.fromkeys([*unknown, "gyration"], np.nan)
    away, radius = _from_middle(subject)
    ring = np.ceil(RINGS * np.nextafter(away / radius, 1)).clip(1, RINGS)
    weight = subject.contrast[subject.filled]
    found: Values = {"gyration": float(np.sqrt(np.average(away**2, weights=weight)) / radius)}
    for k in range(1, RINGS + 1):
        room = np.pi * radius**2 * (2 * k - 1) / RINGS**2
        found[f"ring{k}_fill"] = float((ring == k).sum() / room)
        found[f"ring{k}_contrast"] = float(weight[ring == k].sum() / weight.sum())
    return found


def angles(subject: Subject) -> Values:
    """Add up directions from the middle as complex numbers, weighted three ways."""
    names = [f"angular_{what}{m}" for what in ("contrast", "spread", "rim") for m in range(1, HARMONICS + 1)]
    if not subject.contrast.any():
        return dict.fromkeys(names, np.nan)
    y, x = (np.argwhere(subject.filled) - ndimage.center_of_mass(subject.contrast)).T
    away, radius = _from_middle(subject)
    there = away > 1e-6  # noqa: PLR2004 - the middle itself lies in no direction
    rim = away > 0.6 * radius
    turns = np.exp(1j * np.outer(range(1, HARMONICS + 1), np.arctan2(y, x)[there]))
    weights = [values[there].astype(float) for values in (subject.contrast[subject.filled], away, rim)]
    found = [abs(turns @ weight) / weight.sum() if weight.any() else [np.nan] * HARMONICS for weight in weights]
    return dict(zip(names, np.concatenate(found).tolist(), strict=True))


def _from_middle(subject: Subject) -> tuple[NDArray[np.float64], float]:
    """Return how far each pixel lies from the centroid of the contrast, and the radius around that."""
    away = np.hypot(*(np.argwhere(subject.filled) - ndimage.center_of_mass(subject.contrast)).T)
    return away, float(away.max() + 0.5)


def _drawing(subject: Subject) -> NDArray[np.float64]:
    """Draw the contrast at SIDE × SIDE px, in whole levels, its circle inscribed; averaged first when it shrinks."""
    _, radius = _from_middle(subject)
    step = 2 * radius / SIDE
    source = subject.contrast
    if step > 1:
        source = np.rint(ndimage.uniform_filter(source, 2 * int(step / 2 + 0.5) + 1, mode="constant"))
    along = (np.arange(SIDE) - (SIDE - 1) / 2) * step
    places = [axis + middle for axis, middle in zip(np.meshgrid(along, along, indexing="ij"),
                                                    ndimage.center_of_mass(subject.contrast), strict=True)]  # fmt: skip
    return np.asarray(np.rint(ndimage.map_coordinates(source, places, order=1, cval=0)), np.float64)
