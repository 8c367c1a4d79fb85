"""What is measured inside the outline: thickness, skeleton, symmetry, and how rough the boundary is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .feature import Feature, ratio
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .geometry import Ellipse
    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

RADII = (1, 2, 3, 4)  # pixels on both sides of the boundary; the margin of a sheet holds the largest
LARGEST_SKELETON = 512  # pixels a side; a larger object is reduced to it before it is thinned
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

MIRROR = "share of the pixels whose mirror image in the {axis} through the centroid is of the object, too"
FEATURES = (
    Feature("thickr", "interior", "", "largest / mean distance of a pixel from the nearest one outside, holes filled",
            ZOOPROCESS),
    Feature("thickmax", "interior", "px", "2 · that largest distance − 1: pixels across the thickest place", "here"),
    Feature("skelarea", "interior", "px", "number of pixels of the skeleton, holes left out",
            f"{ZOOPROCESS}; Zhang & Suen 1984, doi 10.1145/357994.358023"),
    Feature("skellength", "interior", "px", "links of the skeleton, 1 sideways and √2 across a corner that no sideways "
            "links join", "here"),
    Feature("skeleton_area", "interior", "", "skelarea / area", "FlowCam challenge"),
    Feature("symetrieh", "interior", "", MIRROR.format(axis="horizontal line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriev", "interior", "", MIRROR.format(axis="vertical line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriehc", "interior", "", MIRROR.format(axis="major axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrievc", "interior", "", MIRROR.format(axis="minor axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrieh_area", "interior", "", "symetrieh / area", "FlowCam challenge"),
    Feature("symetriev_area", "interior", "", "symetriev / area", "FlowCam challenge"),
    Feature("fractal", "interior", "", "2 − slope of log A(r) over log r, A(r) the number of pixels within r = 1, 2, 3, "
            "4 px of the boundary, holes' boundaries too", f"{ZOOPROCESS}; Bérubé & Jébrak 1999, doi "
            "10.1016/S0098-3004(99)00037-9"),
)  # fmt: skip


def measure_interior(sheet: Sheet, ellipse: Ellipse) -> Columns:
    """Measure thickness, skeleton, symmetry and roughness."""
    pixels = sheet.pixels
    depth = cv2.distanceTransform(sheet.filled, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).ravel()[pixels.place]
    deepest = pixels.largest(depth)
    skeleton, length = skeletons(sheet)
    nothing = np.zeros(len(sheet))
    across, along = mirrored(sheet, ellipse, nothing), mirrored(sheet, ellipse, nothing + np.pi / 2)
    axis = np.where(ellipse.round, np.nan, ellipse.turn)
    return {
        "thickr": deepest / pixels.mean(depth),
        "thickmax": 2 * deepest - 1,
        "skelarea": skeleton,
        "skellength": length,
        "skeleton_area": skeleton / pixels.area,
        "symetrieh": across,
        "symetriev": along,
        "symetriehc": mirrored(sheet, ellipse, axis),
        "symetrievc": mirrored(sheet, ellipse, axis + np.pi / 2),
        "symetrieh_area": across / pixels.area,
        "symetriev_area": along / pixels.area,
        "fractal": boundary_dimension(sheet),
    }


def mirrored(sheet: Sheet, ellipse: Ellipse, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each object's pixels whose mirror image is of the object, too.

    Args:
        sheet: the objects.
        ellipse: their centroids.
        turn: angle of each object's mirror line with the x axis in radians, towards the y axis, which points down; NaN
            gives NaN.

    """
    pixels = sheet.pixels
    known = np.nan_to_num(turn)
    cosine, sine = pixels.of_each(np.cos(2 * known)), pixels.of_each(np.sin(2 * known))
    off_x, off_y = pixels.x - pixels.of_each(ellipse.x), pixels.y - pixels.of_each(ellipse.y)
    x = np.rint(pixels.of_each(ellipse.x) + cosine * off_x + sine * off_y).astype(np.int64)
    y = np.rint(pixels.of_each(ellipse.y) + sine * off_x - cosine * off_y).astype(np.int64)
    first, last = sheet.tops[:-1], sheet.tops[1:] - 1
    x = np.clip(x, 0, sheet.filled.shape[1] - 1)
    y = np.clip(y, np.repeat(first, pixels.area), np.repeat(last, pixels.area))
    share = pixels.mean(sheet.filled.ravel()[y * sheet.filled.shape[1] + x])
    return np.where(np.isnan(turn), np.nan, share)


def boundary_dimension(sheet: Sheet) -> NDArray[np.float64]:
    """Return the Minkowski dimension of each object's boundary, from its "sausages" of growing radius.

    The boundary is the set of pixels of the object that touch the background sideways. D = 2 − slope of log A(r) over
    log r (Bérubé & Jébrak 1999), by least squares.
    """
    inner = cv2.erode(sheet.mask, CROSS)
    away = cv2.distanceTransform(1 - (sheet.mask - inner), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    tops = sheet.tops[:-1]
    areas = np.stack([np.add.reduceat((away <= r).sum(axis=1), tops) for r in RADII], axis=1)
    at = np.log(RADII) - np.log(RADII).mean()
    return np.asarray(2 - np.log(areas) @ at / (at @ at), np.float64)


def skeletons(sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the number of pixels of each object's skeleton, and the length of its links in pixels.

    An object larger than `LARGEST_SKELETON` is thinned as a reduced copy, and both are scaled back, since thinning
    takes as many passes over it as it is thick.
    """
    longer = max(sheet.mask.shape[1], int(np.diff(sheet.tops).max())) if len(sheet) == 1 else 0
    if longer <= LARGEST_SKELETON:
        return _skeletons(sheet.mask, sheet.tops[:-1])
    factor = longer / LARGEST_SKELETON
    shape = [max(1, round(side / factor)) for side in sheet.mask.shape[::-1]]
    reduced = np.asarray(cv2.resize(sheet.mask * np.uint8(255), shape, interpolation=cv2.INTER_AREA) > 127, np.uint8)  # noqa: PLR2004
    area, length = _skeletons(np.pad(reduced, 1), np.zeros(1, np.int64))
    return area * factor, length * factor


def _skeletons(mask: NDArray[np.uint8], tops: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from skimage.morphology import skeletonize

    thin = skeletonize(mask.astype(bool))
    right, below = thin[:, :-1] & thin[:, 1:], thin[:-1] & thin[1:]
    joined = right[:-1] | right[1:]
    falling, rising = thin[:-1, :-1] & thin[1:, 1:], thin[:-1, 1:] & thin[1:, :-1]
    across = ((falling | rising) & ~joined).sum(axis=1)
    links = right.sum(axis=1).astype(np.float64)
    links[:-1] += below.sum(axis=1) + np.sqrt(2) * across
    return np.add.reduceat(thin.sum(axis=1), tops).astype(np.float64), np.add.reduceat(links, tops)
