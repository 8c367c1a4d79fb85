"""Corrected t test for differences over several splits with overlapping training sets.

Runs on folds or repeated hold-outs share most of their training objects, so their differences vary less than those of
independent studies. The standard t test then finds differences far too often; the corrected test increases the variance
by the ratio of test to training objects (Nadeau & Bengio 2003, Inference for the generalization error, Machine Learning
52, section 3; for k-fold and repeated k-fold, Bouckaert & Frank 2004, Evaluating the replicability of significance
tests, PAKDD, section 3.2). Several seeds on one split show only how much training varies, so they are not tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..scoring.estimate import LEVEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..results.stored_run import StoredRun

Design = Literal["one run", "seeds on one split", "repeated hold-out", "k-fold", "repeated k-fold"]
SPLIT_DESIGNS: tuple[Design, ...] = ("repeated hold-out", "k-fold", "repeated k-fold")
"""Designs with runs on several splits."""
SOURCES = {
    "repeated hold-out": "Nadeau & Bengio 2003",
    "k-fold": "Bouckaert & Frank 2004",
    "repeated k-fold": "Bouckaert & Frank 2004",
}


@dataclass(frozen=True)
class CorrectedT:
    """Result of the corrected t test of differences over splits.

    Attributes:
        mean: mean difference.
        sd: standard deviation of the differences, with n - 1.
        interval: 95 % interval of the mean.
        p_value: two-sided p-value.
        df: degrees of freedom.

    """

    mean: float
    sd: float
    interval: tuple[float, float]
    p_value: float
    df: int


def corrected_t(deltas: ArrayLike, test_to_train: float) -> CorrectedT:
    """Test whether the mean difference is zero, with the variance (1/n + test_to_train) · sd².

    Args:
        deltas: difference for each split, shape (n_splits,), at least two.
        test_to_train: number of test objects / number of training objects, e.g. 1 / (k - 1) for k-fold.

    """
    from scipy.stats import t

    values = np.asarray(deltas, np.float64)
    n, mean, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    error = sd * np.sqrt(1 / n + test_to_train)
    half = float(t.ppf((1 + LEVEL) / 2, n - 1) * error)
    statistic = mean / error if error else np.inf * np.sign(mean) if mean else 0.0
    return CorrectedT(mean, sd, (mean - half, mean + half), float(2 * t.sf(abs(statistic), n - 1)), n - 1)


def design_of(runs: Sequence[StoredRun]) -> Design:
    """Return the design of several runs of a track on one data set, based on their splits and test objects."""
    if len(runs) == 1:
        return "one run"
    if any(run.card.split.name != run.card.split.plan for run in runs):
        return "k-fold" if len({run.card.split.seed for run in runs}) == 1 else "repeated k-fold"
    test_sets = {tuple(run.predictions["object_id"]) for run in runs}
    return "seeds on one split" if len(test_sets) == 1 else "repeated hold-out"
