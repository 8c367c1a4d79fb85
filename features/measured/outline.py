"""What is measured of the outline: perimeter, hull, calipers, and elliptic Fourier descriptors.

The outline is the chain of border pixels of each piece, holes filled. The hull is that of the midpoints of all pixels'
edges, of all pieces together, as scikit-image takes it; calipers are held at that hull.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .feature import Feature, ratio
from .geometry import ZOOPROCESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

HARMONICS = 12
AT_ONCE = 64  # hulls of about as many corners that are measured together
EDGES = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.int32)  # from a pixel's centre to its edges, in half pixels
EFD = "Kuhl & Giardina 1982, doi 10.1016/0146-664X(82)90034-X"

FEATURES = (
    Feature("perim.", "outline", "px", "Σ over pieces (length of the chain of border pixels, 1 or √2 a step, + π): the "
            "line half a pixel outside of the chain (Steiner's formula)", ZOOPROCESS),
    Feature("circ.", "outline", "", "4 · π · area / perim.², at most 1", ZOOPROCESS),
    Feature("circex", "outline", "", "4 · π · area_exc / perim.², at most 1", ZOOPROCESS),
    Feature("feret", "outline", "px", "largest distance of two points of the hull", ZOOPROCESS),
    Feature("minferet", "outline", "px", "least width of the hull between parallel lines, one of them along an edge",
            "scikit-image; Shamos 1978"),
    Feature("convarea", "outline", "px²", "area of the hull of the midpoints of pixel edges", ZOOPROCESS),
    Feature("convperim", "outline", "px", "perimeter of that hull", ZOOPROCESS),
    Feature("solidity", "outline", "", "area / convarea", "scikit-image"),
    Feature("convexity", "outline", "", "convperim / perim.", "ImageJ, shape descriptors"),
    Feature("perimareaexc", "outline", "", "perim. / √area_exc", ZOOPROCESS),
    Feature("feretareaexc", "outline", "", "feret / √area_exc", ZOOPROCESS),
    Feature("perimferet", "outline", "", "perim. / feret", ZOOPROCESS),
    Feature("perimmajor", "outline", "", "perim. / major", ZOOPROCESS),
    Feature("convperim_perim", "outline", "", "convperim / perim.", "FlowCam challenge"),
    Feature("convarea_area", "outline", "", "convarea / area", "FlowCam challenge"),
    *(Feature(f"efd{n}", "outline", "", f"√(a² + b² + c² + d²) of harmonic {n} of the outline of the largest piece, "
              "divided by that of harmonic 1", EFD) for n in range(2, HARMONICS + 1)),
)  # fmt: skip


def measure_outline(sheet: Sheet, known: Columns) -> Columns:
    """Measure outlines.

    Args:
        sheet: the objects.
        known: `area`, `area_exc` and `major` of each.

    """
    contours, _ = cv2.findContours(sheet.filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    chains = [np.ascontiguousarray(contour[:, 0], np.int32) for contour in contours]
    owners = sheet.owner_of_row[[chain[0, 1] for chain in chains]]
    lengths = np.array([cv2.arcLength(chain, closed=True) for chain in chains]) + np.pi
    perimeter = np.bincount(owners, weights=lengths, minlength=len(sheet)).astype(np.float64)
    hulls = hulls_of(chains, owners, len(sheet))
    longest, least = calipers(hulls)
    convarea = np.array([cv2.contourArea(hull) for hull in hulls]) / 4
    convperim = np.array([cv2.arcLength(hull, closed=True) for hull in hulls]) / 2
    area, area_exc = known["area"], known["area_exc"]
    return {
        "perim.": perimeter,
        "circ.": np.minimum(4 * np.pi * area / perimeter**2, 1),
        "circex": np.minimum(4 * np.pi * area_exc / perimeter**2, 1),
        "feret": longest,
        "minferet": least,
        "convarea": convarea,
        "convperim": convperim,
        "solidity": area / convarea,
        "convexity": convperim / perimeter,
        "perimareaexc": ratio(perimeter, np.sqrt(area_exc)),
        "feretareaexc": ratio(longest, np.sqrt(area_exc)),
        "perimferet": perimeter / longest,
        "perimmajor": ratio(perimeter, known["major"]),
        "convperim_perim": convperim / perimeter,
        "convarea_area": convarea / area,
        **fourier(_largest_chains(chains, owners, len(sheet))),
    }


def hulls_of(chains: Sequence[NDArray[np.int32]], owners: NDArray[np.int64], count: int) -> list[NDArray[np.int32]]:
    """Return the hull of the edge midpoints of each object's pixels.

    Args:
        chains: border pixels of each piece, x and y, int32 of shape (n_points, 2).
        owners: number of each piece's object, int64 of shape (n_pieces,).
        count: number of objects.

    Returns:
        Corners in half pixels, int32 of shape (n_corners, 2), of each object.

    """
    points: list[list[NDArray[np.int32]]] = [[] for _ in range(count)]
    for chain, owner in zip(chains, owners.tolist(), strict=True):
        points[owner].append(_hull(chain))
    return [_hull((2 * np.concatenate(parts)[:, None] + EDGES).reshape(-1, 2)) for parts in points]


def _hull(points: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(cv2.convexHull(points)[:, 0], np.int32)


def calipers(hulls: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Hold calipers at hulls: the largest distance of two corners, and the least width across an edge.

    These are the extremes that rotating calipers find (Shamos 1978): the largest distance is between two corners, and
    the least width is across an edge. All pairs are looked at, which is exact and for a few dozen corners quicker.

    Args:
        hulls: corners in half pixels, int32 of shape (n_corners, 2), in order along each hull.

    Returns:
        Both in pixels, float64 of shape (n_hulls,).

    """
    longest, least = np.empty(len(hulls)), np.empty(len(hulls))
    sizes = np.array([len(hull) for hull in hulls])
    order = np.argsort(sizes, kind="stable")
    for some in np.split(order, range(AT_ONCE, len(order), AT_ONCE)):
        each = np.arange(sizes[some[-1]])
        corners = np.stack([hulls[k][np.minimum(each, sizes[k] - 1)] for k in some])
        longest[some], least[some] = _calipers(corners.astype(np.float64))
    return longest / 2, least / 2


