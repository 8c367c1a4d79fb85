"""A contact sheet: some images of every taxon in rows, to see at a glance what a data set holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError
from ...data_manifests.seeds import derived_seed
from .style import INK, canvas, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset
    from ...data_manifests.images.store import ImageStore

PER_CLASS = 10
TILE = 96  # pixels; larger images are shrunk, smaller ones keep their size, so that small taxa look small
GAP = 4  # pixels between tiles
PAPER = 255
INCHES_PER_PIXEL = 1 / 110
INCHES_PER_LETTER = 0.085  # of the names beside the rows


def contact_sheet(dataset: Dataset, *, per_class: int = PER_CLASS, seed: int = 0) -> Figure:
    """Draw some images of each taxon, one row a taxon, the largest taxon first.

    Args:
        dataset: an opened data set with images, of any layout.
        per_class: images of each taxon; a smaller taxon shows all it has.
        seed: decides which objects are shown. An image that cannot be read leaves its place empty.

    Returns:
        The figure; it says so when the objects are simulated.

    Raises:
        DataError: the data set has no images, or fewer than one image a taxon is asked for.

    """
    if dataset.images is None:
        message = f"{dataset.folder} has no images, and a contact sheet shows images. Put imgs.zip beside the tables."
        raise DataError(message)
    if per_class < 1:
        message = f"per_class is {per_class}; expected 1 image of each taxon or more."
        raise DataError(message)
    chosen = chosen_objects(dataset, per_class, seed)
    rows = [_row(dataset.images, object_ids, per_class) for object_ids in chosen.values()]
    return _drawn(np.vstack(rows), list(chosen), simulated=dataset.simulated)


def chosen_objects(dataset: Dataset, per_class: int, seed: int) -> dict[str, list[str]]:
    """Return ids of some objects with an image, by taxon, the largest taxon first; the same for the same seed."""
    objects = dataset.objects
    if dataset.images is not None:
        objects = objects[objects["object_id"].isin(list(dataset.images.members))]
    rng = np.random.default_rng(derived_seed(seed=seed, purpose="contact sheet"))
    ids = {str(taxon): rows.sort_values().to_numpy() for taxon, rows in objects.groupby("taxon")["object_id"]}
    order = sorted(ids, key=lambda taxon: (-len(ids[taxon]), taxon))
    return {taxon: rng.permutation(ids[taxon])[:per_class].tolist() for taxon in order}


def _row(images: ImageStore, object_ids: list[str], places: int) -> NDArray[np.uint8]:
    """Return a row of tiles, uint8 of shape (TILE + GAP, places × (TILE + GAP))."""
    tiles = [_tile(images, object_id) for object_id in object_ids]
    tiles += [np.full((TILE, TILE), PAPER, np.uint8)] * (places - len(tiles))
    return np.hstack([np.pad(tile, ((0, GAP), (0, GAP)), constant_values=PAPER) for tile in tiles])


def _tile(images: ImageStore, object_id: str) -> NDArray[np.uint8]:
    """Return an image in the middle of a tile; an empty tile when it cannot be read."""
    import cv2

    tile = np.full((TILE, TILE), PAPER, np.uint8)
    try:
        image = images.read(object_id)
    except DataError:
        return tile
    factor = min(1.0, TILE / max(image.shape))
    height, width = (max(1, round(side * factor)) for side in image.shape)
    top, left = (TILE - height) // 2, (TILE - width) // 2
    tile[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return tile


def _drawn(mosaic: NDArray[np.uint8], taxa: list[str], *, simulated: bool) -> Figure:
    """Return the figure of a mosaic with one row of tiles for each taxon."""
    height, width = mosaic.shape
    with style():
        names = INCHES_PER_LETTER * max(map(len, taxa)) + 0.3
        figure, axes = canvas(width * INCHES_PER_PIXEL + names, height * INCHES_PER_PIXEL + 0.4)
        axes.set_anchor("E")
        axes.imshow(mosaic, cmap="gray", vmin=0, vmax=PAPER, interpolation="none")
        middles = (np.arange(len(taxa)) + 0.5) * (TILE + GAP)
        axes.set_yticks(middles, taxa)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        if simulated:
            figure.supxlabel("simulated data", x=1, ha="right", fontsize=7, color=INK)
    return figure
