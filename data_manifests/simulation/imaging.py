"""The simulated camera: from optical density to grey levels, under the conditions of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .pen import blob, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARGIN = 0.1  # of the longer side of what was found, around it
LEAST_MARGIN = 4  # pixels
SEEN_FROM = 0.08  # density from which the camera's own detection sees an object
GRAIN = 4  # pixels
POOL = 1 << 20  # numbers that the noise of all images is taken from; drawing new ones took a tenth of the time
INK = 0.62  # of the background's light that the densest ink takes


@dataclass(frozen=True)
class Body:
    """What is photographed.

    Attributes:
        density: optical density, 0 clear to 1 opaque, float32 of shape (side, side).
        blur: standard deviation in pixels of its own blur; added to that of the sample.
        uneven: standard deviation of its density from grain to grain, as a share.

    """

    density: NDArray[np.float32]
    blur: float
    uneven: float


@dataclass(frozen=True)
class Conditions:
    """How a sample was imaged.

    Attributes:
        background: grey level of the empty background.
        gradient: grey levels by which the background changes over 100 px, along x and y.
        noise: standard deviation of the sensor's noise, in grey levels.
        blur: standard deviation in pixels of the blur of an object in focus.
        depth: how much further blur objects have that lie off the focal plane, pixels.
        magnification: factor of all sizes.
        debris: chance that a speck touches an object.

    """

    background: float
    gradient: tuple[float, float]
    noise: float
    blur: float
    depth: float
    magnification: float
    debris: float


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Draw the conditions of a sample."""
    return Conditions(
        background=float(rng.normal(172, 2.5)),
        gradient=(float(rng.normal(0, 2)), float(rng.normal(0, 2))),
        noise=float(rng.uniform(2.0, 5.0)),
        blur=float(rng.uniform(0.5, 1.1)),
        depth=float(rng.uniform(0.2, 1.0)),
        magnification=float(np.exp(rng.normal(0, 0.08))),
        debris=float(rng.beta(2, 8)),
    )


def photograph(body: Body, conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the crop that the camera would store of an object.

    Args:
        body: what is photographed; not empty.
        conditions: of the sample.
        rng: the object's own generator.

    Returns:
        Grey levels, uint8 of shape (height, width), light background.

    """
    threshold = min(SEEN_FROM, float(body.density.max()) / 2)  # a fainter object is seen where it is darkest
    density = _with_debris(body.density, threshold, rng) if rng.random() < conditions.debris else body.density
    sigma = float(np.hypot(conditions.blur + abs(rng.normal(0, conditions.depth)), body.blur))
    crop = _cropped(density, threshold, sigma)
    seen = _blurred(crop * _texture(crop.shape, body.uneven, rng), sigma)
    fringe = np.maximum(_blurred(seen, 2.5) - seen, 0)  # light that the edges throw outward
    light = 1 - INK * np.minimum(seen, 1) + 0.3 * fringe * (seen < SEEN_FROM)
    height, width = crop.shape
    tilt = (
        conditions.gradient[0] * (np.arange(width, dtype=np.float32) - width / 2) / 100
        + conditions.gradient[1] * (np.arange(height, dtype=np.float32)[:, None] - height / 2) / 100
    )
    grey = (conditions.background + tilt) * light
    noise = _noise(crop.shape, rng) * np.float32(conditions.noise)
    return np.asarray(cv2.add(grey, noise, dtype=cv2.CV_8U), np.uint8)  # rounded, and kept between 0 and 255


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return normal noise: a stretch of the pool that begins anywhere, or new numbers for an image too large for it."""
    size = shape[0] * shape[1]
    if size > POOL // 2:
        return rng.standard_normal(shape, dtype=np.float32)
    start = int(rng.integers(POOL - size))
    return _pool()[start : start + size].reshape(shape)


@cache
def _pool() -> NDArray[np.float32]:
    return np.random.default_rng(POOL).standard_normal(POOL, dtype=np.float32)


def _texture(shape: tuple[int, ...], uneven: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return factors around 1 that vary over `GRAIN` pixels: no body is equally dense everywhere."""
    cells = shape[0] // GRAIN + 2, shape[1] // GRAIN + 2
    factors = 1 + uneven * rng.standard_normal(cells, dtype=np.float32)
    return np.asarray(cv2.resize(np.minimum(np.maximum(factors, 0), 2), shape[::-1]), np.float32)


def _blurred(density: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(density, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def _cropped(density: NDArray[np.float32], threshold: float, sigma: float) -> NDArray[np.float32]:
    """Cut out what is there, with a margin as cameras leave one."""
    seen = density > threshold
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    longer = max(np.ptp(columns), np.ptp(rows)) + 1
    margin = round(LEAST_MARGIN + MARGIN * longer + sigma)
    padded = cv2.copyMakeBorder(density, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(
        padded[rows[0] : rows[-1] + 2 * margin + 1, columns[0] : columns[-1] + 2 * margin + 1], np.float32
    )


def _with_debris(density: NDArray[np.float32], threshold: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lay a speck over some point of an object."""
    rows, columns = np.nonzero(density > threshold)
    at = int(rng.integers(len(rows)))
    size = density.shape[0] * rng.uniform(0.02, 0.07)
    speck = moved(blob(rng, size, size * rng.uniform(0.4, 1), 0.3, 14), columns[at], rows[at])
    drawn = cv2.fillPoly(density.copy(), [np.round(speck).astype(np.int32)], float(rng.uniform(0.25, 0.8)), cv2.LINE_AA)
    return np.maximum(density, drawn)