def _calipers(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `calipers`, of hulls with as many corners each, the last one repeated where need be."""
    x, y = corners[..., 0], corners[..., 1]
    square = (x[:, :, None] - x[:, None]) ** 2 + (y[:, :, None] - y[:, None]) ** 2
    along_x, along_y = np.roll(x, -1, axis=1) - x, np.roll(y, -1, axis=1) - y
    length = np.hypot(along_x, along_y)
    across = along_x[:, :, None] * y[:, None] - along_y[:, :, None] * x[:, None]
    spread = np.where(length > 0, across.max(axis=2) - across.min(axis=2), np.inf)
    width = np.divide(spread, length, out=np.full(length.shape, np.inf), where=length > 0)
    return np.sqrt(square.max(axis=(1, 2))), width.min(axis=1)


def _largest_chains(
    chains: Sequence[NDArray[np.int32]], owners: NDArray[np.int64], count: int
) -> list[NDArray[np.int32]]:
    """Return each object's longest chain of border pixels."""
    longest: list[NDArray[np.int32]] = [np.empty((0, 2), np.int32)] * count
    for chain, owner in zip(chains, owners.tolist(), strict=True):
        if len(chain) > len(longest[owner]):
            longest[owner] = chain
    return longest


def fourier(chains: Sequence[NDArray[np.int32]]) -> Columns:
    """Return the amplitudes of elliptic Fourier descriptors.

    The sum of squares of a harmonic's four coefficients (Kuhl & Giardina 1982, equation 15) does not change with
    rotation, mirroring or the first point; divided by the first harmonic's it does not change with size.

    Args:
        chains: closed chains of 8-connected pixels, int32 of shape (n_points, 2) each; one without a step has no
            amplitudes.

    Returns:
        `efd2` and on, float64 of shape (n_chains,) each.

    """
    counts = np.array([len(chain) for chain in chains])
    starts = np.cumsum(counts) - counts
    points = np.concatenate(chains).astype(np.float64)
    following = np.arange(1, len(points) + 1)
    following[starts + counts - 1] = starts
    step = points[following] - points
    length = np.hypot(step[:, 0], step[:, 1])
    upto = np.cumsum(length)
    begin = upto[starts] - length[starts]
    whole = np.add.reduceat(length, starts)
    share = np.repeat(ratio(1, whole), counts)
    after = np.exp(2j * np.pi * (upto - np.repeat(begin, counts)) * share)
    before = np.exp(2j * np.pi * (upto - length - np.repeat(begin, counts)) * share)
    speed = np.nan_to_num(step / np.where(length > 0, length, 1)[:, None])
    high, low = np.ones_like(after), np.ones_like(before)
    amplitudes = []
    for n in range(1, HARMONICS + 1):
        high, low = high * after, low * before
        x, y = (np.add.reduceat(speed[:, axis] * (high - low), starts) for axis in (0, 1))
        amplitudes.append(np.hypot(np.abs(x), np.abs(y)) / n**2)
    return {f"efd{n}": ratio(amplitudes[n - 1], amplitudes[0]) for n in range(2, HARMONICS + 1)}
