"""Published quartiles beside simulated medians."""

from __future__ import annotations

import numpy as np
import pandas as pd
from planktonbench.data_manifests.simulation.published import QUARTILES, beside_published


def test_quartiles_are_those_of_the_published_table() -> None:
    """Some of them, as they stand in describe() of "Plankton Recognition"."""
    assert QUARTILES["area"] == (1646, 3953)
    assert QUARTILES["meanimagegrey"] == (157.3, 166.92)
    assert QUARTILES["histcum2"] == (159, 248)
    assert all(low < high for low, high in QUARTILES.values())


def test_a_median_is_within_or_not() -> None:
    """The ends count as within; missing values are passed over."""
    values = {name: [np.nan, low, low] for name, (low, _) in QUARTILES.items()} | {"area": [1.0, 1645.0, 9999.0]}
    table = beside_published(pd.DataFrame(values))

    assert list(table.index) == list(QUARTILES)
    assert table.loc["area"].tolist() == [1645.0, 1646.0, 3953.0, False]
    assert table["within"].sum() == len(QUARTILES) - 1
