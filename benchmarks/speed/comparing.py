"""The case of `tox -e bench-speed` for comparisons: draws of clusters, beside a loop of scikit-learn."""

from __future__ import annotations

import statistics

import numpy as np

from ...reports.comparisons.paired_bootstrap import PairedPredictions, resample
from .cases import CLASSES, CLUSTERS, Line
from .stopwatch import seconds

COMPARED_DRAWS, LOOPED = 10_000, 20
COMPARED_SECONDS = 1
"""The limit."""


def comparing() -> Line:
    """Paired interval of two methods, beside resampling rows and calling scikit-learn twice for each draw."""
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    n = 20_000
    truth, units = rng.integers(0, CLASSES, n), rng.integers(0, CLUSTERS, n)
    known = rng.random((2, n)) < np.array([[0.7], [0.68]])
    predictions = PairedPredictions(truth, np.where(known, truth, rng.integers(0, CLASSES, (2, n))), units)
    rows = [np.flatnonzero(units == cluster) for cluster in range(CLUSTERS)]

    def ours() -> object:
        drawn = resample([predictions], CLUSTERS, CLASSES, draws=COMPARED_DRAWS, rng=np.random.default_rng(1))
        return drawn.pair(0, 1).interval

    def loop() -> None:
        for _ in range(LOOPED):
            drawn = np.concatenate([rows[cluster] for cluster in rng.integers(0, CLUSTERS, CLUSTERS)])
            for predicted in predictions.predicted:
                f1_score(truth[drawn], predicted[drawn], average="macro", zero_division=0)

    ours()
    fast = statistics.median(seconds(ours) for _ in range(5))
    slow = seconds(loop) / LOOPED * COMPARED_DRAWS
    what = f"comparison, {COMPARED_DRAWS:,} draws, {CLUSTERS} clusters x {CLASSES} classes, {n:,} objects"
    beside = f"{slow:.0f} s (loop of scikit-learn, {LOOPED} draws scaled)"
    return Line(
        what, f"{fast:.2f} s", beside, f"{slow / fast:.0f} x", f"{COMPARED_SECONDS} s", fast <= COMPARED_SECONDS
    )
