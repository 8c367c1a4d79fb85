"""Native table of a simulated data set; the measuring function is passed in, since it belongs to a higher layer."""

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
        names: names of the columns.
        measure: takes images of objects on a light background, each uint8 of shape (height, width); returns float64 of
            shape (n_images, n_names), NaN where undefined. It must be a module-level function, so that it can be
            pickled.
        make_ready: called once before worker processes measure.

    """

    names: tuple[str, ...]
    measure: Callable[[Sequence[NDArray[np.uint8]]], NDArray[np.float64]]
    make_ready: Callable[[], object]

    def of(
        self, images: Sequence[NDArray[np.uint8]], frame_known: NDArray[np.bool_], holes_known: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Measure images, with values missing as in the published table of the FlowCam challenge.

        There, features divided by the area of the holes are missing for one object in seven, and features divided by
        the grey level of the frame are missing where it was not recorded and is given as 0.

        Args:
            images: images as for `measure`.
            frame_known: whether the grey level of the frame is given, bool of shape (n_images,).
            holes_known: whether the hole features are given, bool of shape (n_images,).

        """
        values = self.measure(images)
        for names, known in ((NEEDS_HOLES, holes_known), (NEEDS_FRAME, frame_known)):
            for name in names:
                values[~known, self.names.index(name)] = np.nan
        values[~frame_known, self.names.index(FRAME)] = 0
        return values
