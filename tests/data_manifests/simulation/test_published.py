"""Comparison of simulated medians with published quartiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
from planktonbench.data_manifests.simulation.published import QUARTILES, compare_with_published


def test_quartiles_are_those_of_the_published_table() -> None:
    """Some of them, as printed by describe() in "Plankton Recognition"."""
    assert QUARTILES["area"] == (1646, 3953)
    assert QUARTILES["meanimagegrey"] == (157.3, 166.92)
    assert QUARTILES["histcum2"] == (159, 248)
    assert all(low < high for low, high in QUARTILES.values())


def test_medians_are_compared_with_the_quartiles() -> None:
    """The quartiles themselves count as within; missing values are ignored."""
    values = {name: [np.nan, low, low] for name, (low, _) in QUARTILES.items()} | {"area": [1.0, 1645.0, 9999.0]}
    table = compare_with_published(pd.DataFrame(values))

    assert list(table.index) == list(QUARTILES)
    assert table.loc["area"].tolist() == [1645.0, 1646.0, 3953.0, False]
    assert table["within"].sum() == len(QUARTILES) - 1
