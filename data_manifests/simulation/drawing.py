"""Pen for drawing anti-aliased outlines and strokes of optical density on a canvas, in object coordinates.

The long axis of the object runs along x from -1 to 1; the pen rotates, mirrors and scales the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Points = NDArray[np.float64]

REACH = 1.7  # half the canvas, in half lengths of the object; anything beyond is clipped, as at the edge of a frame
FINE_BELOW = 90  # pixels; shorter objects are drawn at twice the size and downscaled
SHIFT = 4  # fractional bits of OpenCV coordinates
OPAQUE = 255
WAVES = np.arange(2, 9)  # per revolution, of a rough outline
ALONG = np.linspace(0, 1, 6)  # points along a ray


@dataclass(frozen=True)
class Pen:
    """Pen that draws one object.

    Attributes:
        length: length of the object's long axis in the final image, in pixels.
        angle: rotation in radians.
        flip: 1, or -1 for the mirror image.
        rng: random generator of the object, for variation of its shape.

    """

    length: float
    angle: float
    flip: int
    rng: np.random.Generator

    @property
    def zoom(self) -> int:
        """Canvas pixels per final pixel, along each axis."""
        return 2 if self.length < FINE_BELOW else 1

    @cached_property
    def canvas(self) -> NDArray[np.uint8]:
        """Optical density, 0 clear to 255 opaque, uint8 of shape (side, side)."""
        side = 2 * int(np.ceil(REACH * self.length / 2)) * self.zoom
        return np.zeros((side, side), np.uint8)

    def fill(self, points: ArrayLike, shade: float) -> None:
        """Fill a closed outline.

        Args:
            points: shape (n_points, 2), in object coordinates.
            shade: optical density, 0 to 1; it replaces earlier drawing.

        """
        cv2.fillPoly(self.canvas, [self._place(points)], self._grey(shade), cv2.LINE_AA, SHIFT)

    def stroke(self, points: ArrayLike, width: float, shade: float, *, closed: bool = False) -> None:
        """Draw a line through points; `width` is in object coordinates, at least one final pixel."""
        pixels = max(self.zoom, round(width * self.length * self.zoom / 2))
        cv2.polylines(self.canvas, [self._place(points)], closed, self._grey(shade), pixels, cv2.LINE_AA, SHIFT)

    def outline(self, points: ArrayLike, inside: float, wall: float, width: float = 0.03) -> None:
        """Fill an outline and draw its wall."""
        self.fill(points, inside)
        self.stroke(points, width, wall, closed=True)

    def density(self, factor: float = 1.0) -> NDArray[np.uint8]:
        """Return the optical density in final pixels, times a factor, uint8 from 0 to 255."""
        side = self.canvas.shape[0] // self.zoom
        drawn = cv2.resize(self.canvas, (side, side), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.convertScaleAbs(drawn, alpha=factor), np.uint8)

    def _place(self, points: ArrayLike) -> NDArray[np.int32]:
        """Convert object coordinates to OpenCV coordinates."""
        placed = np.asarray(points, float) @ self._turn + self.canvas.shape[0] / 2 * (1 << SHIFT)
        return np.asarray(np.rint(placed), np.int32)

    @cached_property
    def _turn(self) -> NDArray[np.float64]:
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        scale = self.length * self.zoom / 2 * (1 << SHIFT)
        return np.asarray(scale * np.array([[cosine, sine], [-sine * self.flip, cosine * self.flip]]), np.float64)

    @staticmethod
    def _grey(shade: float) -> int:
        return round(OPAQUE * min(max(float(shade), 0.0), 1.0))


def moved(points: Points, x: float, y: float) -> Points:
    """Return points moved by x and y."""
    return np.asarray(points + np.array([x, y]), np.float64)


@cache
def circle(n: int) -> Points:
    """Return n points of the unit circle, shape (n, 2); the array is cached and read-only."""
    turn = np.linspace(0, 2 * np.pi, n, endpoint=False)
    points = np.column_stack([np.cos(turn), np.sin(turn)])
    points.flags.writeable = False
    return points


def ellipse(centre: tuple[float, float], a: float, b: float, tilt: float = 0.0, n: int = 32) -> Points:
    """Return n points of an ellipse with half axes a (along x before rotation by `tilt` radians) and b."""
    cosine, sine = np.cos(tilt), np.sin(tilt)
    axes = np.array([[a * cosine, a * sine], [-b * sine, b * cosine]])
    return np.asarray(circle(n) @ axes + np.asarray(centre), np.float64)


def box(centre: tuple[float, float], a: float, b: float, tilt: float = 0.0) -> Points:
    """Return the corners of a rectangle with half sides a and b."""
    corners = np.array([[-a, -b], [a, -b], [a, b], [-a, b]])
    cosine, sine = np.cos(tilt), np.sin(tilt)
    return np.asarray(corners @ np.array([[cosine, sine], [-sine, cosine]]) + np.asarray(centre), np.float64)


@cache
def _waves(n: int) -> Points:
    """Return sines and cosines of `WAVES` around a circle of n points, of variance 1 / wave, (2 · n_waves, n)."""
    turn = WAVES[:, None] * np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.concatenate([np.sin(turn), np.cos(turn)]) / np.sqrt(np.tile(2 * WAVES, 2))[:, None]


def blob(rng: np.random.Generator, a: float, b: float, rough: float, n: int = 40) -> Points:
    """Return an ellipse roughened by a sum of waves with random phases and an amplitude of about `rough`."""
    return np.asarray(blobs(rng, np.array([[a, b]]), rough, n)[0], np.float64)


def blobs(rng: np.random.Generator, axes: Points, rough: float, n: int) -> NDArray[np.float64]:
    """Return closed outlines like `blob`, shape (n_outlines, n, 2), with half axes of shape (n_outlines, 2)."""
    waves = _waves(n)
    radius = 1 + (rough * rng.standard_normal((len(axes), len(waves)))) @ waves
    radius = np.minimum(np.maximum(radius, 0.25), 1.9)
    return np.asarray(circle(n) * axes[:, None] * radius[:, :, None], np.float64)


def curve(rng: np.random.Generator, bend: float, n: int = 16) -> Points:
    """Return a smooth line along x from -1 to 1 that deviates from the axis by about `bend`."""
    x = np.linspace(-1, 1, n)
    arc, wave = rng.normal(0, bend), rng.normal(0, bend / 2)
    return np.column_stack([x, arc * (1 - x**2) + wave * np.sin(np.pi * x)])


def ray(centre: tuple[float, float], direction: float, start: float, end: float, bow: float = 0.0) -> Points:
    """Return a line from distance `start` to distance `end` from a centre, bent sideways by `bow` at its end."""
    along = start + (end - start) * ALONG
    aside = bow * ALONG**2
    cosine, sine = np.cos(direction), np.sin(direction)
    x, y = centre
    return np.array([x + along * cosine - aside * sine, y + along * sine + aside * cosine]).T
