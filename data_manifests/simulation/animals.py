"""Drawing functions for animals and radiolarians: crustaceans, worms, eggs, spheres with spines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import blob, curve, ellipse, moved, ray

if TYPE_CHECKING:
    from .drawing import Pen


def copepod(pen: Pen) -> None:
    """Draw a copepod: body, forked tail, a pair of long antennae, legs."""
    rng = pen.rng
    wide, shade = rng.uniform(0.2, 0.32), rng.uniform(0.5, 0.8)
    sideways = rng.random() < 0.5  # noqa: PLR2004 - half of them lie on their side
    for side in (-1, 1) if not sideways else (-1,):
        sweep = rng.uniform(0.9, 1.9)
        pen.stroke(ray((0.5, side * 0.1), side * sweep, 0, rng.uniform(0.6, 1.0), side * 0.3), 0.03, 0.55)
    for at in np.linspace(-0.1, 0.35, 4):
        side = -1 if sideways else rng.choice([-1, 1])
        pen.stroke(ray((at, side * wide * 0.7), side * 1.9, 0, rng.uniform(0.2, 0.35)), 0.025, 0.5)
    tail = np.column_stack([np.linspace(-0.3, -0.95, 6), np.linspace(0, rng.normal(0, 0.12), 6)])
    pen.stroke(tail, 0.11, shade * 0.9)
    for side in (-1, 1):
        pen.stroke([tail[-1], tail[-1] + np.array([-0.15, side * 0.08])], 0.03, 0.5)
    pen.outline(moved(blob(rng, 0.55, wide, 0.03), 0.22, 0), shade, min(0.9, shade + 0.1), 0.02)
    pen.fill(ellipse((0.15, 0.02), 0.28, wide * 0.4), min(0.95, shade + 0.15))


def nauplius(pen: Pen) -> None:
    """Draw a nauplius: a pear-shaped body and three pairs of limbs with bristles."""
    rng = pen.rng
    wide, shade = rng.uniform(0.4, 0.55), rng.uniform(0.4, 0.7)
    for root, sweep in ((0.45, 0.7), (0.25, 1.3), (0.05, 1.9)):
        for side in (-1, 1):
            direction = side * (sweep + rng.normal(0, 0.15))
            reach = rng.uniform(0.45, 0.75)
            pen.stroke(ray((root, side * wide * 0.6), direction, 0, reach, side * 0.1), 0.06, shade * 0.8)
            tip = np.array([root, side * wide * 0.6]) + reach * np.array([np.cos(direction), np.sin(direction)])
            pen.stroke(ray(tuple(tip), direction, -0.1, 0.2, side * 0.05), 0.02, 0.35)
    pear = blob(rng, 0.75, wide, 0.03)
    pear[:, 1] *= 0.75 + 0.3 * pear[:, 0]
    pen.outline(pear, shade, min(0.9, shade + 0.15), 0.03)
    pen.fill(ellipse((0.55, 0), 0.06, 0.05, n=12), 0.95)


def worm(pen: Pen) -> None:
    """Draw a segmented larva with bundles of bristles, as in Annelida."""
    rng = pen.rng
    axis = curve(rng, 0.25, int(rng.integers(7, 14)))
    wide, shade = rng.uniform(0.13, 0.22), rng.uniform(0.45, 0.75)
    bristles = rng.uniform(0.2, 0.5)
    for x, y in axis[1:-1]:
        for side in (-1, 1):
            for fan in (-0.2, 0.1):
                pen.stroke(ray((x, y), side * np.pi / 2 + fan + rng.normal(0, 0.1), 0, wide + bristles), 0.012, 0.35)
    for position, (x, y) in enumerate(axis):
        taper = 1 - 0.5 * (position / len(axis))
        pen.outline(ellipse((x, y), 0.12, wide * taper), shade, min(0.9, shade + 0.2), 0.015)


def egg(pen: Pen) -> None:
    """Draw an egg: a dark yolk in a clear membrane."""
    rng = pen.rng
    pen.outline(blob(rng, 0.95, rng.uniform(0.88, 0.95), 0.01), rng.uniform(0.1, 0.25), 0.6, 0.04)
    yolk = rng.uniform(0.55, 0.85)
    pen.fill(blob(rng, yolk, yolk * rng.uniform(0.9, 1), 0.03), rng.uniform(0.6, 0.85))


def sun(pen: Pen) -> None:
    """Draw a dark sphere with fine spines on all sides, as in Retaria."""
    rng = pen.rng
    core = rng.uniform(0.28, 0.5)
    for direction in np.linspace(0, 2 * np.pi, int(rng.integers(10, 26)), endpoint=False):
        pen.stroke(ray((0, 0), direction + rng.normal(0, 0.05), core, rng.uniform(0.75, 1.05)), 0.015, 0.4)
    pen.fill(blob(rng, core * 1.35, core * 1.35, 0.06), 0.2)
    pen.outline(blob(rng, core, core, 0.05), rng.uniform(0.6, 0.85), 0.9, 0.04)
