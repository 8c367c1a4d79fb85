"""Conversion of sizes from pixels to micrometres if the pixel size is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalogue import FEATURES

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {"px": "_um", "px²": "_um2"}
"""Suffix added to feature names, by unit."""


def micrometre_columns(pixel_size_um: float | None) -> dict[str, tuple[str, float]]:
    """Return the columns that a pixel size adds.

    Args:
        pixel_size_um: side of a pixel in µm; None adds nothing.

    Returns:
        Feature and conversion factor by name of the new column (`<feature>_um` for lengths, `<feature>_um2` for areas),
        in catalogue order.

    """
    if pixel_size_um is None:
        return {}
    factors = {"px": pixel_size_um, "px²": pixel_size_um**2}
    sized = [feature for feature in FEATURES if feature.unit in SUFFIXES]
    return {f"{one.name}{SUFFIXES[one.unit]}": (one.name, factors[one.unit]) for one in sized}


def with_micrometres(table: pd.DataFrame, pixel_size_um: float | None) -> pd.DataFrame:
    """Return a table of measured features with the columns in px and px² added in µm and µm².

    Args:
        table: float64, columns as in the catalogue; other columns are allowed.
        pixel_size_um: side of a pixel in µm; None adds nothing.

    """
    import pandas as pd

    columns = micrometre_columns(pixel_size_um)
    added = {name: table[feature] * factor for name, (feature, factor) in columns.items()}
    return pd.concat([table, pd.DataFrame(added, index=table.index)], axis=1) if added else table
