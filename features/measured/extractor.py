"""Python interface to measured features: a function and a scikit-learn transformer, for files or arrays."""

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
from ...data_manifests.files.tables import canonical_text, not_in
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

TURNED = {3: [2, 1, 0], 4: [2, 1, 0, 3]}  # channels of RGB and RGBA in OpenCV's order
EXPECTED = (
    "expected at least one pixel, uint8, uint16 or bool: grey levels of shape (height, width), or colours of shape "
    "(height, width, 3) for RGB or (height, width, 4) for RGBA"
)


def measure(  # noqa: PLR0913 - the options of the command, by name
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
        images: a folder, zip or tar file, measured once and then read from the cache; or arrays: uint8, uint16 or bool
            of shape (height, width), or with 3 (RGB) or 4 (RGBA) channels last. The module
            `planktonbench.data_manifests.images.decoding` describes the conversion of colours, opacity and 16 bits to
            grey levels; for bool, True is white.
        masks: for files a folder, zip or tar file with masks that have the same names as their images; for arrays a
            sequence with, for each image, an array of the same height and width, or None to segment the image. Non-zero
            pixels are the object.
        background: `light` or `dark`; None detects it for each image.
        pieces: measure `all` pieces except specks, or the `largest`; masks are used unchanged.
        scale_bar: rows to crop at the bottom of each image and mask.
        pixel_size_um: side of a pixel in µm; adds columns `<feature>_um` for features in px and `<feature>_um2` for
            features in px².
        jobs: number of processes; it does not affect the values.

    Returns:
        One row per image, float64, columns as in `planktonbench.features.measured.catalogue`, NaN where undefined.
        Indexed by object_id for files, by position for arrays. A file that cannot be measured has a row of NaN and is
        named in a warning.

    Raises:
        DataError: an option or array is invalid, or files do not exist.

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
    message = f"masks are of type {type(masks).__name__}; expected a folder, zip or tar file, as for the images."
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
        warnings.warn(f"These images cannot be measured; their rows are NaN: {named}", stacklevel=4)


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
    """Convert an array to grey levels by the same rule as for files."""
    pixels = np.where(image, np.uint8(WHITE), np.uint8(BLACK)) if image.dtype == bool else image
    if pixels.ndim == 3 and pixels.shape[2] in TURNED:  # noqa: PLR2004 - with channels
        pixels = np.ascontiguousarray(pixels[..., TURNED[pixels.shape[2]]])
    grey = grey_of(pixels, behind=behind) if pixels.ndim in (2, 3) and pixels.size else None
    if grey is None:
        hint = " For a single image, pass [image]." if image.ndim == 1 else ""
        message = f"Image {position} is {image.dtype} of shape {image.shape}; {EXPECTED}.{hint}"
        raise DataError(message)
    return grey


def _as_masks(masks: object, grey: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8] | None]:
    """Convert masks to uint8 arrays with the shapes of their images, 1 on the object."""
    if masks is None:
        return [None] * len(grey)
    if isinstance(masks, Path | str | ImageStore) or not isinstance(masks, Iterable):
        message = f"masks are of type {type(masks).__name__}; expected a sequence with an array for each image."
        raise DataError(message)
    converted = [None if mask is None else np.asarray(np.asarray(mask) != 0, np.uint8) for mask in masks]
    if len(converted) != len(grey):
        message = (
            f"There are {len(converted):,} masks for {len(grey):,} images; expected one mask, or None, for each image."
        )
        raise DataError(message)
    for position, (mask, image) in enumerate(zip(converted, grey, strict=True)):
        if mask is not None and mask.shape != image.shape:
            message = f"Mask {position} has shape {mask.shape}; expected the shape of its image, {image.shape}."
            raise DataError(message)
    return converted


class NativeExtractor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Stateless transformer from images to a table of measured features.

    Args:
        source: folder, zip or tar file, or opened store, of images whose object_ids are passed to `transform`; all of
            its images are measured at the first call and then read from the cache. None to pass arrays to `transform`.
        background: see `measure`.
        pieces: see `measure`.
        scale_bar: see `measure`.
        pixel_size_um: see `measure`.
        jobs: see `measure`.

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
        """Do nothing; the transformer is stateless."""
        return self

    def transform(self, images: Iterable[ArrayLike] | Iterable[str]) -> pd.DataFrame:
        """Measure images.

        Args:
            images: arrays as in `measure`, or object_ids if `source` is set.

        Returns:
            A table as returned by `measure`, in the order of the images; indexed by object_id if `source` is set.

        Raises:
            DataError: as for `measure`, or the source has no image with one of the ids.

        """
        options = {name: value for name, value in self.get_params().items() if name != "source"}
        if self.source is None:
            return measure(images, **options)
        wanted = canonical_text(pd.Series(list(images), dtype=object))
        table = measure(self.source, **options)
        unknown = wanted[not_in(wanted, table.index.to_series())]
        if len(unknown):
            message = f"{self.source} has no images with these object_ids: {listed(unknown)}."
            raise DataError(message)
        return table.loc[list(wanted)]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002 - as above
        """Return the column names."""
        return np.asarray([*NAMES, *micrometre_columns(self.pixel_size_um)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        """Return True: a stateless transformer needs no fitting."""
        return True
