"""How an object is built from end to end along its major axis, and from rim to core."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .feature import Feature, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .geometry import Ellipse
    from .sheet import Sheet

    Columns = dict[str, NDArray[np.float64]]

SECTIONS, DEPTHS = 8, 5
TIE = 1e-6  # below which lengths differ by rounding alone

FEATURES = (
    *(Feature(f"section{k}_area", "profile", "", f"share of the pixels in section {k} of {SECTIONS} of equal length "
              "along the major axis; the end that is farther from the centroid comes last, of ends equally far "
              "that with more contrast", "here")
      for k in range(1, SECTIONS + 1)),
    *(Feature(f"section{k}_contrast", "profile", "grey", f"mean contrast with the background in section {k}", "here")
      for k in range(1, SECTIONS + 1)),
    *(Feature(f"depth{k}_contrast", "profile", "grey", f"mean contrast with the background in depth {k} of {DEPTHS} of "
              "equal thickness from the outline (1) to the deepest pixel", "here") for k in range(1, DEPTHS + 1)),
    *(Feature(f"depth{k}_stddev", "profile", "grey", f"standard deviation of the contrast in depth {k}", "here")
      for k in range(1, DEPTHS + 1)),
    *(Feature(f"depth{k}_area", "profile", "", f"share of the pixels in depth {k}", "here")
      for k in range(1, DEPTHS + 1)),
)  # fmt: skip


def measure_profile(sheet: Sheet, ellipse: Ellipse) -> Columns:
    """Measure sections along the major axis, and layers by depth; those without a pixel have no contrast."""
    pixels = sheet.pixels
    contrast = sheet.contrast.ravel()[pixels.place].astype(np.float64)
    section = _sections(sheet, ellipse)
    area, mean, _ = _binned(sheet, section, SECTIONS, contrast)
    area[ellipse.round], mean[ellipse.round] = np.nan, np.nan
    deepest = pixels.of_each(pixels.largest(sheet.square_depth))
    borders = np.arange(1, DEPTHS)[:, None] ** 2 * deepest
    layer = np.count_nonzero(DEPTHS**2 * sheet.square_depth >= borders, axis=0)
    fill, level, spread = _binned(sheet, layer, DEPTHS, contrast)
    return {
        **{f"section{k + 1}_area": area[:, k] for k in range(SECTIONS)},
        **{f"section{k + 1}_contrast": mean[:, k] for k in range(SECTIONS)},
        **{f"depth{k + 1}_contrast": level[:, k] for k in range(DEPTHS)},
        **{f"depth{k + 1}_stddev": spread[:, k] for k in range(DEPTHS)},
        **{f"depth{k + 1}_area": fill[:, k] for k in range(DEPTHS)},
    }


def _sections(sheet: Sheet, ellipse: Ellipse) -> NDArray[np.int64]:
    """Return the section of each pixel, 0 to SECTIONS − 1."""
    pixels = sheet.pixels
    off_x, off_y = pixels.x - pixels.of_each(ellipse.x), pixels.y - pixels.of_each(ellipse.y)
    along = off_x * pixels.of_each(np.cos(ellipse.turn)) + off_y * pixels.of_each(np.sin(ellipse.turn))
    ahead, behind = pixels.largest(along), pixels.largest(-along)
    denser = pixels.total(along * sheet.contrast.ravel()[pixels.place])
    turned = np.where(np.abs(ahead - behind) > TIE, ahead < behind, denser < 0)
    along *= pixels.of_each(np.where(turned, -1.0, 1.0))
    low, high = -np.where(turned, ahead, behind) - 0.5, np.where(turned, behind, ahead) + 0.5
    share = (along - pixels.of_each(low)) / pixels.of_each(high - low)
    return np.asarray(np.minimum(share * SECTIONS + TIE, SECTIONS - 1), np.int64)


def _binned(
    sheet: Sheet, part: NDArray[np.int64], parts: int, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return share of pixels, mean and standard deviation of values in each part, of shape (n_objects, parts) each."""
    code = sheet.pixels.owner * parts + part
    count, total, square = (
        np.bincount(code, weights=weights, minlength=len(sheet) * parts).reshape(-1, parts)
        for weights in (None, values, values**2)
    )
    mean = ratio(total, count)
    spread = np.sqrt(np.maximum(ratio(square, count) - mean**2, 0))
    return count / sheet.pixels.area[:, None], mean, spread
