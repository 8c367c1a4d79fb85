"""McNemar's test: do two methods call equally many of the same objects right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class McNemar:
    """What the test says of accuracy.

    Attributes:
        only_a: objects that the first alone called right.
        only_b: objects that the second alone called right.
        p_value: two-sided and exact. Objects are taken as independent: with objects in clusters it is too small.

    """

    only_a: int
    only_b: int
    p_value: float


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """Test whether two methods differ in accuracy, by the exact binomial test of objects that only one called right.

    McNemar 1947, Psychometrika 12, page 153; exact at any number of objects, so that no approximation is chosen.

    Args:
        right_a: whether the first called each object right, shape (n_objects,).
        right_b: likewise the second, the same objects.

    """
    from scipy.stats import binomtest

    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, p_value)
