"""Native feature table of simulated data sets: the columns of the FlowCam challenge that are measured here.

The columns are in the order of the published table. `cdexc` is omitted because its formula was not published; texture,
skeleton, thickness and symmetry are omitted because measuring them would take longer than drawing an object.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ...data_manifests.simulation.native_table import NativeTable
from .catalogue import NAMES
from .measure import measure_chunk
from .objects.segmentation import Ground, Segmentation
from .readiness import make_ready

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLUMNS = (
    "area", "meanimagegrey", "mean", "stddev", "min", "perim.", "width", "height", "major", "minor", "angle", "circ.",
    "feret", "intden", "median", "skew", "kurt", "%area", "area_exc", "slope", "histcum1", "histcum2", "histcum3",
    "nb1", "nb2", "nb3", "convperim", "convarea", "esd", "elongation", "range", "meanpos", "centroids", "cv", "sr",
    "perimareaexc", "feretareaexc", "perimferet", "perimmajor", "circex", "kurt_mean", "skew_mean", "convperim_perim",
    "convarea_area", "nb1_area", "nb2_area", "nb3_area", "nb1_range", "nb2_range", "nb3_range", "median_mean",
    "median_mean_range",
)  # fmt: skip
GROUPS = frozenset({"geometry", "hull", "outline", "grey", "quartiles"})
WHITE = 255
PLACES = [NAMES.index(name) for name in COLUMNS]
FRAME = NAMES.index("meanimagegrey")


def measure_challenge(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Measure images of objects on a light background after scaling the background to white.

    The published table was measured this way: half of its objects have a median of 255 in frames with
    a mean grey level of 165. `meanimagegrey` is that of the original image.

    Returns:
        The values of `COLUMNS`, float64 of shape (n_images, n_columns).

    """
    values = measure_chunk([_whitened(image) for image in images], Segmentation(background="light"), groups=GROUPS)
    values[:, FRAME] = [image.mean() for image in images]
    return values[:, PLACES]


def _whitened(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image with its background scaled to white, uint8 of the same shape."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=WHITE / max(1.0, Ground.of(image, "light").level)), np.uint8)


CHALLENGE_TABLE = NativeTable(COLUMNS, measure_challenge, partial(make_ready, GROUPS))
