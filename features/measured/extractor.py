"""Measured features from Python: of files or of arrays, as a function and as a scikit-learn transformer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from ...data_manifests.errors import DataError, listed
from ...data_manifests.files.processes import in_order
from ...data_manifests.files.tables import canonical_text, not_among
from ...data_manifests.images.decoding import BLACK, WHITE, grey_of, quiet_decoder
from ...data_manifests.images.store import ImageStore
from ..preparation.chunk_files import CHUNK
from ..preparation.sources import open_sources
from .catalogue import NAMES
from .measure import measure_chunk
from .options import check_pixel_size, segmentation_of
from .readiness import make_ready
from .table import OBJECT_ID, MeasuredTable, measured_table
from .units import micrometre_columns, with_micrometres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .objects.segmentation import Pieces, Segmentation

    Masks = Sequence[ArrayLike | None]

TURNED = {3: [2, 1, 0], 4: [2, 1, 0, 3]}  # channels of RGB and RGBA in the order of OpenCV
EXPECTED = (
    "expected at least one pixel, uint8, uint16 or bool: grey levels of shape (height, width), or colours of shape "
    "(height, width, 3) for RGB or (height, width, 4) for RGBA"
)


def measure(  # noqa: PLR0913 - the choices of the command, by name
    images: Path | str | ImageStore | Iterable[ArrayLike],
    *,
    masks: Path | str | ImageStore | Masks | None = None,
    background: str | None = None,
    pieces: Pieces = "all",
    scale_bar: int = 0,
    pixel_size_um: float | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Measure handcrafted features of images.

    Args:
        images: a folder, zip or tar file, measured once and then found in the cache; or arrays: uint8, uint16 or bool
            of shape (height, width), or with 3 (RGB) or 4 (RGBA) channels last. How colours, opacity and 16 bits become
            grey levels is told in the module `planktonbench.data_manifests.images.decoding`; of bool, True is white.
        masks: for files a folder, zip or tar file in which each mask is called like its image; for arrays an array of
            the same height and width for each image, or None for one that is to be segmented. What is not 0 is object.
        background: `light` or `dark`; None decides for each image.
        pieces: measure `all` pieces that are no specks, or the `largest`; masks are taken as they are.
        scale_bar: rows to cut off at the bottom of each image and mask.
        pixel_size_um: side of a pixel in µm; adds `<feature>_um` to each feature in px and `<feature>_um2` to px².
        jobs: processes; nothing depends on it.

    Returns:
        One row per image, float64, columns as in `planktonbench.features.measured.catalogue`, NaN where undefined.
        Indexed by object_id for files, by position for arrays. A file that cannot be measured has a row of NaN, and a
        warning names it.

    Raises:
        DataError: an option or array is none that can be used, or files do not exist.

    Example:
        >>> import numpy as np
        >>> disc = np.hypot(*np.mgrid[-20:21, -20:21]) < 15
        >>> measure([disc], masks=[disc])["area"].item()
        697.0

    """
    options = segmentation_of(background, pieces, scale_bar)
    check_pixel_size(pixel_size_um)
    if isinstance(images, Path | str | ImageStore):
        table = _of_files(images, _masks_of_files(masks), options, jobs)
    else:
        table = _of_arrays(images, masks, options, jobs)
    return with_micrometres(table, pixel_size_um)


def _masks_of_files(masks: object) -> Path | str | ImageStore | None:
    if masks is None or isinstance(masks, Path | str | ImageStore):
        return masks
    message = f"masks are of type {type(masks).__name__}; expected a folder, zip or tar file, like the images."
    raise DataError(message)


def _of_files(
    images: Path | str | ImageStore, masks: Path | str | ImageStore | None, options: Segmentation, jobs: int
) -> pd.DataFrame:
    sources = open_sources(images, masks)
    measured = measured_table(sources.images, options, masks=sources.masks, jobs=jobs)
    _warn_of_faults(measured)
    return pd.read_parquet(measured.path).set_index(OBJECT_ID)


def _warn_of_faults(measured: MeasuredTable) -> None:
    faults = measured.faults
    if len(faults):
        named = listed(f"{member} ({fault})" for member, fault in zip(faults["member"], faults["fault"], strict=True))
        warnings.warn(f"images that cannot be measured, their rows are NaN: {named}", stacklevel=4)


