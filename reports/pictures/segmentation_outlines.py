"""Segmentation outlines: some images with the outline of the measured object, stored with the results."""

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
SIDE = 160  # pixels, longer side; small images are enlarged towards it by an integer factor, large ones shrunk to it
COLOUR = (40, 60, 230)  # of the outline, as blue, green, red
WHITE = 255


@dataclass(frozen=True)
class OutlinePictures:
    """The stored pictures of a data set.

    Attributes:
        path: parquet file with taxon, object_id, png (encoded picture) and state (of the segmentation, as text or as a
            hash), the largest taxon first.

    """

    path: Path

    @cached_property
    def kept(self) -> KeptPictures:
        """The stored table."""
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
    """Return the pictures stored in a results folder for a data set."""
    return OutlinePictures(out / OUTLINES / f"{dataset}.parquet")


def keep_outlines(out: Path, dataset: Dataset, segment: Segment, state: str) -> None:
    """Store outlines for some images, drawn at random, for taxa from the largest to the smallest.

    Args:
        out: the results folder.
        dataset: an opened data set with images.
        segment: function from an image to its mask, which has the width of the image and may lack rows that were
            cropped at the bottom.
        state: identifies the segmentation; pictures with another state are replaced.

    """
    stored = outlines_of(out, dataset.name).kept
    if dataset.images is None or stored.shows(state):
        return
    drawn = images_at_random(dataset, TAXA, PER_TAXON)
    stored.keep(((taxon, one, encoded(outlined(image, segment(image)))) for taxon, one, image in drawn), state)


def outlined(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw the outline of a mask on an enlarged or shrunk copy of its image.

    Args:
        image: grey levels, uint8 of shape (height, width).
        mask: 1 on the object, 0 elsewhere, uint8 of the same width; rows that it lacks at the bottom were cropped.

    Returns:
        uint8 of shape (height, width, 3), blue, green and red; cropped rows are pale.

    """
    import cv2

    rows, columns = image.shape
    longest = max(rows, columns)
    factor = max(1, SIDE // longest) if longest <= SIDE else SIDE / longest
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    full_mask = np.zeros_like(image)
    full_mask[: len(mask)] = mask
    grey = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST if factor >= 1 else cv2.INTER_AREA)
    resized_mask = cv2.resize(full_mask, size, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    cropped_from = round(len(mask) * factor)
    picture[cropped_from:] = picture[cropped_from:] // 3 + 2 * (WHITE // 3)
    picture[cv2.dilate(resized_mask, np.ones((3, 3), np.uint8)) > resized_mask] = COLOUR
    return np.asarray(picture, np.uint8)
