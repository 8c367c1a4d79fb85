"""What becomes of each feature when the image is turned by 90° or mirrored: a property that needs no other program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CHANGE_PLACES = {"width": "height", "symetrieh": "symetriev", "symetrieh_area": "symetriev_area"}
ORDERS = ((2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))
CHIRAL = ("hu7", "grey_hu7")  # Hu 1962: the seventh tells an image from its mirror image


def turned(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn an image of shape (height, width) by 90° anticlockwise."""
    return np.ascontiguousarray(np.rot90(image))


def mirrored(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Change right and left of an image of shape (height, width)."""
    return np.ascontiguousarray(image[:, ::-1])


def after_turn(values: Mapping[str, float]) -> dict[str, float]:
    """Return what the features of `turned` must be, from those of the image."""
    swapped = {one: values[other] for pair in CHANGE_PLACES.items() for one, other in (pair, pair[::-1])}
    moments = {f"nu{p}{q}": (-1) ** q * values[f"nu{q}{p}"] for p, q in ORDERS}
    return {**values, **swapped, **moments, "angle": (values["angle"] + 90) % 180}


def after_mirror(values: Mapping[str, float]) -> dict[str, float]:
    """Return what the features of `mirrored` must be, from those of the image."""
    moments = {f"nu{p}{q}": (-1) ** p * values[f"nu{p}{q}"] for p, q in ORDERS}
    chiral = {name: -values[name] for name in CHIRAL}
    return {**values, **moments, **chiral, "angle": -values["angle"] % 180}
