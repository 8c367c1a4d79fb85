"""Data for the script of a page: the cells of all confusion matrices and the scores per class of all tracks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..pictures.confusion_cells import cell_objects
from ..results.taxonomy import taxonomy_of

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..pictures.kept_pictures import ImageCopies
    from ..results.section import Section, TrackResult


@dataclass(frozen=True)
class Explorer:
    """The confusion matrices of a section with objects of their cells.

    Attributes:
        section: the results.
        pictures: stored images of the objects.
        chosen: objects of the cells, from `cell_objects`.

    """

    section: Section
    pictures: ImageCopies
    chosen: pd.DataFrame

    @classmethod
    def of(cls, section: Section, pictures: ImageCopies) -> Explorer:
        """Choose objects for every cell of a section."""
        return cls(section, pictures, cell_objects(section))

    @property
    def object_ids(self) -> list[str]:
        """The distinct objects; their positions are the numbers used on the page."""
        return list(dict.fromkeys(self.chosen["object_id"]))

    def to_json(self) -> dict[str, Any]:
        """Return classes, orders, tracks and cells as JSON values.

        A cell is [truth, predicted, count, numbers of some objects]; classes are numbered by size. F1 is None for a
        class without test objects.
        """
        names = [str(name) for name in self.section.class_sizes.index]
        numbers = {object_id: number for number, object_id in enumerate(self.object_ids)}
        return {
            "classes": names,
            "sizes": [int(size) for size in self.section.class_sizes],
            "orders": self._orders(names),
            "objects": list(numbers),
            "tracks": [self._track(track, names, numbers) for track in self.section.done],
        }

    def _orders(self, names: list[str]) -> dict[str, list[int]]:
        """Return the orders in which classes can be shown: by size, by name and, if it is known, by taxonomy."""
        places = taxonomy_of(self.section.runs[0]).places
        orders = {"size": list(range(len(names))), "name": sorted(range(len(names)), key=lambda k: names[k].lower())}
        if any(places.values()):
            known = [places.get(name, ()) for name in names]
            orders["taxonomy"] = sorted(orders["name"], key=lambda number: (not known[number], known[number]))
        return orders

    def _track(self, track: TrackResult, names: list[str], numbers: dict[str, int]) -> dict[str, Any]:
        counts = track.confusion.reindex(index=names, columns=names, fill_value=0).to_numpy()
        rows = self.chosen[self.chosen["track"] == track.name]
        objects = rows.groupby(["taxon", "predicted"])["object_id"].agg(list).to_dict()
        cells = [
            [int(t), int(p), int(counts[t, p]), [numbers[one] for one in objects.get((names[t], names[p]), [])]]
            for t, p in np.argwhere(counts)
        ]
        f1 = dict(zip(track.per_class["taxon"], track.per_class["f1"].round(4), strict=True))
        return {"name": track.name, "cells": cells, "f1": [f1.get(name) for name in names]}

    def write_pictures(self, path: Path) -> bool:
        """Write the images as a script, which the page loads when a cell is first shown; return whether there are any.

        A page opened with a double-click may load scripts from its folder, but no other kind of data.
        """
        addresses = [self.pictures.address(object_id) for object_id in self.object_ids]
        if not any(addresses):
            return False
        path.write_text(f"planktonbench.showPictures({json.dumps(addresses)});\n", encoding="utf-8")
        return True
