"""Simulated camera: optical density to grey levels, under the imaging conditions of a sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .drawing import OPAQUE, blob, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARGIN = 0.1  # around the detected object, as a share of its longer side
LEAST_MARGIN = 4  # pixels
SEEN_FROM = 20  # density above which the camera detects an object
GRAIN = 4  # pixels
POOL = 1 << 20  # random numbers shared by the noise of all images; drawing new ones took a tenth of the time
FRINGE = (9, 9)  # pixels over which edges scatter light outward
BRIGHT = 0.3  # strength of the scattered light
CLEAR = 192  # light level of the empty background, with headroom for scattered light
USUAL = 128  # neutral factor of density
INK = 0.62 * CLEAR / 255  # light absorbed per unit of density


@dataclass(frozen=True)
class Body:
    """Object to be imaged.

    Attributes:
        density: optical density, 0 clear to 255 opaque, uint8 of shape (side, side).
        blur: standard deviation of its own blur in pixels; combined with that of the sample.
        uneven: relative standard deviation of its density between grains.

    """

    density: NDArray[np.uint8]
    blur: float
    uneven: float


@dataclass(frozen=True)
class Conditions:
    """Imaging conditions of a sample.

    Attributes:
        background: grey level of the empty background.
        gradient: change of the background over 100 px in grey levels, along x and y.
        noise: standard deviation of the sensor noise in grey levels.
        blur: standard deviation of the blur of an object in focus, in pixels.
        depth: additional blur of objects out of the focal plane, in pixels.
        magnification: factor of all sizes.
        debris: probability that a speck touches an object.

    """

    background: float
    gradient: tuple[float, float]
    noise: float
    blur: float
    depth: float
    magnification: float
    debris: float


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """Draw the imaging conditions of a sample at random."""
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
    """Return the image of an object as cropped by the camera.

    Args:
        body: the object; not empty.
        conditions: imaging conditions of its sample.
        rng: random generator of the object.

    Returns:
        Grey levels, uint8 of shape (height, width), light background.

    """
    threshold = min(SEEN_FROM, int(body.density.max()) // 2)  # a fainter object is detected where it is darkest
    density = _with_debris(body.density, threshold, rng) if rng.random() < conditions.debris else body.density
    sigma = float(np.hypot(conditions.blur + abs(rng.normal(0, conditions.depth)), body.blur))
    crop = _cropped(density, threshold, sigma)
    uneven = cv2.multiply(crop, _texture(crop.shape, body.uneven, rng), scale=1 / USUAL)
    seen = cv2.GaussianBlur(uneven, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    light = _light(np.asarray(seen, np.uint8))
    grey = light * (_background(crop.shape, conditions) / np.float32(CLEAR))
    noise = _noise(crop.shape, rng)
    photo = cv2.addWeighted(grey, 1, noise, conditions.noise, 0, dtype=cv2.CV_8U)  # rounded and clipped to 0 to 255
    return np.asarray(photo, np.uint8)


def _light(seen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the transmitted light, uint8 from 0 to `CLEAR`, and above it where edges scatter light."""
    thrown = cv2.subtract(cv2.blur(seen, FRINGE, borderType=cv2.BORDER_REPLICATE), seen)
    _, beside = cv2.threshold(seen, SEEN_FROM - 1, OPAQUE, cv2.THRESH_BINARY_INV)
    return np.asarray(cv2.addWeighted(seen, -INK, cv2.bitwise_and(thrown, beside), BRIGHT, CLEAR), np.uint8)


def _background(shape: tuple[int, ...], conditions: Conditions) -> NDArray[np.float32]:
    """Return the grey levels of the empty background, float32 of the given shape."""
    down, along = ((np.arange(n, dtype=np.float32) - n / 2) / 100 for n in shape)
    row = conditions.background + conditions.gradient[0] * along
    return np.asarray(row + conditions.gradient[1] * down[:, None], np.float32)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return normal noise: a random slice of the pool, or new numbers if the image is too large for it."""
    size = shape[0] * shape[1]
    if size > POOL // 2:
        return rng.standard_normal(shape, dtype=np.float32)
    start = int(rng.integers(POOL - size))
    return _pool()[start : start + size].reshape(shape)


@cache
def _pool() -> NDArray[np.float32]:
    return np.random.default_rng(POOL).standard_normal(POOL, dtype=np.float32)


def _texture(shape: tuple[int, ...], uneven: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return factors around `USUAL` that vary over `GRAIN` pixels, since no object is uniformly dense."""
    cells = shape[0] // GRAIN + 2, shape[1] // GRAIN + 2
    factors = cv2.convertScaleAbs(np.maximum(1 + uneven * rng.standard_normal(cells, np.float32), 0), alpha=USUAL)
    return np.asarray(cv2.resize(factors, shape[::-1]), np.uint8)


def _cropped(density: NDArray[np.uint8], threshold: int, sigma: float) -> NDArray[np.uint8]:
    """Crop to the detected object with a margin, as cameras do."""
    _, seen = cv2.threshold(density, threshold, OPAQUE, cv2.THRESH_BINARY)
    left, top, width, height = cv2.boundingRect(seen)
    margin = round(LEAST_MARGIN + MARGIN * max(width, height) + sigma)
    padded = cv2.copyMakeBorder(density, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(padded[top : top + height + 2 * margin, left : left + width + 2 * margin], np.uint8)


def _with_debris(density: NDArray[np.uint8], threshold: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a speck over a random point of an object."""
    seen = np.flatnonzero(density.ravel() > threshold)
    row, column = divmod(int(seen[rng.integers(len(seen))]), density.shape[1])
    size = density.shape[0] * rng.uniform(0.02, 0.07)
    speck = moved(blob(rng, size, size * rng.uniform(0.4, 1), 0.3, 14), column, row)
    drawn = cv2.fillPoly(density.copy(), [np.round(speck).astype(np.int32)], rng.uniform(64, 204), cv2.LINE_AA)
    return np.asarray(cv2.max(density, drawn), np.uint8)
