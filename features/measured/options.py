"""Validation of the options of a measurement."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast, get_args

from ...data_manifests.errors import DataError, did_you_mean
from ...data_manifests.manifest import Background
from .objects.segmentation import Pieces, Segmentation

if TYPE_CHECKING:
    from collections.abc import Sequence


def segmentation_of(background: str | None, pieces: str, scale_bar: int) -> Segmentation:
    """Return the segmentation with these options; see the attributes of `Segmentation`.

    Raises:
        DataError: an option is invalid.

    """
    if background is not None:
        _check_choice("background", background, get_args(Background))
    _check_choice("pieces", pieces, get_args(Pieces))
    if scale_bar < 0:
        message = f"The scale bar is {scale_bar} rows; expected the number of rows to crop at the bottom, 0 or more."
        raise DataError(message)
    return Segmentation(cast("Background", background), cast("Pieces", pieces), scale_bar)


def _check_choice(noun: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        message = f"{noun} is '{value}'; expected {' or '.join(known)}. {did_you_mean(value, known)}"
        raise DataError(message)


def check_pixel_size(pixel_size_um: float | None) -> None:
    """Check a pixel size.

    Raises:
        DataError: the pixel size is not a finite number above 0.

    """
    if pixel_size_um is not None and not (math.isfinite(pixel_size_um) and pixel_size_um > 0):
        message = f"The pixel size is {pixel_size_um} µm; expected the side of a pixel in µm, a number above 0."
        raise DataError(message)
