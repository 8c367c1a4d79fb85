"""McNemar's test, compared with statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.reports.comparisons.mcnemar import mcnemar
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar


@pytest.mark.parametrize(("both", "only_a", "only_b", "neither"), [(5, 9, 2, 4), (400, 60, 90, 10), (3, 4, 0, 0)])
def test_p_value_equals_that_of_statsmodels(both: int, only_a: int, only_b: int, neither: int) -> None:
    """The exact test on the same contingency table."""
    right_a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    right_b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    found = mcnemar(right_a, right_b)

    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert found.p_value == pytest.approx(statsmodels_mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue)


def test_without_discordant_objects_there_is_no_difference() -> None:
    """The p-value is 1."""
    right = np.array([True, False, True])

    assert mcnemar(right, right).p_value == 1
