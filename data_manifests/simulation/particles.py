"""Drawing functions for particles that are not plankton: detritus, pellets, fibres, pollen, bubbles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .drawing import blob, blobs, curve, ellipse, moved

if TYPE_CHECKING:
    from .drawing import Pen


def aggregate(pen: Pen) -> None:
    """Draw an irregular aggregate of flakes and threads of varying darkness, with gaps, as in detritus."""
    rng = pen.rng
    slim = rng.uniform(0.25, 0.95)
    pen.fill(blob(rng, 0.8, 0.8 * slim, rng.uniform(0.15, 0.4)), rng.uniform(0.05, 0.35))
    flakes, gaps = int(rng.integers(2, 12)), int(rng.integers(2, 7))
    sizes = rng.uniform(0.1, 0.45, (flakes, 1)) * np.column_stack([np.ones(flakes), rng.uniform(0.3, 1, flakes)])
    centres = rng.normal(0, 0.35, (flakes, 1, 2)) * (1, slim)
    shades = rng.uniform(0.05, 0.8, flakes).tolist()
    for flake, shade in zip(blobs(rng, sizes, 0.3, 16) + centres, shades, strict=True):
        pen.fill(flake, shade)
    places = rng.normal(0, 0.3, (gaps, 1, 2)) * (1, slim)
    for gap in blobs(rng, np.tile((0.12, 0.08), (gaps, 1)), 0.3, 10) + places:
        pen.fill(gap, 0)
    for _ in range(int(rng.integers(0, 3))):
        pen.stroke(curve(rng, 0.5) * rng.uniform(0.4, 1), 0.02, rng.uniform(0.3, 0.6))


def pellet(pen: Pen) -> None:
    """Draw a dark pellet with blunt ends and a ragged edge, as in feces."""
    rng = pen.rng
    half = rng.uniform(0.2, 0.5)
    axis = curve(rng, 0.1)
    ends = np.clip(1 - np.abs(axis[:, 0]) ** 6, 0, 1) ** 0.5
    edge = half * ends * (1 + rng.normal(0, 0.06, len(axis)))
    shape = np.vstack([axis + np.column_stack([0 * edge, edge]), (axis - np.column_stack([0 * edge, edge]))[::-1]])
    shade = rng.uniform(0.5, 0.85)
    pen.outline(shape, shade, min(0.95, shade + 0.1), 0.03)
    for _ in range(int(rng.integers(0, 8))):
        centre = rng.uniform(-0.8, 0.8), rng.uniform(-0.6, 0.6) * half
        pen.fill(blob(rng, 0.1, 0.08, 0.3, 10) + centre, rng.uniform(0.35, 0.95))


def fibre(pen: Pen) -> None:
    """Draw one to three long bent threads, as in silks."""
    rng = pen.rng
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        thread = moved(curve(rng, 0.35, 24), 0, rng.normal(0, 0.1))
        pen.stroke(thread, rng.uniform(0.015, 0.045), rng.uniform(0.35, 0.75))


def pollen(pen: Pen) -> None:
    """Draw a grain with two dark air sacs."""
    rng = pen.rng
    tilt = rng.uniform(0.2, 0.5)
    for side in (-1, 1):
        sac = ellipse((side * 0.58, -tilt * 0.5), 0.4, rng.uniform(0.35, 0.48))
        pen.outline(sac, rng.uniform(0.65, 0.85), 0.95, 0.04)
    pen.outline(blob(rng, 0.55, 0.5, 0.03), rng.uniform(0.35, 0.6), 0.85, 0.05)


def bubble(pen: Pen) -> None:
    """Draw a bubble: a thick dark ring around a bright centre; or a smear at the edge of the frame."""
    rng = pen.rng
    if rng.random() < 0.75:  # noqa: PLR2004 - three out of four
        pen.fill(ellipse((0, 0), 0.95, 0.95, n=48), rng.uniform(0.7, 0.9))
        hole = rng.uniform(0.35, 0.75)
        pen.fill(ellipse((0, 0), hole, hole, n=36), rng.uniform(0, 0.15))
        return
    for _ in range(int(rng.integers(2, 6))):
        pen.stroke(moved(curve(rng, 0.05), 0, rng.normal(0, 0.15)), rng.uniform(0.02, 0.1), rng.uniform(0.2, 0.5))
