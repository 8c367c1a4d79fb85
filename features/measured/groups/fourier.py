"""Elliptic Fourier descriptors of the outline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..feature import Feature
from ..kernels.chains import amplitudes_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..objects.mosaic import Mosaic

    Columns = dict[str, NDArray[np.float64]]

HARMONICS = 12
EFD = "Kuhl & Giardina 1982, doi 10.1016/0146-664X(82)90034-X"

FEATURES = (
    *(Feature(f"efd{n}", "fourier", "", f"√(a² + b² + c² + d²) of harmonic {n} of the outline of the largest piece, "
              "divided by that of harmonic 1", EFD) for n in range(2, HARMONICS + 1)),
)  # fmt: skip


def measure_fourier(mosaic: Mosaic) -> Columns:
    """Measure the amplitudes of elliptic Fourier descriptors of each object's longest chain of border pixels.

    The sum of squares of a harmonic's four coefficients (Kuhl & Giardina 1982, equation 15) is invariant to rotation,
    mirroring and the starting point; divided by that of the first harmonic, it is invariant to size. A chain without
    steps has no amplitudes.
    """
    amplitudes = amplitudes_of(mosaic.filled, mosaic.pixels, mosaic.outlines, HARMONICS)
    return {f"efd{n}": amplitudes[:, n - 1] / amplitudes[:, 0] for n in range(2, HARMONICS + 1)}
