"""Comparison of a simulated native table with published quartiles of the real FlowCam table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# 25 % and 75 % of the published table (M. Bouzaien, Plankton Recognition, describe() of 243,610 objects), of columns
# whose values match their names. Others do not: area_exc is the area of the holes, and columns named *_area are divided
# by the grey level of the frame.
QUARTILES = {
    "area": (1646, 3953), "meanimagegrey": (157.3, 166.92), "mean": (202.77, 237.86), "stddev": (34.032, 62.801),
    "min": (83, 114), "perim.": (252.05, 636.1475), "width": (50, 104), "height": (62, 135), "major": (86.9, 178.3),
    "minor": (60.9, 108.3), "circ.": (0.092, 0.434), "feret": (73.4, 159.3), "intden": (924748.8, 3117444),
    "median": (251, 255), "skew": (-2.047, -0.555), "kurt": (-1.443, 3.104), "%area": (92.19, 99.67),
    "histcum1": (118, 219), "histcum2": (159, 248), "histcum3": (233, 252), "nb1": (1, 7),
    "range": (141, 172), "elongation": (1.142857, 1.827160), "meanpos": (-0.481481, -0.131034),
    "cv": (14.345992, 30.927835), "sr": (22.929936, 38.690476), "perimferet": (2.975207, 4.725352),
    "perimmajor": (2.5, 4.125495), "nb2": (1, 7), "nb3": (1, 6),
}  # fmt: skip


def compare_with_published(native: pd.DataFrame) -> pd.DataFrame:
    """Compare medians of a simulated native table with the published quartiles.

    Args:
        native: native table with the columns of `QUARTILES`.

    Returns:
        One row per feature, in the order of `QUARTILES`: median, low and high (the published quartiles), and
        within (whether the median lies between them).

    """
    import pandas as pd

    table = pd.DataFrame.from_dict(QUARTILES, orient="index", columns=["low", "high"], dtype=float)
    table.insert(0, "median", native[list(QUARTILES)].median())
    return table.assign(within=table["median"].between(table["low"], table["high"]))
