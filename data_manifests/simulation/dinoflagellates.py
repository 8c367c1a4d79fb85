"""Drawing functions for dinoflagellates: horns, spines and sails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import blob, ellipse, ray

if TYPE_CHECKING:
    from .drawing import Pen


def horned(pen: Pen) -> None:
    """Draw an anchor: one long apical horn, two antapical horns that curve forward, as in Neoceratium."""
    rng = pen.rng
    body = rng.uniform(0.2, 0.3)
    shade = rng.uniform(0.5, 0.75)
    pen.stroke(ray((-0.25, 0), 0, 0.1, 1.25, rng.normal(0, 0.06)), 0.05, shade * 0.8)
    spread, forward = rng.uniform(0.25, 0.75), rng.uniform(0.3, 1.1)
    for side in (-1, 1):
        reach = rng.uniform(0.6, 1.0)
        turn = np.linspace(0, 1, 8)
        x = -0.35 - 0.3 * np.sin(np.pi * turn) * (1 - spread / 2) + reach * forward * turn**2
        y = side * (0.12 + spread * np.sqrt(turn) * reach)
        pen.stroke(np.column_stack([x, y]), 0.04, shade * 0.8)
    triangle = np.array([[0.12, 0], [-0.2, body], [-0.42, 0.8 * body], [-0.42, -0.8 * body], [-0.2, -body]])
    pen.outline(triangle + rng.normal(0, 0.01, triangle.shape), shade, 0.8, 0.02)
    pen.stroke([[-0.25, -body], [-0.25, body]], 0.02, 0.35)


def rhomb(pen: Pen) -> None:
    """Draw a rounded rhomb with a girdle and two short antapical horns, as in Protoperidinium."""
    rng = pen.rng
    wide = rng.uniform(0.6, 0.85)
    side = np.array([[0.45, 0.5 * wide], [-0.1, wide], [-0.55, 0.75 * wide], [-0.95, 0.4 * wide]])
    shape = np.vstack([[1, 0], side, [-0.6, 0], side[::-1] * np.array([1, -1])])
    pen.outline(shape + rng.normal(0, 0.03, shape.shape), rng.uniform(0.35, 0.65), 0.8, 0.04)
    pen.stroke([[-0.12, -wide], [-0.06, 0], [-0.12, wide]], 0.05, rng.uniform(0.2, 0.4))
    pen.fill(blob(rng, 0.3, 0.25, 0.1), rng.uniform(0.55, 0.8))


def sailed(pen: Pen) -> None:
    """Draw an egg-shaped cell with a collar and a ribbed sail, as in Dinophysiales."""
    rng = pen.rng
    tall = rng.uniform(0.5, 0.75)
    sail = np.array([[0.75, -0.1], [0.7, -tall - 0.3], [0.1, -tall - 0.35], [-0.3, -0.8 * tall]])
    pen.fill(sail, 0.14)
    for start, end in (((0.6, -0.3), sail[1]), ((0.2, -0.5), sail[2])):
        pen.stroke([start, end], 0.02, 0.45)
    pen.outline(blob(rng, 0.8, tall, 0.03), rng.uniform(0.45, 0.7), 0.8, 0.04)
    for x, wing in ((0.78, 0.55), (0.68, 0.4)):
        pen.stroke([[x, -0.3 * tall], [x + 0.22, -wing], [x + 0.25, wing], [x, 0.3 * tall]], 0.025, 0.45)
    pen.fill(ellipse((-0.1, 0.05), 0.3, 0.3 * tall), 0.75)


def spined(pen: Pen) -> None:
    """Draw an angular cell with six stout spines, as in Ceratocorys horrida."""
    rng = pen.rng
    corners = np.linspace(0, 2 * np.pi, 6, endpoint=False) + rng.normal(0, 0.12, 6)
    for direction in corners:
        pen.stroke(ray((0, 0), direction, 0.35, rng.uniform(0.8, 1.05), rng.normal(0, 0.05)), 0.035, 0.55)
    radius = rng.uniform(0.42, 0.55)
    shape = radius * np.column_stack([np.cos(corners), np.sin(corners)])
    pen.outline(shape, rng.uniform(0.45, 0.7), 0.85, 0.05)
    pen.stroke(shape[[0, 3]], 0.04, 0.35)
