"""Drawing functions for diatoms: discs, needles, stars, and chains of cells with and without setae."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .drawing import blob, box, curve, ellipse, ray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .drawing import Pen


@dataclass(frozen=True)
class Chain:
    """Chain of cells in girdle view.

    Attributes:
        cells: minimum and maximum number of cells.
        height: half height of a cell, in half lengths of the chain.
        gap: share of each cell's length that is left clear.
        setae: length of the setae at each corner; 0 for none.
        shade: optical density of a cell.
        bend: deviation of the chain from its axis.
        horned: whether cells are concave and touch by two horns.

    """

    cells: tuple[int, int]
    height: float
    gap: float
    setae: float = 0.0
    shade: float = 0.45
    bend: float = 0.08
    horned: bool = False

    def __call__(self, pen: Pen) -> None:
        """Draw a chain."""
        rng = pen.rng
        n = int(rng.integers(self.cells[0], self.cells[1] + 1))
        axis = curve(rng, self.bend, n + 1)
        height = self.height * rng.uniform(0.8, 1.25)
        for start, end in itertools.pairwise(axis):
            self._cell(pen, (start + end) / 2, end - start, height)

    def _cell(self, pen: Pen, centre: NDArray[np.float64], step: NDArray[np.float64], height: float) -> None:
        rng = pen.rng
        tilt = float(np.arctan2(step[1], step[0]))
        half = np.hypot(*step) / 2 * (1 - self.gap)
        for side in (-1, 1) if self.setae else ():
            for corner in (-1, 1):
                root = centre + _turned((corner * half, side * height), tilt)
                direction = tilt + side * (np.pi / 2 - corner * rng.normal(0.35, 0.15))
                reach = self.setae * rng.uniform(0.6, 1.3)
                pen.stroke(ray(tuple(root), direction, 0, reach, corner * side * 0.15), 0.008, 0.35)
        if self.horned:
            waist = height * 0.72
            shape = np.array(
                [[-half, -height], [-0.4 * half, -waist], [0.4 * half, -waist], [half, -height],
                 [half, height], [0.4 * half, waist], [-0.4 * half, waist], [-half, height]]
            )  # fmt: skip
        else:
            shape = box((0, 0), half, height)
        pen.outline(centre + _turned(shape, tilt), self.shade * rng.uniform(0.7, 1.2), self.shade + 0.25, 0.015)
        content = ellipse((0, 0), half * 0.5, height * 0.5)
        pen.fill(centre + _turned(content, tilt), self.shade + rng.uniform(0, 0.25))


def _turned(points: ArrayLike, tilt: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(tilt), np.sin(tilt)
    return np.asarray(np.asarray(points) @ np.array([[cosine, sine], [-sine, cosine]]), np.float64)


def zigzag(pen: Pen) -> None:
    """Draw rods that touch at alternating ends, as in Thalassionema."""
    rng = pen.rng
    n = int(rng.integers(3, 9))
    x = np.linspace(-1, 1, n + 1) + rng.normal(0, 0.03, n + 1)
    swing = rng.uniform(0.25, 0.6)
    y = swing * (-1.0) ** np.arange(n + 1) + 0.3 * np.cumsum(rng.normal(0, 0.1, n + 1))
    corners = np.column_stack([x, y])
    for start, end in itertools.pairwise(corners):
        pen.stroke([start, end], rng.uniform(0.045, 0.07), rng.uniform(0.5, 0.75))


def star(pen: Pen) -> None:
    """Draw rods that radiate from one point, as in Asterionellopsis."""
    rng = pen.rng
    n = int(rng.integers(4, 11))
    sweep = rng.uniform(1.1, 2.0) * np.pi
    for direction in np.linspace(0, sweep, n) + rng.normal(0, 0.06, n):
        root = ray((0, 0), direction, 0.03, 0.32)
        pen.stroke(root, 0.09, 0.65)
        pen.stroke(ray((0, 0), direction, 0.3, rng.uniform(0.85, 1.05)), 0.02, 0.5)


def needle(pen: Pen) -> None:
    """Draw one or two long cells with pointed ends, as in Rhizosolenia and related genera."""
    rng = pen.rng
    axis = curve(rng, 0.05, 20)
    half = rng.uniform(0.03, 0.07)
    taper = np.clip(np.minimum(1 - axis[:, 0], 1 + axis[:, 0]) * rng.uniform(3, 6), 0, 1)
    above, below = axis + np.column_stack([0 * taper, half * taper]), axis - np.column_stack([0 * taper, half * taper])
    pen.outline(np.vstack([above, below[::-1]]), rng.uniform(0.2, 0.4), 0.6, 0.012)
    for x in rng.uniform(-0.8, 0.8, int(rng.integers(2, 9))):
        pen.fill(ellipse((x, np.interp(x, axis[:, 0], axis[:, 1])), 0.03, half * 0.7), 0.65)


def rod(pen: Pen) -> None:
    """Draw a short straight rod with blunt ends."""
    half = pen.rng.uniform(0.06, 0.14)
    pen.outline(box((0, 0), 1, half), pen.rng.uniform(0.3, 0.6), 0.7, 0.03)


def sigmoid(pen: Pen) -> None:
    """Draw a slender S-shaped valve, as in Pleurosigma."""
    rng = pen.rng
    x = np.linspace(-1, 1, 30)
    middle = rng.uniform(0.1, 0.2) * np.sin(np.pi * x)
    half = rng.uniform(0.12, 0.2) * np.sqrt(np.clip(1 - x**2, 0, 1))
    shape = np.vstack([np.column_stack([x, middle + half]), np.column_stack([x, middle - half])[::-1]])
    pen.outline(shape, rng.uniform(0.25, 0.4), 0.6, 0.025)
    pen.stroke(np.column_stack([x * 0.95, middle]), 0.015, 0.6)
    for side in (-1, 1):
        pen.fill(ellipse((side * 0.25, side * 0.08), 0.22, 0.05, 0.2), 0.55)


@dataclass(frozen=True)
class Disc:
    """Centric diatom in valve view, sometimes tilted.

    Attributes:
        rings: number of visible inner rings.
        spots: number of chloroplasts.
        wall: width of the rim.

    """

    rings: int
    spots: int
    wall: float

    def __call__(self, pen: Pen) -> None:
        """Draw a disc."""
        rng = pen.rng
        tilt = rng.uniform(0.55, 1) if rng.random() < 0.3 else rng.uniform(0.94, 1)  # noqa: PLR2004 - nearly a third are tilted
        pen.outline(ellipse((0, 0), 0.97, 0.97 * tilt, n=48), rng.uniform(0.2, 0.45), 0.75, self.wall)
        for ring in range(self.rings):
            radius = 0.75 - 0.22 * ring
            pen.stroke(ellipse((0, 0), radius, radius * tilt), 0.02, 0.5, closed=True)
        for _ in range(self.spots):
            distance, direction = 0.8 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
            centre = distance * np.cos(direction), distance * tilt * np.sin(direction)
            pen.fill(ellipse(centre, 0.07, 0.06, n=10), rng.uniform(0.55, 0.8))


def wheel(pen: Pen) -> None:
    """Draw a chain of Bacteriastrum in end view: a small disc with many forked setae."""
    rng = pen.rng
    pen.outline(blob(rng, 0.2, 0.2, 0.05), 0.4, 0.7, 0.03)
    for direction in np.linspace(0, 2 * np.pi, int(rng.integers(8, 15)), endpoint=False):
        bow = rng.normal(0, 0.08)
        pen.stroke(ray((0, 0), direction, 0.2, 0.6, bow), 0.025, 0.45)
        for fork in (-0.12, 0.12):
            pen.stroke(ray((0, 0), direction + bow, 0.58, rng.uniform(0.85, 1.05), fork), 0.012, 0.4)


def pillow(pen: Pen) -> None:
    """Draw one to three cells with a horn at each corner, as in Odontella."""
    rng = pen.rng
    n = int(rng.integers(1, 4))
    half = 0.9 / n
    height = min(rng.uniform(0.4, 0.6), 2.2 * half)
    for x in np.linspace(-1 + half, 1 - half, n):
        shape = np.array(
            [[-1, -1], [-0.75, -0.7], [0, -0.85], [0.75, -0.7], [1, -1], [1, 1], [0.75, 0.7], [0, 0.85], [-0.75, 0.7],
             [-1, 1]]
        )  # fmt: skip
        pen.outline((x, 0) + shape * (half, height), rng.uniform(0.25, 0.45), 0.65, 0.03)
        for _ in range(6):
            centre = x + rng.uniform(-0.6, 0.6) * half, rng.uniform(-0.5, 0.5) * height
            pen.fill(ellipse(centre, 0.08, 0.06, n=10), rng.uniform(0.5, 0.75))
