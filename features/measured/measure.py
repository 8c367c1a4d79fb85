"""Measure many images at once: cut the objects out, lay them on sheets, and run every kernel once per sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from .catalogue import FEATURES, GROUPS
from .core import measure_core
from .geometry import ellipse_of, measure_geometry, moments
from .grey import measure_grey
from .interior import measure_interior
from .outline import measure_outline
from .polar import measure_polar
from .profile import measure_profile
from .sheet import Sheet, cut_out, sheets
from .texture import measure_texture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .segmentation import Segmentation

ALL = frozenset(GROUPS)
OF_NOTHING = dict.fromkeys(("area", "area_exc", "pieces", "holes"), 0.0)  # what is known when there is no object


def measure_chunk(
    images: Sequence[NDArray[np.uint8]],
    options: Segmentation,
    masks: Sequence[NDArray[np.uint8] | None] | None = None,
    *,
    groups: frozenset[str] = ALL,
) -> NDArray[np.float64]:
    """Measure the objects of images; what is measured of one does not depend on the others.

    Args:
        images: grey levels, uint8 of shape (height, width) each, at least one pixel.
        options: how objects are told from the background.
        masks: a mask for each image, of its shape, 0 or not; None segments it.
        groups: groups of features to measure; the columns of others are NaN.

    Returns:
        float64 of shape (n_images, n_features), columns as in the catalogue. Undefined values are NaN, never infinite.
        An image without an object has areas and counts of 0, and the grey level of the whole image.

    """
    cuts = [cut_out(image, mask, options) for image, mask in zip(images, masks or [None] * len(images), strict=True)]
    table = np.full((len(cuts), len(FEATURES)), np.nan)
    known = {**OF_NOTHING, "meanimagegrey": np.array([cut.frame for cut in cuts])}
    wanted = [(column, feature.name) for column, feature in enumerate(FEATURES) if feature.group in groups]
    for column, name in wanted:
        table[:, column] = known.get(name, np.nan)
    with threadpool_limits(1, user_api="blas"):  # its products are small: further threads wait more than they work
        for rows in sheets(cuts):
            measured = measure_sheet(Sheet.of([cuts[row] for row in rows]), groups)
            for column, name in wanted:
                table[rows, column] = measured[name]
    return table


def measure_sheet(sheet: Sheet, groups: frozenset[str] = ALL) -> dict[str, NDArray[np.float64]]:
    """Measure the objects of a sheet; sizes and moments always, since others are built on them.

    Returns:
        Values by name of feature, float64 of shape (n_objects,) each.

    """
    mu = moments(sheet, sheet.filled, binary=True)
    ellipse = ellipse_of(sheet, mu)
    found = measure_geometry(sheet, mu, ellipse)
    if {"outline", "core"} & groups:
        found |= measure_outline(sheet, found)
    if "interior" in groups:
        found |= measure_interior(sheet, ellipse)
    if "grey" in groups:
        found |= measure_grey(sheet, ellipse)
    if "texture" in groups:
        found |= measure_texture(sheet)
    if "profile" in groups:
        found |= measure_profile(sheet, ellipse)
    if "polar" in groups:
        found |= measure_polar(sheet)
    if "core" in groups:
        found |= measure_core(sheet, ellipse, found)
    return found
