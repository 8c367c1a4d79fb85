"""Chunk of a simulated data set: objects drawn, imaged and measured, as text and bytes to write to the files."""

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

VERSION = 6  # of the simulator; the same version and seed give the same objects
FIRST_ID, ID_STEP = 32_000_000, 7
FRAME_UNKNOWN = 6854 / 243_610  # share of rows without the grey level of the frame, as published
HOLES_UNKNOWN = 34_428 / 243_610  # share of rows without hole features, as published
QUICK_COMPRESSION = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE),  # noise cannot be predicted from neighbouring pixels
)


@dataclass(frozen=True)
class SimulationSettings:
    """Settings of a simulation; the same settings give the same files.

    Attributes:
        name: name of the imitated data set.
        objects: number of objects.
        seed: seed of all random numbers.

    """

    name: str
    objects: int
    seed: int

    def to_text(self) -> str:
        """Return the text of the marker file."""
        facts = {
            "simulated": True,
            "what": "Drawings by a program, similar to the data set; no photographs. Results are not on real plankton.",
            "program": "planktonbench data simulate",
            "version": VERSION,
            "data_set": self.name,
            "objects": self.objects,
            "seed": self.seed,
        }
        return json.dumps(facts, indent=1) + "\n"


@dataclass(frozen=True)
class DrawnChunk:
    """Content of one chunk for each file."""

    meta: str
    native: str
    images: list[tuple[str, bytes]]


def draw_chunk(settings: SimulationSettings, start: int, composition: Composition, table: NativeTable) -> DrawnChunk:
    """Draw, image and measure objects; each has its own generator, so chunks can be drawn in any process.

    Args:
        settings: settings of the simulation.
        start: number of the first object.
        composition: taxa and samples of these objects.
        table: columns of the native table and the function that measures them.

    """
    cv2.setNumThreads(1)
    meta, ids, images, drawn = [], [], [], []
    for row in range(len(composition.taxon)):
        index = start + row
        object_id = FIRST_ID + ID_STEP * index
        taxon = composition.taxa[composition.taxon[row]]
        sample = int(composition.sample[row])
        station, population = Station.of(settings.seed, sample), Population.of(settings.seed, sample, taxon)
        rng = np.random.default_rng([settings.seed, index])
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
