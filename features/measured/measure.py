"""Batch measurement of images: objects are cropped and arranged in mosaics, and each kernel runs once per mosaic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from .catalogue import FEATURES, GROUPS
from .groups.angular import measure_angular
from .groups.boundary import measure_boundary
from .groups.contrast import measure_contrast
from .groups.cooccurrence import measure_cooccurrence
from .groups.core import measure_core
from .groups.fourier import measure_fourier
from .groups.geometry import measure_geometry
from .groups.gradients import measure_gradients
from .groups.granulometry import measure_granulometry
from .groups.grey import measure_grey
from .groups.hull import measure_hull
from .groups.outline import measure_outline
from .groups.patterns import measure_patterns
from .groups.polar import measure_polar
from .groups.profile import measure_profile
from .groups.quartiles import measure_quartiles
from .groups.skeleton import measure_skeleton
from .groups.smoothed import measure_smoothed
from .groups.symmetry import measure_symmetry
from .groups.thickness import measure_thickness
from .objects.crop import crop_objects
from .objects.mosaic import Mosaic, mosaics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .objects.segmentation import Segmentation

    Columns = dict[str, NDArray[np.float64]]

ALL = frozenset(GROUPS)
BASE_GROUPS: dict[str, Callable[[Mosaic], Columns]] = {
    "geometry": measure_geometry,
    "fourier": measure_fourier,
    "thickness": measure_thickness,
    "skeleton": measure_skeleton,
    "symmetry": measure_symmetry,
    "boundary": measure_boundary,
    "grey": measure_grey,
    "contrast": measure_contrast,
    "cooccurrence": measure_cooccurrence,
    "patterns": measure_patterns,
    "smoothed": measure_smoothed,
    "gradients": measure_gradients,
    "granulometry": measure_granulometry,
    "profile": measure_profile,
    "polar": measure_polar,
    "angular": measure_angular,
}
DERIVED_GROUPS: dict[str, Callable[[Mosaic, Columns], Columns]] = {
    "hull": measure_hull,
    "outline": measure_outline,
    "quartiles": measure_quartiles,
    "core": measure_core,
}
DEPENDENCIES = {
    "hull": ("geometry",),
    "outline": ("geometry", "hull"),
    "quartiles": ("geometry", "grey"),
    "core": ("geometry", "hull", "outline"),
}
"""Groups whose values the groups in `DERIVED_GROUPS` use."""
WITHOUT_OBJECT = dict.fromkeys(("area", "area_exc", "pieces", "holes"), 0.0)  # values of an image without an object


def measure_chunk(
    images: Sequence[NDArray[np.uint8]],
    options: Segmentation,
    masks: Sequence[NDArray[np.uint8] | None] | None = None,
    *,
    groups: frozenset[str] = ALL,
) -> NDArray[np.float64]:
    """Measure the objects of images; the values of one image do not depend on the others.

    Args:
        images: grey levels, uint8 of shape (height, width) each, at least one pixel.
        options: how objects are segmented.
        masks: a mask of the same shape for each image, non-zero on the object; None segments the image.
        groups: groups of features to measure; the columns of other groups are NaN.

    Returns:
        float64 of shape (n_images, n_features), columns as in the catalogue. Undefined values are NaN, never infinite.
        For an image without an object, only the areas and counts, which are 0, and `meanimagegrey` are defined.

    """
    crops = [
        crop_objects(image, mask, options) for image, mask in zip(images, masks or [None] * len(images), strict=True)
    ]
    table = np.full((len(crops), len(FEATURES)), np.nan)
    known = {**WITHOUT_OBJECT, "meanimagegrey": np.array([crop.frame for crop in crops])}
    wanted = [(column, feature.name) for column, feature in enumerate(FEATURES) if feature.group in groups]
    for column, name in wanted:
        table[:, column] = known.get(name, np.nan)
    with threadpool_limits(1, user_api="blas"):  # the matrix products are small: more threads would mostly wait
        for rows in mosaics(crops):
            measured = measure_mosaic(Mosaic.of([crops[row] for row in rows]), groups)
            for column, name in wanted:
                table[rows, column] = measured[name]
    return table


def measure_mosaic(mosaic: Mosaic, groups: frozenset[str] = ALL) -> Columns:
    """Measure the requested groups of features, and those that they use, of the objects in a mosaic.

    Returns:
        Values by feature name, float64 of shape (n_objects,) each.

    """
    needed = groups.union(*(DEPENDENCIES.get(group, ()) for group in groups))
    found: Columns = {}
    for group in BASE_GROUPS.keys() & needed:
        found |= BASE_GROUPS[group](mosaic)
    for group, measure in DERIVED_GROUPS.items():
        if group in needed:
            found |= measure(mosaic, found)
    return found
