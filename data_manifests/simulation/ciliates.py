"""Drawing function for tintinnids: a lorica whose shape depends on the taxon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .drawing import blob, ellipse, moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .drawing import Pen

SEEN_WITH_CELL = 0.55  # share of loricae that still contain a ciliate


@dataclass(frozen=True)
class Lorica:
    """Lorica (shell) of a tintinnid, with its mouth at x = 1 and its end at x = -1.

    Attributes:
        width: half width at the widest point, in half lengths.
        bowl: position of the widest point, from -1 (the end) to 1 (the mouth).
        mouth: width at the mouth, as a share of the widest.
        point: how pointed the end is, 0 (round) to 1 (a spike).
        flare: how far the rim turns outward.
        wall: width of the wall.
        shade: optical density of the lorica.
        grains: mean number of grains attached to it.
        rings: number of rings of the collar.
        lattice: whether the collar has windows.

    """

    width: float
    bowl: float = 0.0
    mouth: float = 1.0
    point: float = 0.0
    flare: float = 0.0
    wall: float = 0.03
    shade: float = 0.25
    grains: int = 0
    rings: int = 0
    lattice: bool = False

    def __call__(self, pen: Pen) -> None:
        """Draw a lorica, in most cases with the ciliate inside."""
        rng = pen.rng
        x, half = self._profile(rng)
        outline = np.vstack([np.column_stack([x, half]), np.column_stack([x, -half])[::-1]])
        shade = self.shade * rng.uniform(0.75, 1.25)
        pen.outline(outline, shade, min(0.85, shade + 0.35), self.wall)
        if rng.random() < SEEN_WITH_CELL:
            at = self.bowl * 0.6 + rng.normal(0, 0.1)
            pen.fill(
                moved(blob(rng, 0.35, 0.55 * self.width, 0.1, 24), at, 0), min(0.85, shade + rng.uniform(0.2, 0.4))
            )
        self._grains(pen, x, half)
        self._collar(pen, x, half)

    def _profile(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return positions along the axis from the end to the mouth, and half widths."""
        x = np.linspace(-1, 1, 28)
        width = self.width * rng.uniform(0.85, 1.15)
        bowl = self.bowl + rng.normal(0, 0.05)
        behind = np.clip((x + 1) / (bowl + 1), 0, 1)
        rounding = np.sqrt(1 - (1 - behind) ** 2) * (1 - self.point) + behind**1.6 * self.point
        before = np.clip((x - bowl) / (1 - bowl), 0, 1)
        half = width * rounding * (1 - (1 - self.mouth) * np.minimum(1.6 * before, 1) ** 1.5)
        half += width * self.flare * np.clip((x - 0.75) / 0.25, 0, 1) ** 2
        return x, half

    def _grains(self, pen: Pen, x: NDArray[np.float64], half: NDArray[np.float64]) -> None:
        rng = pen.rng
        for _ in range(int(rng.poisson(self.grains))):
            at = rng.uniform(-0.9, 0.45)
            room = float(np.interp(at, x, half))
            pen.fill(moved(blob(rng, 0.07, 0.05, 0.3, 8), at, rng.uniform(-1, 1) * room), rng.uniform(0.4, 0.9))

    def _collar(self, pen: Pen, x: NDArray[np.float64], half: NDArray[np.float64]) -> None:
        for at in np.linspace(0.5, 0.93, self.rings):
            room = float(np.interp(at, x, half))
            pen.stroke([[at, -room], [at, room]], 0.02, 0.5)
        for at in (0.6, 0.82) if self.lattice else ():
            room = float(np.interp(at, x, half))
            for y in np.linspace(-0.65, 0.65, 4):
                pen.fill(ellipse((at, y * room), 0.07, 0.13 * room, n=10), 0.04)
