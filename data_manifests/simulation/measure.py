"""About twenty features of a simulated object, measured from its own pixels, under the names of the native table.

Names and definitions follow ZooProcess as FlowCam sets use it. Where the published numbers of the FlowCam challenge
contradict a definition, what was published is followed, since the table is to look like the real one: `area_exc` is the
area of the holes (published medians: %area 97.64 and area 2,435, so 57 px of holes; area_exc 61), `perimareaexc` and
`feretareaexc` are divided by it without a root, and `convarea_area` and `nb1_area` are divided by the rounded grey
level of the frame. The formula of `cdexc` was not published, so it is not among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = (
    "area", "meanimagegrey", "mean", "stddev", "min", "perim.", "width", "height", "major", "minor", "circ.", "feret",
    "intden", "median", "skew", "kurt", "%area", "area_exc", "histcum1", "histcum2", "histcum3", "nb1", "range",
    "perimareaexc", "feretareaexc", "convarea_area", "nb1_area",
)  # fmt: skip
WHITE = 255
LEVELS = 256
FOREGROUND_BELOW = 0.94  # of the background's grey level
DENSE_BELOW = 0.845  # of the background's grey level; what is lighter within an object is a hole
SMALLEST_PIECE = 9  # pixels
REACH = 4  # pixels by which the mask reaches beyond the dark ones, so that the rim of the object is measured
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def measure(image: NDArray[np.uint8], *, frame_known: bool = True) -> tuple[float, ...]:
    """Measure one image of an object on a light background.

    Args:
        image: grey levels, uint8 of shape (height, width).
        frame_known: whether the grey level of the frame was recorded; where not, `meanimagegrey` is 0 and what is
            divided by it is NaN.

    Returns:
        Values in the order of `FEATURES`; areas in px², lengths in px, grey levels from 0 (black) to 255 (background).
        NaN where a value is divided by zero.

    """
    level = _background(image)
    outer, holes = _mask(image, level)
    counts = cv2.calcHist([image], [0], outer, [LEVELS], [0, LEVELS]).ravel().astype(np.int64)
    grey = np.minimum(np.arange(LEVELS) * (WHITE / level), WHITE)
    area, hole_area = float(counts.sum()), float(np.count_nonzero(holes))
    frame = float(image.mean()) if frame_known else 0.0
    form = _form(outer)
    levels = _levels(grey[counts > 0], counts[counts > 0])
    darkest_quarter = image < np.searchsorted(grey, levels["histcum1"], "right")
    pieces = _pieces(darkest_quarter & (outer > 0))
    per_frame = 1 / round(frame) if round(frame) else np.nan
    per_hole = 1 / hole_area if hole_area else np.nan
    values = {
        **form,
        **levels,
        "area": area,
        "meanimagegrey": frame,
        "circ.": min(1.0, 4 * np.pi * area / form["perim."] ** 2),
        "intden": float(grey @ counts),
        "%area": 100 - 100 * hole_area / area,
        "area_exc": hole_area,
        "nb1": pieces,
        "perimareaexc": form["perim."] * per_hole,
        "feretareaexc": form["feret"] * per_hole,
        "convarea_area": form["convarea"] * per_frame,
        "nb1_area": pieces * per_frame,
    }
    return tuple(values[name] for name in FEATURES)


def _background(image: NDArray[np.uint8]) -> float:
    """Return the median grey level of the border, at least 1."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    return max(1.0, float(np.median(border)))


def _mask(image: NDArray[np.uint8], level: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the object's mask with its rim, holes filled, and the holes among its dark pixels; both 0 or 1.

    The object is the largest piece once the rim has joined what nearly touches. An image without dark pixels is
    an object as a whole.
    """
    smooth = cv2.blur(image, (3, 3))
    dark = (smooth < FOREGROUND_BELOW * level).astype(np.uint8)
    joined = cv2.dilate(dark, CROSS, iterations=REACH)
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outer = np.zeros_like(dark)
    if not contours:
        return np.ones_like(dark), outer
    largest = max(contours, key=cv2.contourArea)
    cv2.drawContours(outer, [largest], 0, 1, cv2.FILLED)
    dense = (image < DENSE_BELOW * level).astype(np.uint8)
    return outer, _holes(dense & outer)


def _holes(dense: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the holes of a mask."""
    contours, _ = cv2.findContours(dense, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros_like(dense)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled & (1 - dense)


def _form(outer: NDArray[np.uint8]) -> dict[str, float]:
    """Measure the outline: bounding box, ellipse of the same second moments, perimeter, feret, area of the hull."""
    contours, _ = cv2.findContours(outer, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contour = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(contour)[:, 0].astype(float)
    _, _, width, height = cv2.boundingRect(contour)
    moments = cv2.moments(outer, binaryImage=True)
    xx, yy, xy = (moments[name] / moments["m00"] for name in ("mu20", "mu02", "mu11"))
    root = np.sqrt((xx - yy) ** 2 + 4 * xy**2)
    major, minor = (4 * np.sqrt(max(xx + yy + sign * root, 0) / 2 + 1 / 12) for sign in (1, -1))
    feret = np.sqrt(((hull[:, None] - hull) ** 2).sum(axis=2).max()) + 1
    return {
        "width": float(width),
        "height": float(height),
        "major": float(major),
        "minor": float(minor),
        "perim.": float(cv2.arcLength(contour, closed=True)) + np.pi,
        "feret": float(feret),
        "convarea": float(cv2.contourArea(hull.astype(np.float32))) + 1,
    }


def _levels(grey: NDArray[np.float64], counts: NDArray[np.int64]) -> dict[str, float]:
    """Measure the grey levels of the mask; skew and kurt are 0 where all are the same.

    Args:
        grey: the levels that occur, in ascending order.
        counts: how many pixels have each.

    """
    shares = counts / counts.sum()
    mean = grey @ shares
    off = grey - mean
    square = off * off
    variance = square @ shares
    deviation = np.sqrt(variance)
    dark = grey < WHITE - 1
    quarters = _quantiles(grey[dark], counts[dark], (0.25, 0.5, 0.75)) if dark.any() else (0.0, 0.0, 0.0)
    return {
        "mean": float(mean),
        "stddev": float(deviation),
        "min": float(grey[0]),
        "median": float(np.round(_quantiles(grey, counts, (0.5,))[0])),
        "skew": float((square * off) @ shares / (variance * deviation or 1)),
        "kurt": float((square * square) @ shares / variance**2) - 3 if deviation else 0.0,
        "range": float(grey[-1] - grey[0]),
        **dict(zip(("histcum1", "histcum2", "histcum3"), map(float, np.round(quarters)), strict=True)),
    }


def _quantiles(grey: NDArray[np.float64], counts: NDArray[np.int64], shares: tuple[float, ...]) -> NDArray[np.float64]:
    """Return quantiles of counted levels, between two neighbours in proportion, as numpy's default does."""
    upto = np.cumsum(counts)
    position = (upto[-1] - 1) * np.array(shares)
    before = np.floor(position)
    lower, upper = (grey[np.searchsorted(upto, place, "right")] for place in (before, np.ceil(position)))
    return np.asarray(lower + (upper - lower) * (position - before), np.float64)


def _pieces(mask: NDArray[np.bool_]) -> float:
    """Count the pieces of a mask that are no specks."""
    _, _, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return float((facts[1:, cv2.CC_STAT_AREA] >= SMALLEST_PIECE).sum())
