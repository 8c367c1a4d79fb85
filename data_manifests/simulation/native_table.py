"""The native table of a simulated set: who measures it is handed in, since measuring is done a floor above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

FRAME = "meanimagegrey"
NEEDS_FRAME = ("convarea_area", "nb1_area", "nb2_area", "nb3_area")
NEEDS_HOLES = ("perimareaexc", "feretareaexc")


@dataclass(frozen=True)
class NativeTable:
    """Columns of a simulated native table.

    Attributes:
        names: their names.
        measure: takes images, uint8 of shape (height, width) each, of objects on a light background; returns float64 of
            shape (n_images, n_names), NaN where undefined. A function of a module, so that other processes find it.
        make_ready: called once before processes measure.

    """

    names: tuple[str, ...]
    measure: Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float64]]
    make_ready: Callable[[], object]

    def of(
        self, images: Sequence[NDArray[np.uint8]], frame_known: NDArray[np.bool_], holes_known: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure images, and leave out what the published table of the FlowCam challenge has not.

        There, what was divided by the area of the holes is missing in one object of seven, and what was divided by the
        grey level of the frame where that was not recorded and stands as 0.

        Args:
            images: as `measure` takes them.
            frame_known: whether the grey level of each frame is told, bool of shape (n_images,).
            holes_known: whether features of the holes are, bool of shape (n_images,).

        """
        values = self.measure(images)
        for names, known in ((NEEDS_HOLES, holes_known), (NEEDS_FRAME, frame_known)):
            for name in names:
                values[~known, self.names.index(name)] = np.nan
        values[~frame_known, self.names.index(FRAME)] = 0
        return values
