"""McNemar's test of the difference in accuracy between two methods on the same objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class McNemar:
    """Result of McNemar's test.

    Attributes:
        only_a: number of objects that only the first method predicts correctly.
        only_b: number of objects that only the second method predicts correctly.
        p_value: exact two-sided p-value. Objects are assumed to be independent; if they are clustered, it is too small.

    """

    only_a: int
    only_b: int
    p_value: float


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """Test whether two methods differ in accuracy, by an exact binomial test of the discordant objects.

    McNemar 1947, Psychometrika 12, page 153. The test is exact for any number of objects, without an approximation.

    Args:
        right_a: whether each prediction of the first method is correct, shape (n_objects,).
        right_b: likewise for the second method, for the same objects.

    """
    from scipy.stats import binomtest

    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, p_value)
