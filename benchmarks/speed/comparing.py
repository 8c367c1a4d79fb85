"""Speed of the paired jackknife and bootstrap, compared with a loop over scikit-learn, for `tox -e bench-speed`."""

from __future__ import annotations

import statistics

import numpy as np

from ...reports.comparisons.paired_bootstrap import resample
from ...reports.comparisons.paired_jackknife import macro_f1_without_each
from ...reports.comparisons.paired_predictions import PairedPredictions
from .cases import CLASSES, CLUSTERS, Line
from .stopwatch import seconds

COMPARED_DRAWS, LOOPED_DRAWS = 10_000, 20
COMPARED_SECONDS = 1
"""The limit."""


def comparing() -> Line:
    """Time the paired intervals of two methods, against resampling rows with scikit-learn twice for each draw."""
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    n = 20_000
    truth, units = rng.integers(0, CLASSES, n), rng.integers(0, CLUSTERS, n)
    recognised = rng.random((2, n)) < np.array([[0.7], [0.68]])
    predictions = PairedPredictions(truth, np.where(recognised, truth, rng.integers(0, CLASSES, (2, n))), units)
    rows = [np.flatnonzero(units == cluster) for cluster in range(CLUSTERS)]

    def ours() -> object:
        resampled = resample([predictions], CLUSTERS, CLASSES, draws=COMPARED_DRAWS, rng=np.random.default_rng(1))
        return resampled.interval(0, 1), macro_f1_without_each(predictions, CLUSTERS, CLASSES)

    def loop() -> None:
        for _ in range(LOOPED_DRAWS):
            drawn = np.concatenate([rows[cluster] for cluster in rng.integers(0, CLUSTERS, CLUSTERS)])
            for predicted in predictions.predicted:
                f1_score(truth[drawn], predicted[drawn], average="macro", zero_division=0)

    ours()
    fast = statistics.median(seconds(ours) for _ in range(5))
    slow = seconds(loop) / LOOPED_DRAWS * COMPARED_DRAWS
    task = f"comparison, {COMPARED_DRAWS:,} draws, {CLUSTERS} clusters x {CLASSES} classes, {n:,} objects"
    reference = f"{slow:.0f} s (loop of scikit-learn, {LOOPED_DRAWS} draws scaled)"
    return Line(
        task, f"{fast:.2f} s", reference, f"{slow / fast:.0f} x", f"{COMPARED_SECONDS} s", fast <= COMPARED_SECONDS
    )
