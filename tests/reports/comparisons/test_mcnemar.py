"""McNemar's test against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.reports.comparisons.mcnemar import mcnemar
from statsmodels.stats.contingency_tables import mcnemar as by_statsmodels


@pytest.mark.parametrize(("both", "only_a", "only_b", "neither"), [(5, 9, 2, 4), (400, 60, 90, 10), (3, 4, 0, 0)])
def test_p_is_that_of_statsmodels(both: int, only_a: int, only_b: int, neither: int) -> None:
    """Its exact test of the same table."""
    right_a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    right_b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    found = mcnemar(right_a, right_b)

    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert found.p_value == pytest.approx(by_statsmodels([[both, only_a], [only_b, neither]], exact=True).pvalue)


def test_without_a_discordant_object_there_is_no_difference() -> None:
    """P is one."""
    right = np.array([True, False, True])

    assert mcnemar(right, right).p_value == 1
