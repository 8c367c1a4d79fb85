"""Gradient and Laplacian of the grey levels."""

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

MEASURED = 6  # features
SOBEL = 8  # weights on one side of the operator, 4, times the 2 px between the sides

FEATURES = (
    Feature("gradient_mean", "gradients", "grey", "mean gradient magnitude, Sobel operator / 8", "here"),
    Feature("gradient_stddev", "gradients", "grey", "standard deviation of the gradient magnitude", "here"),
    Feature("gradient_max", "gradients", "grey", "largest gradient magnitude", "here"),
    Feature("gradient_aligned", "gradients", "", "|mean of the squared gradients as complex numbers| / mean of their "
            "squared magnitudes; 1 if all gradients lie along one line", "Bigün & Granlund 1987, coherence"),
    Feature("laplacian_mean", "gradients", "grey", "mean absolute Laplacian, four neighbours", "here"),
    Feature("laplacian_stddev", "gradients", "grey", "standard deviation of the Laplacian", "here"),
)  # fmt: skip


def measure_gradients(mosaic: Mosaic) -> Columns:
    """Measure gradient and Laplacian at each object's pixels; their neighbours may lie outside the object."""
    found = _gradients(mosaic.grey, mosaic.pixels)
    return {feature.name: found[:, k] for k, feature in enumerate(FEATURES)}


@compiled
def _gradients(grey: NDArray[np.uint8], pixels: Pixels) -> NDArray[np.float64]:
    """Return the features in the order of the catalogue, float64 of shape (n_objects, n_features)."""
    found = np.empty((len(pixels.bounds) - 1, MEASURED))
    for k in range(len(found)):
        begin, end = pixels.bounds[k], pixels.bounds[k + 1]
        squares = differences = products = steepest = bends = bend_squares = bend_sum = 0
        lengths = 0.0
        for p in range(begin, end):
            across, down, bend = _derivatives(grey, pixels.x[p], pixels.y[p])
            square = across * across + down * down
            lengths += np.sqrt(square)
            squares += square
            steepest = max(steepest, square)
            differences += across * across - down * down
            products += across * down
            bend_sum += bend
            bends += abs(bend)
            bend_squares += bend * bend
        area = end - begin
        mean, bend_mean = lengths / area, bend_sum / area
        found[k, 0] = mean / SOBEL
        found[k, 1] = np.sqrt(max(squares / area - mean * mean, 0.0)) / SOBEL
        found[k, 2] = np.sqrt(steepest) / SOBEL
        found[k, 3] = np.hypot(differences, 2 * products) / squares
        found[k, 4] = bends / area
        found[k, 5] = np.sqrt(max(bend_squares / area - bend_mean * bend_mean, 0.0))
    return found


@compiled
def _derivatives(grey: NDArray[np.uint8], x: int, y: int) -> tuple[int, int, int]:
    """Return the Sobel differences along x and y, and the Laplacian, of a pixel, as integers."""
    above, here, below = grey[y - 1, x - 1 : x + 2], grey[y, x - 1 : x + 2], grey[y + 1, x - 1 : x + 2]
    falling, rising = np.int64(below[2]) - above[0], np.int64(above[2]) - below[0]
    across = falling + rising + 2 * (np.int64(here[2]) - here[0])
    down = falling - rising + 2 * (np.int64(below[1]) - above[1])
    return across, down, np.int64(above[1]) + below[1] + here[0] + here[2] - 4 * np.int64(here[1])
