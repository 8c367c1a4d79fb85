"""Profiles of an object along its major axis and from its outline inwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..feature import Feature
from ..kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..kernels.pixels import Pixels
    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

SECTIONS, DEPTHS = 8, 5
TIE = 1e-6  # pixels; smaller differences in length are rounding errors

FEATURES = (
    *(Feature(f"section{k}_area", "profile", "", f"fraction of pixels in section {k} of {SECTIONS} sections of equal "
              "length along the major axis; the end farther from the centroid comes last or, if both are equally far, "
              "the end with more contrast", "here")
      for k in range(1, SECTIONS + 1)),
    *(Feature(f"section{k}_contrast", "profile", "grey", f"mean contrast with the background in section {k}", "here")
      for k in range(1, SECTIONS + 1)),
    *(Feature(f"depth{k}_contrast", "profile", "grey", f"mean contrast with the background in layer {k} of {DEPTHS} "
              "layers of equal thickness from the outline (1) to the deepest pixel", "here")
      for k in range(1, DEPTHS + 1)),
    *(Feature(f"depth{k}_stddev", "profile", "grey", f"standard deviation of the contrast in layer {k}", "here")
      for k in range(1, DEPTHS + 1)),
    *(Feature(f"depth{k}_area", "profile", "", f"fraction of pixels in layer {k}", "here")
      for k in range(1, DEPTHS + 1)),
)  # fmt: skip


def measure_profile(mosaic: Mosaic) -> Columns:
    """Measure sections along the major axis, and layers by depth; the contrast of an empty one is NaN."""
    ellipse = mosaic.ellipse
    middle = np.stack([ellipse.x, ellipse.y], axis=1)
    area, mean, _ = _sections(mosaic.contrast, mosaic.pixels, middle, ellipse.turn)
    area[ellipse.round], mean[ellipse.round] = np.nan, np.nan
    fill, level, spread = _layers(mosaic.contrast, mosaic.pixels, mosaic.square_depth)
    return {
        **{f"section{k + 1}_area": area[:, k] for k in range(SECTIONS)},
        **{f"section{k + 1}_contrast": mean[:, k] for k in range(SECTIONS)},
        **{f"depth{k + 1}_contrast": level[:, k] for k in range(DEPTHS)},
        **{f"depth{k + 1}_stddev": spread[:, k] for k in range(DEPTHS)},
        **{f"depth{k + 1}_area": fill[:, k] for k in range(DEPTHS)},
    }


@compiled
def _sections(
    contrast: NDArray[np.uint8], pixels: Pixels, middle: NDArray[np.float64], turn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return fraction of pixels, mean and standard deviation of contrast by section, shape (n_objects, SECTIONS)."""
    sums = np.zeros((len(turn), SECTIONS, 3))
    for k in range(len(turn)):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        along, density, cosine, sine = np.empty(end - begin), 0.0, np.cos(turn[k]), np.sin(turn[k])
        for p in range(begin, end):
            off_x, off_y = pixels.x[p] - middle[k, 0], pixels.y[p] - pixels.y[begin] - middle[k, 1]
            along[p - begin] = off_x * cosine + off_y * sine
            density += along[p - begin] * contrast[pixels.y[p], pixels.x[p]]
        ahead, behind = along.max(), -along.min()
        if (ahead < behind) if abs(ahead - behind) > TIE else (density < 0):
            along *= -1
            ahead, behind = behind, ahead
        for p in range(begin, end):
            share = (along[p - begin] + behind + 0.5) / (ahead + behind + 1)
            section = min(int(share * SECTIONS + TIE), SECTIONS - 1)
            _add(sums[k, section], contrast[pixels.y[p], pixels.x[p]])
    return _summed_up(sums, pixels)


@compiled
def _layers(
    contrast: NDArray[np.uint8], pixels: Pixels, square_depth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return fraction of pixels, mean and standard deviation of contrast by layer, shape (n_objects, DEPTHS)."""
    sums = np.zeros((len(pixels.bounds) - 1, DEPTHS, 3))
    for k in range(len(sums)):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        deepest = square_depth[begin:end].max()
        for p in range(begin, end):
            layer = 0
            while layer < DEPTHS - 1 and DEPTHS**2 * square_depth[p] >= (layer + 1) ** 2 * deepest:
                layer += 1
            _add(sums[k, layer], contrast[pixels.y[p], pixels.x[p]])
    return _summed_up(sums, pixels)


@compiled
def _add(sums: NDArray[np.float64], value: int) -> None:
    """Add a value to the count, sum and sum of squares of a section or layer."""
    sums[0] += 1
    sums[1] += value
    sums[2] += float(value) * value


@compiled
def _summed_up(
    sums: NDArray[np.float64], pixels: Pixels
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return fraction of pixels, mean and standard deviation by section or layer; the last two are NaN if empty."""
    objects, parts, _ = sums.shape
    share, mean, deviation = np.empty((objects, parts)), np.empty((objects, parts)), np.empty((objects, parts))
    for k in range(objects):
        for part in range(parts):
            count, total, square = sums[k, part]
            share[k, part] = count / (pixels.bounds[k + 1] - pixels.bounds[k])
            mean[k, part] = total / count
            deviation[k, part] = np.sqrt(max(square / count - mean[k, part] ** 2, 0.0)) if count else np.nan
    return share, mean, deviation
