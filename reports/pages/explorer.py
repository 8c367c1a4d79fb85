"""What the page's script shows on demand: any cell of any confusion matrix, and any two tracks side by side."""

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
    """The matrices of a section with the objects behind their cells.

    Attributes:
        section: the results.
        pictures: images of the objects, as far as they are kept.
        chosen: from `cell_objects`.

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
        """The objects, each once; their order numbers them."""
        return list(dict.fromkeys(self.chosen["object_id"]))

    def to_json(self) -> dict[str, Any]:
        """Return classes, orders, tracks and cells as plain values.

        A cell is [truth, called, count, numbers of some objects]; classes are numbered by size. F1 of a class without
        scored objects is None.
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
        """Return the orders in which classes can be shown, by the word for it; by taxonomy where it is known."""
        places = taxonomy_of(self.section.runs[0]).places
        orders = {"size": list(range(len(names))), "name": sorted(range(len(names)), key=lambda k: names[k].lower())}
        if any(places.values()):
            known = [places.get(name, ()) for name in names]
            orders["taxonomy"] = sorted(orders["name"], key=lambda number: (not known[number], known[number]))
        return orders

    def _track(self, track: TrackResult, names: list[str], numbers: dict[str, int]) -> dict[str, Any]:
        counts = track.confusion.reindex(index=names, columns=names, fill_value=0).to_numpy()
        rows = self.chosen[self.chosen["track"] == track.name]
        behind = rows.groupby(["taxon", "predicted"])["object_id"].agg(list).to_dict()
        cells = [
            [int(t), int(c), int(counts[t, c]), [numbers[one] for one in behind.get((names[t], names[c]), [])]]
            for t, c in np.argwhere(counts)
        ]
        f1 = dict(zip(track.per_class["taxon"], track.per_class["f1"].round(4), strict=True))
        return {"name": track.name, "cells": cells, "f1": [f1.get(name) for name in names]}

    def write_pictures(self, path: Path) -> bool:
        """Write the images as a script that the page loads when a cell is first looked at; tell whether there are any.

        A page that was opened by double click may read a script beside it, and no other file.
        """
        addresses = [self.pictures.address(object_id) for object_id in self.object_ids]
        if not any(addresses):
            return False
        path.write_text(f"planktonbench.showPictures({json.dumps(addresses)});\n", encoding="utf-8")
        return True
