"""Definition of a measured feature, and division that gives NaN where undefined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Unit = Literal["px", "px²", "grey", "°", ""]


@dataclass(frozen=True)
class Feature:
    """Description of a column of the measured table.

    Attributes:
        name: column name; ZooProcess's name if ZooProcess has the feature.
        group: features that are measured together; the name of the module that measures them.
        unit: `px` and `px²` scale with the pixel size, `grey` is a grey level from 0 (black) to 255 (white), `°` an
            angle; empty for ratios, counts and dimensionless moments.
        formula: how the feature is computed from the object's pixels and from other features.
        source: source of the definition; `here` if it was defined for planktonbench.

    """

    name: str
    group: str
    unit: Unit
    formula: str
    source: str


def ratio(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """Divide element by element; NaN, never infinite, where the divisor is zero or either operand is NaN."""
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0), np.float64)
