"""What was measured: some images with the outline of their segmentation, kept with the results for the report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .kept_pictures import KeptPictures, Picture, encoded, images_at_random

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset

    Segment = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

OUTLINES = "outlines"
TAXA, PER_TAXON = 12, 4
SIDE = 160  # pixels of the longer side; small images are enlarged towards it by a whole factor, large ones shrunk to it
COLOUR = (40, 60, 230)  # of the outline: blue, green, red
WHITE = 255


@dataclass(frozen=True)
class OutlinePictures:
    """The stored pictures of a data set.

    Attributes:
        path: parquet file with taxon, object_id, png (encoded picture) and state (of what was measured, in words or as
            a hash), the largest taxon first.

    """

    path: Path

    @cached_property
    def kept(self) -> KeptPictures:
        """The pictures."""
        return KeptPictures(self.path, ("taxon", "object_id", "png"))

    @property
    def by_taxon(self) -> dict[str, list[Picture]]:
        """The pictures of each taxon."""
        groups = self.kept.table.groupby("taxon", sort=False)
        return {
            str(taxon): [
                Picture.of(object_id, png) for object_id, png in zip(rows["object_id"], rows["png"], strict=True)
            ]
            for taxon, rows in groups
        }


def outlines_of(out: Path, dataset: str) -> OutlinePictures:
    """Return the pictures that a results folder keeps of a data set."""
    return OutlinePictures(out / OUTLINES / f"{dataset}.parquet")


def keep_outlines(out: Path, dataset: Dataset, segment: Segment, state: str) -> None:
    """Keep pictures of what was measured: some images, drawn by lot, of some taxa from the largest to the smallest.

    Args:
        out: the results folder.
        dataset: an opened data set with images.
        segment: gives the mask of an image: of its width, and of its height without rows cut off at the bottom.
        state: tells what was measured apart; pictures of another state are drawn again.

    """
    kept = outlines_of(out, dataset.name).kept
    if dataset.images is None or kept.shows(state):
        return
    drawn = images_at_random(dataset, TAXA, PER_TAXON)
    kept.keep(((taxon, one, encoded(outlined(image, segment(image)))) for taxon, one, image in drawn), state)


def outlined(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw the outline of what was measured around it, on a copy that is enlarged or shrunk to be seen well.

    Args:
        image: grey levels, uint8 of shape (height, width).
        mask: 1 on the object, 0 elsewhere, uint8 of the same width; rows that it lacks at the bottom were cut off.

    Returns:
        uint8 of shape (height, width, 3), blue, green and red; rows that were cut off are pale.

    """
    import cv2

    rows, columns = image.shape
    longest = max(rows, columns)
    factor = max(1, SIDE // longest) if longest <= SIDE else SIDE / longest
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    whole = np.zeros_like(image)
    whole[: len(mask)] = mask
    grey = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST if factor >= 1 else cv2.INTER_AREA)
    large = cv2.resize(whole, size, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    cut = round(len(mask) * factor)
    picture[cut:] = picture[cut:] // 3 + 2 * (WHITE // 3)
    picture[cv2.dilate(large, np.ones((3, 3), np.uint8)) > large] = COLOUR
    return np.asarray(picture, np.uint8)
