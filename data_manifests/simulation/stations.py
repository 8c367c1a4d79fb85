"""Samples of a simulated data set: place, date and imaging conditions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Self

import numpy as np

from ..seeds import derived_seed
from .imaging import Conditions, draw_conditions

META_COLUMNS = (
    "objid", "projid", "id", "status", "latitude", "longitude", "objdate", "objtime", "depth_min", "depth_max",
    "unique_name", "lineage", "level1", "level2",
)  # fmt: skip
FIRST_DAY, DAYS = date(2000, 1, 1), 2000  # fictitious


@dataclass(frozen=True)
class Station:
    """One sample.

    Attributes:
        number: number of the sample.
        latitude: degrees north.
        longitude: degrees east.
        day: date of sampling.
        depth: maximum depth in metres.
        conditions: imaging conditions.

    """

    number: int
    latitude: float
    longitude: float
    day: date
    depth: int
    conditions: Conditions

    @classmethod
    @cache
    def of(cls, seed: int, number: int) -> Self:
        """Return a sample of the simulation with this seed."""
        rng = np.random.default_rng(derived_seed(seed=seed, sample=number, purpose="sample"))
        return cls(
            number=number,
            latitude=round(float(rng.uniform(43.4, 43.7)), 4),
            longitude=round(float(rng.uniform(7.2, 7.5)), 4),
            day=FIRST_DAY + timedelta(days=int(rng.integers(DAYS))),
            depth=int(rng.integers(5, 76)),
            conditions=draw_conditions(rng),
        )

    def row(self, object_id: int, lineage: str, taxon: str, rng: np.random.Generator) -> str:
        """Return the line of an object in the object table; `lineage` is that of the parent of its taxon."""
        second = int(rng.integers(86_400))
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        cells = (
            object_id, 1, object_id, "simulated", self.latitude, self.longitude, self.day.isoformat(), clock, 0,
            self.depth, f"simulated-{self.number:03d}", f"{lineage}/{taxon}".strip("/") if taxon else "", taxon, taxon,
        )  # fmt: skip
        return ",".join(map(str, cells))
