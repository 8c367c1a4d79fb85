"""Examples of network images: original images next to their channels, as in source 001."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .examples import LARGEST_SIDE
from .kept_pictures import KeptPictures, encoded, images_at_random, shrunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ...data_manifests.dataset import Dataset

    Channels = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

NETWORK_INPUTS = "network-inputs"
TAXA, PER_TAXON = 6, 1
CHANNELS = ("grey", "threshold", "opening")
ORIGINAL = ""  # form of the original image
WHITE = 255
PICTURE_INCHES = 1.15  # with the gap to the next
LABEL_INCHES = 1.6


def network_inputs_of(out: Path, dataset: str) -> KeptPictures:
    """Return the network images stored in a results folder for a data set.

    Each object has one row for the original (`form` is empty; a small grey copy) and one for each form (its three
    channels stored as blue, green and red); the largest taxon comes first.
    """
    return KeptPictures(out / NETWORK_INPUTS / f"{dataset}.parquet", ("taxon", "object_id", "form", "png"))


def keep_network_inputs(out: Path, dataset: Dataset, forms: Mapping[str, Channels], state: str) -> None:
    """Store the network images of some objects, drawn at random, for taxa from the largest to the smallest.

    Args:
        out: the results folder.
        dataset: an opened data set with images.
        forms: for each form, by its description, the function from the grey levels of an image to its network image,
            uint8 of shape (side, side, 3).
        state: identifies how images were prepared; pictures with another state are replaced.

    """
    stored = network_inputs_of(out, dataset.name)
    if dataset.images is None or stored.shows(state):
        return
    stored.keep(_rows(dataset, forms), state)


def _rows(dataset: Dataset, forms: Mapping[str, Channels]) -> Iterator[tuple[str, str, str, bytes]]:
    for taxon, object_id, image in images_at_random(dataset, TAXA, PER_TAXON):
        yield taxon, object_id, ORIGINAL, encoded(shrunk(image, LARGEST_SIDE))
        for form, channels in forms.items():
            yield taxon, object_id, form, encoded(channels(image))


def network_inputs_figure(stored: KeptPictures) -> Figure | None:
    """Draw originals and channels, one row for each object; None if none are stored."""
    if not len(stored.table):
        return None
    objects = [rows for _, rows in stored.table.groupby("object_id", sort=False)]
    titles = ["original"]
    for form in objects[0]["form"].iloc[1:]:
        titles += [CHANNELS[0], f"{form}\n\n{CHANNELS[1]}", CHANNELS[2]]
    size = LABEL_INCHES + PICTURE_INCHES * len(titles), 0.5 + PICTURE_INCHES * len(objects)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grid = np.atleast_2d(figure.subplots(len(objects), len(titles)))
    for axes, rows in zip(grid, objects, strict=True):
        for panel, picture in zip(axes, _pictures(rows["png"]), strict=True):
            _show(panel, picture)
        axes[0].set_ylabel(rows["taxon"].iloc[0], rotation=0, ha="right", va="center")
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize="medium")
    return figure


def _pictures(contents: Iterable[bytes]) -> Iterator[NDArray[np.uint8]]:
    """Yield the grey original, then each channel of each form."""
    import cv2

    for content in contents:
        pixels = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
        yield from np.moveaxis(np.atleast_3d(pixels), 2, 0)


def _show(axes: Axes, picture: NDArray[np.uint8]) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=WHITE, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
