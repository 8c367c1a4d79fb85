"""Expected values of features after rotating an image by 90° or mirroring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SWAPPED = {"width": "height", "symetrieh": "symetriev", "symetrieh_area": "symetriev_area"}
ORDERS = ((2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))
CHIRAL = ("hu7", "grey_hu7")  # Hu 1962: the seventh distinguishes mirror images


def turned(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rotate an image of shape (height, width) by 90° anticlockwise."""
    return np.ascontiguousarray(np.rot90(image))


def mirrored(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mirror an image of shape (height, width) horizontally."""
    return np.ascontiguousarray(image[:, ::-1])


def after_turn(values: Mapping[str, float]) -> dict[str, float]:
    """Return the expected features of the rotated image from those of the original."""
    swapped = {one: values[other] for pair in SWAPPED.items() for one, other in (pair, pair[::-1])}
    moments = {f"nu{p}{q}": (-1) ** q * values[f"nu{q}{p}"] for p, q in ORDERS}
    return {**values, **swapped, **moments, "angle": (values["angle"] + 90) % 180}


def after_mirror(values: Mapping[str, float]) -> dict[str, float]:
    """Return the expected features of the mirrored image from those of the original."""
    moments = {f"nu{p}{q}": (-1) ** p * values[f"nu{p}{q}"] for p, q in ORDERS}
    chiral = {name: -values[name] for name in CHIRAL}
    return {**values, **moments, **chiral, "angle": -values["angle"] % 180}
