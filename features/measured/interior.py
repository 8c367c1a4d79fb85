"""What is measured inside the outline: thickness, skeleton, symmetry, and how rough the boundary is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .feature import Feature
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .geometry import Ellipse
    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

RADII = (1, 2, 3, 4)  # pixels on both sides of the boundary; the margin of a sheet holds the largest
LARGEST_SKELETON = 512  # pixels a side; a larger object is reduced to it before it is thinned
WHITE = 255
TIE = 1e-6  # pixels by which rounding may move an image
END, FORK = 2, 4  # skeleton pixels among 3 × 3, that in the middle included
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

MIRROR = (
    "share of the pixels whose mirror image in the {axis} through the centroid is of the object, too; an image "
    "half-way between two pixels counts half for each"
)
FEATURES = (
    Feature("thickr", "interior", "", "largest / mean distance of a pixel from the nearest one outside, holes filled",
            ZOOPROCESS),
    Feature("thickmax", "interior", "px", "2 · that largest distance − 1: pixels across the thickest place", "here"),
    Feature("skelarea", "interior", "px", "number of pixels of the skeleton, holes left out",
            f"{ZOOPROCESS}; Zhang & Suen 1984, doi 10.1145/357994.358023"),
    Feature("skellength", "interior", "px", "links of the skeleton, 1 sideways and √2 across a corner that no sideways "
            "links join", "here"),
    Feature("skelends", "interior", "", "number of skeleton pixels with one neighbour", "here"),
    Feature("skelforks", "interior", "", "number of skeleton pixels with three neighbours or more", "here"),
    Feature("skeleton_area", "interior", "", "skelarea / area", "FlowCam challenge"),
    Feature("symetrieh", "interior", "", MIRROR.format(axis="horizontal line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriev", "interior", "", MIRROR.format(axis="vertical line"), f"{ZOOPROCESS}, name; here"),
    Feature("symetriehc", "interior", "", MIRROR.format(axis="major axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrievc", "interior", "", MIRROR.format(axis="minor axis"), f"{ZOOPROCESS}, name; here"),
    Feature("symetrieh_area", "interior", "", "symetrieh / area", "FlowCam challenge"),
    Feature("symetriev_area", "interior", "", "symetriev / area", "FlowCam challenge"),
    Feature("fractal", "interior", "", "2 − slope of log A(r) over log(r + ½), A(r) the number of pixels within r = "
            "1, 2, 3, 4 px of the boundary, holes' boundaries too", f"{ZOOPROCESS}; Bérubé & Jébrak 1999, Computers & "
            "Geosciences 25:1059"),
)  # fmt: skip


def measure_interior(sheet: Sheet, ellipse: Ellipse) -> Columns:
    """Measure thickness, skeleton, symmetry and roughness."""
    pixels = sheet.pixels
    depth = np.sqrt(sheet.square_depth)
    deepest = pixels.largest(depth)
    skeleton = skeletons(sheet)
    nothing = np.zeros(len(sheet))
    across, along = mirrored(sheet, ellipse, nothing), mirrored(sheet, ellipse, nothing + np.pi / 2)
    axis = np.where(ellipse.round, np.nan, ellipse.turn)
    return {
        "thickr": deepest / pixels.mean(depth),
        "thickmax": 2 * deepest - 1,
        **skeleton,
        "skeleton_area": skeleton["skelarea"] / pixels.area,
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

    An image that lies half-way between two pixels, as in a horizontal or vertical line through half of all centroids,
    counts half for each; other images count where they lie nearest.

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
    x = pixels.of_each(ellipse.x) + cosine * off_x + sine * off_y
    y = pixels.of_each(ellipse.y) + sine * off_x - cosine * off_y
    share = (_found(sheet, x + TIE, y + TIE) + _found(sheet, x - TIE, y - TIE)) / 2
    return np.where(np.isnan(turn), np.nan, share)


def _found(sheet: Sheet, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each object's places that lie nearest to one of its pixels."""
    pixels, (_, columns) = sheet.pixels, sheet.filled.shape
    column = np.clip(np.rint(x).astype(np.int64), 0, columns - 1)
    row = np.clip(np.rint(y).astype(np.int64), pixels.of_each(sheet.tops[:-1]), pixels.of_each(sheet.tops[1:] - 1))
    return pixels.mean(sheet.filled.ravel()[row * columns + column])


def boundary_dimension(sheet: Sheet) -> NDArray[np.float64]:
    """Return the Minkowski dimension of each object's boundary, from its "sausages" of growing radius.

    The boundary is the set of pixels of the object that touch the background sideways. D = 2 − slope of log A(r) over
    log (r + ½), half the width of a drawn sausage (after Bérubé & Jébrak 1999), by least squares: 1 for a drawn line.
    """
    boundary = sheet.mask - cv2.erode(sheet.mask, CROSS)
    tops = sheet.tops[:-1]
    near = (cv2.dilate(boundary, disc(r)).sum(axis=1) for r in RADII)
    areas = np.stack([np.add.reduceat(rows, tops) for rows in near], axis=1)
    widths = np.log(np.array(RADII) + 0.5)
    at = widths - widths.mean()
    return np.asarray(2 - np.log(areas) @ at / (at @ at), np.float64)


def disc(radius: int) -> NDArray[np.uint8]:
    """Return the pixels within a radius of the middle one, uint8 of shape (2 radius + 1, 2 radius + 1)."""
    along = np.arange(-radius, radius + 1)
    return np.asarray(along**2 + along[:, None] ** 2 <= radius**2, np.uint8)


def skeletons(sheet: Sheet) -> Columns:
    """Measure skeletons.

    An object larger than `LARGEST_SKELETON` is thinned as a reduced copy, and lengths are scaled back, since thinning
    takes as many passes over it as it is thick.
    """
    longer = max(sheet.mask.shape) if len(sheet) == 1 else 0
    if longer <= LARGEST_SKELETON:
        return _skeletons(sheet.mask, sheet.tops[:-1])
    factor = longer / LARGEST_SKELETON
    shape = [max(1, round(side / factor)) for side in sheet.mask.shape[::-1]]
    shares = cv2.resize(sheet.mask * np.uint8(WHITE), shape, interpolation=cv2.INTER_AREA)
    found = _skeletons(np.pad(shares > WHITE // 2, 1).astype(np.uint8), np.zeros(1, np.int64))
    return found | {name: factor * found[name] for name in ("skelarea", "skellength")}


def _skeletons(mask: NDArray[np.uint8], tops: NDArray[np.int64]) -> Columns:
    """Thin a mask and measure what is left, of the objects that begin in these rows."""
    from skimage.morphology import skeletonize

    thin = np.asarray(skeletonize(mask.astype(bool)), bool)
    right, below = thin[:, :-1] & thin[:, 1:], thin[:-1] & thin[1:]
    joined = right[:-1] | right[1:]
    falling, rising = thin[:-1, :-1] & thin[1:, 1:], thin[:-1, 1:] & thin[1:, :-1]
    links = right.sum(axis=1).astype(np.float64)
    links[:-1] += below.sum(axis=1) + np.sqrt(2) * ((falling | rising) & ~joined).sum(axis=1)
    around = cv2.boxFilter(thin.astype(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    rows = {
        "skelarea": thin.sum(axis=1),
        "skellength": links,
        "skelends": (thin & (around == END)).sum(axis=1),
        "skelforks": (thin & (around >= FORK)).sum(axis=1),
    }
    return {name: np.add.reduceat(values, tops).astype(np.float64) for name, values in rows.items()}
