"""The columns of the FlowCam challenge's native table, as far as they are measured here, for simulated sets.

They stand in the order of the published table. `cdexc` is not among them, since its formula was not published, nor are
those of texture, skeleton, thickness and symmetry, which would take longer to measure than an object takes to draw.
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
    """Measure images of objects on a light background, which is made white first.

    The published table was measured so: half of its objects have a median of 255 in frames of a mean grey level of 165.
    The grey level of the frame is that of the image as it was.

    Returns:
        The columns, float64 of shape (n_images, n_columns).

    """
    values = measure_chunk([_whitened(image) for image in images], Segmentation(background="light"), groups=GROUPS)
    values[:, FRAME] = [image.mean() for image in images]
    return values[:, PLACES]


def _whitened(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image whose background is white, uint8 of its shape."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=WHITE / max(1.0, Ground.of(image, "light").level)), np.uint8)


CHALLENGE_TABLE = NativeTable(COLUMNS, measure_challenge, partial(make_ready, GROUPS))
