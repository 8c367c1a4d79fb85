"""Taxa of the simulated FlowCam data set, each with its drawing function, size and lineage.

Sizes are lengths in pixels, chosen so that the distribution of all measurements matches the published one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import animals, diatoms, dinoflagellates, particles
from .ciliates import Lorica
from .diatoms import Chain, Disc
from .drawing import Pen
from .imaging import Body
from .populations import TYPICAL, Population

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LONGEST, SHORTEST = 700.0, 14.0  # pixels
BETWEEN = 0.6  # share of the spread of sizes that is between the populations of a taxon; squared, of the variance
WITHIN = float(np.sqrt(1 - BETWEEN**2))

DINOPHYCEAE = "living/Eukaryota/Harosa/Alveolata/Myzozoa/Holodinophyta/Dinophyceae"
TINTINNIDS = "living/Eukaryota/Harosa/Alveolata/Ciliophora/Intramacronucleata/Spirotrichea/Choreotrichia"
DIATOMS = "living/Eukaryota/Harosa/Stramenopiles/Ochrophyta/Bacillariophyta"
CRUSTACEA = "living/Eukaryota/Opisthokonta/Holozoa/Metazoa/Arthropoda/Crustacea"
DEAD = "not-living"


@dataclass(frozen=True)
class Programme:
    """Drawing programme of a taxon.

    Attributes:
        draw: function that draws one object.
        length: median length in pixels.
        lineage: lineage in EcoTaxa notation, without the taxon's own name.
        spread: standard deviation of the logarithm of the length.
        blur: additional blur, as a share of the length.
        uneven: relative standard deviation of the optical density between grains.

    """

    draw: Callable[[Pen], None]
    length: float
    lineage: str
    spread: float = 0.28
    blur: float = 0.0
    uneven: float = 0.45

    def body(self, rng: np.random.Generator, population: Population = TYPICAL, magnification: float = 1.0) -> Body:
        """Draw an object of a population."""
        deviation = BETWEEN * population.size + WITHIN * rng.normal()
        length = self.length * magnification * np.exp(self.spread * deviation)
        pen = Pen(
            length=float(np.clip(length, SHORTEST, LONGEST)),
            angle=float(rng.uniform(0, 2 * np.pi)),
            flip=2 * int(rng.integers(2)) - 1,
            rng=rng,
        )
        self.draw(pen)
        return Body(pen.density(population.density), self.blur * pen.length, self.uneven * population.uneven)


def several(pen: Pen) -> None:
    """Draw two or three objects of other taxa that touch or nearly touch, as in `multiple (other)`."""
    rng = pen.rng
    names = rng.choice(COMPANY, int(rng.integers(2, 4)))
    directions = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi, len(names), endpoint=False)
    for name, direction in zip(names, directions, strict=True):
        inner = Pen(pen.length * rng.uniform(0.45, 0.65), float(rng.uniform(0, 2 * np.pi)), pen.flip, rng)
        PROGRAMMES[str(name)].draw(inner)
        _overlay(pen, inner, 0.4 * pen.length * np.array([np.cos(direction), np.sin(direction)]))


def _overlay(pen: Pen, inner: Pen, shift: NDArray[np.float64]) -> None:
    """Overlay the canvas of `inner` on that of `pen`, with its centre shifted by `shift` final pixels."""
    drawn = inner.density()
    if pen.zoom > 1:
        drawn = np.repeat(np.repeat(drawn, pen.zoom, axis=0), pen.zoom, axis=1)
    side, n = pen.canvas.shape[0], drawn.shape[0]
    corner = np.clip(np.round(side / 2 + shift * pen.zoom - n / 2).astype(int), 0, side - n)
    window = pen.canvas[corner[1] : corner[1] + n, corner[0] : corner[0] + n]
    np.maximum(window, drawn, out=window)


def anything(pen: Pen) -> None:
    """Draw an object of any compact taxon, as in the out-of-focus objects of `badfocus (artefact)`."""
    PROGRAMMES[str(pen.rng.choice(COMPANY))].draw(pen)


PROGRAMMES = {
    "detritus": Programme(particles.aggregate, 78, "", spread=0.5, uneven=1.1),
    "feces": Programme(particles.pellet, 86, f"{DEAD}/feces", spread=0.35, uneven=0.6),
    "Neoceratium": Programme(dinoflagellates.horned, 118, f"{DINOPHYCEAE}/Gonyaulacales/Ceratiaceae"),
    "nauplii (Crustacea)": Programme(animals.nauplius, 88, CRUSTACEA),
    "badfocus (artefact)": Programme(anything, 72, f"{DEAD}/artefact", spread=0.4, blur=0.07),
    "silks": Programme(particles.fibre, 150, f"{DEAD}/fiber", spread=0.5),
    "Copepoda": Programme(animals.copepod, 140, f"{CRUSTACEA}/Maxillopoda"),
    "Thalassionema": Programme(diatoms.zigzag, 110, f"{DIATOMS}/Bacillariophytina/Bacillariophyceae", spread=0.35),
    "rods": Programme(diatoms.rod, 80, f"{DEAD}/fiber", spread=0.4),
    "multiple (other)": Programme(several, 130, "other", spread=0.35),
    "Codonellopsis (Dictyocystidae)": Programme(
        Lorica(0.42, bowl=-0.35, mouth=0.6, point=0.15, grains=22, rings=6, shade=0.35), 82, TINTINNIDS
    ),
    "Protoperidinium": Programme(dinoflagellates.rhomb, 62, f"{DINOPHYCEAE}/Peridiniales/Protoperidiniaceae"),
    "Tintinnidiidae": Programme(Lorica(0.3, bowl=0.1, mouth=0.95, grains=10, shade=0.18), 84, TINTINNIDS),
    "Rhizosolenids": Programme(diatoms.needle, 200, f"{DIATOMS}/Coscinodiscophytina/Rhizosoleniaceae", spread=0.4),
    "Chaetoceros": Programme(
        Chain((3, 11), 0.16, 0.22, setae=0.55), 110, f"{DIATOMS}/Bacillariophytina/Mediophyceae", spread=0.35
    ),
    "artefact": Programme(particles.bubble, 66, f"{DEAD}/artefact", spread=0.5),
    "pollen": Programme(particles.pollen, 72, f"{DEAD}/pollen", spread=0.15),
    "Codonaria": Programme(
        Lorica(0.5, bowl=-0.2, mouth=0.85, point=0.6, flare=0.55, shade=0.25), 80, f"{TINTINNIDS}/Dictyocystidae"
    ),
    "chainlarge": Programme(
        Chain((6, 18), 0.08, 0.08, shade=0.5, bend=0.2), 220, f"{DIATOMS}/Bacillariophytina/Bacillariophyceae"
    ),
    "Undellidae": Programme(Lorica(0.45, bowl=0.0, mouth=0.75, wall=0.08, shade=0.16), 74, TINTINNIDS),
    "egg (other)": Programme(animals.egg, 68, "living/other", spread=0.2),
    "Hemiaulus": Programme(
        Chain((2, 8), 0.2, 0.03, horned=True, bend=0.15), 120, f"{DIATOMS}/Bacillariophytina/Mediophyceae", spread=0.35
    ),
    "Dictyocysta": Programme(
        Lorica(0.48, bowl=-0.2, mouth=0.75, point=0.1, lattice=True, shade=0.3), 66, f"{TINTINNIDS}/Dictyocystidae"
    ),
    "Dinophysiales": Programme(dinoflagellates.sailed, 64, f"{DINOPHYCEAE}/Dinophysiales"),
    "Annelida": Programme(animals.worm, 130, "living/Eukaryota/Opisthokonta/Holozoa/Metazoa", spread=0.35),
    "Rhabdonella": Programme(
        Lorica(0.36, bowl=0.25, mouth=0.9, point=0.85, flare=0.15, rings=2, shade=0.22), 100, TINTINNIDS
    ),
    "Stenosemella": Programme(Lorica(0.6, bowl=-0.1, mouth=0.5, point=0.1, grains=40, shade=0.5), 60, TINTINNIDS),
    "Coscinodiscids": Programme(Disc(rings=1, spots=26, wall=0.06), 96, f"{DIATOMS}/Coscinodiscophytina"),
    "Retaria": Programme(animals.sun, 92, "living/Eukaryota/Harosa/Rhizaria", spread=0.35),
    "Pleurosigma": Programme(diatoms.sigmoid, 130, f"{DIATOMS}/Bacillariophytina/Bacillariophyceae"),
    "Ceratocorys horrida": Programme(dinoflagellates.spined, 92, f"{DINOPHYCEAE}/Gonyaulacales/Ceratocoryaceae"),
    "centric": Programme(Disc(rings=2, spots=8, wall=0.1), 56, f"{DIATOMS}/Coscinodiscophytina"),
    "Odontella (Mediophyceae)": Programme(diatoms.pillow, 90, f"{DIATOMS}/Bacillariophytina/Mediophyceae"),
    "Asterionellopsis": Programme(diatoms.star, 90, f"{DIATOMS}/Bacillariophytina/Bacillariophyceae"),
    "Cyttarocylis": Programme(
        Lorica(0.5, bowl=0.3, mouth=0.95, point=0.7, flare=0.3, wall=0.05, rings=4, shade=0.32), 120, TINTINNIDS
    ),
    "Lithodesmioides": Programme(
        Chain((3, 9), 0.17, 0.12, shade=0.4, bend=0.05), 130, f"{DIATOMS}/Bacillariophytina/Mediophyceae"
    ),
    "tempChaetoceros danicus": Programme(
        Chain((1, 2), 0.14, 0.5, setae=1.1, shade=0.55), 80, f"{DIATOMS}/Bacillariophytina/Mediophyceae"
    ),
    "Xystonellidae": Programme(Lorica(0.24, bowl=0.55, mouth=0.95, point=1.0, flare=0.2, shade=0.25), 140, TINTINNIDS),
    "Bacteriastrum": Programme(diatoms.wheel, 100, f"{DIATOMS}/Bacillariophytina/Mediophyceae"),
}

COMPANY = ("detritus", "Protoperidinium", "Dictyocysta", "egg (other)", "Undellidae", "nauplii (Crustacea)", "centric")
"""Compact taxa, drawn for `multiple (other)` and `badfocus (artefact)`."""
