"""A measured feature in words, and the rule for what is undefined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Unit = Literal["px", "px²", "grey", "°", ""]


@dataclass(frozen=True)
class Feature:
    """What a column of the measured table means.

    Attributes:
        name: column name; ZooProcess's where ZooProcess has the feature.
        group: what is measured together; each is the name of its module.
        unit: `px` and `px²` grow with the size of a pixel, `grey` is a grey level from 0 (black) to 255 (white), `°` an
            angle; empty for ratios, counts and moments without unit.
        formula: how it is computed, in terms of the object's pixels and of other features.
        source: where the definition is from; `here` for one of our own.

    """

    name: str
    group: str
    unit: Unit
    formula: str
    source: str


def ratio(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """Divide, element by element; NaN where the divisor is zero or either is NaN, so that nothing is ever infinite."""
    top, bottom = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.asarray(np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0), np.float64)