def _of_arrays(images: Iterable[ArrayLike], masks: object, options: Segmentation, jobs: int) -> pd.DataFrame:
    behind = BLACK if options.background == "dark" else WHITE
    grey = [_as_grey(np.asarray(image), position, behind) for position, image in enumerate(images)]
    outlines = _as_masks(masks, grey)
    make_ready()
    chunks = [slice(start, start + CHUNK) for start in range(0, len(grey), CHUNK)]
    tasks = (partial(_measure_some, grey[chunk], options, outlines[chunk]) for chunk in chunks)
    rows = [np.empty((0, len(NAMES))), *in_order(tasks, jobs)]
    return pd.DataFrame(np.concatenate(rows), columns=list(NAMES))


def _measure_some(
    images: list[NDArray[np.uint8]], options: Segmentation, masks: list[NDArray[np.uint8] | None]
) -> NDArray[np.float64]:
    with quiet_decoder():
        return measure_chunk(images, options, masks)


def _as_grey(image: NDArray[Any], position: int, behind: int) -> NDArray[np.uint8]:
    """Turn an array into grey levels by the rule for files."""
    pixels = np.where(image, np.uint8(WHITE), np.uint8(BLACK)) if image.dtype == bool else image
    if pixels.ndim == 3 and pixels.shape[2] in TURNED:  # noqa: PLR2004 - with channels
        pixels = np.ascontiguousarray(pixels[..., TURNED[pixels.shape[2]]])
    grey = grey_of(pixels, behind=behind) if pixels.ndim in (2, 3) and pixels.size else None
    if grey is None:
        hint = " For one image, give [image]." if image.ndim == 1 else ""
        message = f"Image {position} is {image.dtype} of shape {image.shape}; {EXPECTED}.{hint}"
        raise DataError(message)
    return grey


def _as_masks(masks: object, grey: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8] | None]:
    """Turn masks into uint8 arrays, 1 on the object, of the shapes of their images."""
    if masks is None:
        return [None] * len(grey)
    if isinstance(masks, Path | str | ImageStore) or not isinstance(masks, Iterable):
        message = f"masks are of type {type(masks).__name__}; expected an array for each image, like the images."
        raise DataError(message)
    given = [None if mask is None else np.asarray(np.asarray(mask) != 0, np.uint8) for mask in masks]
    if len(given) != len(grey):
        message = f"There are {len(given):,} masks and {len(grey):,} images; expected one for each, or None for it."
        raise DataError(message)
    for position, (mask, image) in enumerate(zip(given, grey, strict=True)):
        if mask is not None and mask.shape != image.shape:
            message = f"Mask {position} has shape {mask.shape}; expected that of its image, {image.shape}."
            raise DataError(message)
    return given


class NativeExtractor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Transformer from images to a table of measured features; nothing is learnt.

    Args:
        source: folder, zip or tar file, or opened store, of images that `transform` is given the object_ids of; all of
            it is measured at the first call and then found in the cache. None when `transform` is given arrays.
        background: as in `measure`, like all that follow.
        pieces: see there.
        scale_bar: see there.
        pixel_size_um: see there.
        jobs: see there.

    Example:
        >>> import numpy as np
        >>> disc = np.hypot(*np.mgrid[-20:21, -20:21]) < 15
        >>> len(NativeExtractor(background="dark").fit_transform([disc, disc]))
        2

    """

    def __init__(
        self,
        *,
        source: Path | str | ImageStore | None = None,
        background: str | None = None,
        pieces: Pieces = "all",
        scale_bar: int = 0,
        pixel_size_um: float | None = None,
        jobs: int = 1,
    ) -> None:
        self.source = source
        self.background = background
        self.pieces = pieces
        self.scale_bar = scale_bar
        self.pixel_size_um = pixel_size_um
        self.jobs = jobs

    def fit(self, images: object, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Learn nothing."""
        return self

    def transform(self, images: Iterable[ArrayLike] | Iterable[str]) -> pd.DataFrame:
        """Measure images.

        Args:
            images: arrays as `measure` takes them; with `source`, object_ids.

        Returns:
            The table of `measure`, in the order of the images; with `source`, indexed by object_id.

        Raises:
            DataError: as `measure`; and the source has no image of an id.

        """
        options = {name: value for name, value in self.get_params().items() if name != "source"}
        if self.source is None:
            return measure(images, **options)
        wanted = canonical_text(pd.Series(list(images), dtype=object))
        table = measure(self.source, **options)
        unknown = wanted[not_among(wanted, table.index.to_series())]
        if len(unknown):
            message = f"{self.source} has no image of these objects: {listed(unknown)}."
            raise DataError(message)
        return table.loc[list(wanted)]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 - as above
        """Return the names of the columns."""
        return np.asarray([*NAMES, *micrometre_columns(self.pixel_size_um)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that there is nothing to learn."""
        return True
