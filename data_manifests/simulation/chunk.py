"""A chunk of a simulated set: its objects drawn, photographed and measured, as text and bytes for the files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .imaging import photograph
from .populations import Population
from .stations import Station
from .taxa import PROGRAMMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .composition import Composition
    from .native_table import NativeTable

VERSION = 6  # of the simulator; the same version and seed draw the same objects
FIRST_ID, ID_STEP = 32_000_000, 7
FRAME_UNKNOWN = 6854 / 243_610  # share of rows without the grey level of their frame, as published
HOLES_UNKNOWN = 34_428 / 243_610  # share of rows without features of the holes, as published
QUICK_COMPRESSION = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE),  # noise is not foretold by its neighbours
)


@dataclass(frozen=True)
class SimulationSettings:
    """What is simulated; the same recipe makes the same files.

    Attributes:
        name: data set that is imitated.
        objects: number of objects.
        seed: seed of everything.

    """

    name: str
    objects: int
    seed: int

    def to_text(self) -> str:
        """Write what the file beside the tables says."""
        facts = {
            "simulated": True,
            "what": "Drawings by a program in the manner of the data set. No photographs, no results of real plankton.",
            "program": "planktonbench data simulate",
            "version": VERSION,
            "data_set": self.name,
            "objects": self.objects,
            "seed": self.seed,
        }
        return json.dumps(facts, indent=1) + "\n"


@dataclass(frozen=True)
class DrawnChunk:
    """The files' share of one chunk."""

    meta: str
    native: str
    images: list[tuple[str, bytes]]


def draw_chunk(recipe: SimulationSettings, start: int, composition: Composition, table: NativeTable) -> DrawnChunk:
    """Draw, photograph and measure objects; each has a generator of its own, so that chunks can be drawn anywhere.

    Args:
        recipe: what is simulated.
        start: number of the first object.
        composition: taxa and samples of these objects.
        table: measures them.

    """
    cv2.setNumThreads(1)
    meta, ids, images, drawn = [], [], [], []
    for row in range(len(composition.taxon)):
        index = start + row
        object_id = FIRST_ID + ID_STEP * index
        taxon = composition.taxa[composition.taxon[row]]
        sample = int(composition.sample[row])
        station, population = Station.of(recipe.seed, sample), Population.of(recipe.seed, sample, taxon)
        rng = np.random.default_rng([recipe.seed, index])
        programme = PROGRAMMES[taxon]
        body = programme.body(rng, population, station.conditions.magnification)
        image = photograph(body, station.conditions, rng)
        ids.append(object_id)
        images.append(image)
        drawn.append(rng.random(2))
        meta.append(station.row(object_id, programme.lineage, taxon if composition.labelled[row] else "", rng))
    frame, holes = np.array(drawn).T
    values = table.of(images, frame >= FRAME_UNKNOWN, holes >= HOLES_UNKNOWN).tolist()
    line = "{}.0" + len(table.names) * ",{:.6g}"
    native = [line.format(name, *row).replace("nan", "") for name, row in zip(ids, values, strict=True)]
    return DrawnChunk("\n".join(meta) + "\n", "\n".join(native) + "\n", list(map(_encoded, ids, images)))


def _encoded(object_id: int, image: NDArray[np.uint8]) -> tuple[str, bytes]:
    """Return name and bytes of an image in the archive."""
    return f"imgs/{object_id}.png", cv2.imencode(".png", image, QUICK_COMPRESSION)[1].tobytes()
