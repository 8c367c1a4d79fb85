"""False-positive rate of comparisons of equally good methods by number of samples, from simulations.

`tox -e bench-statistics` prints the table that the warnings quote. With few samples, percentile intervals are too
narrow.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from ...reports.comparisons.paired_bootstrap import PairedPredictions, resample
from ..console.output import print_table
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...reports.comparisons.paired_bootstrap import Paired

SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)
N_CLASSES = len(SHARES)
OBJECTS, DRAWS, PAIRS = 600, 1000, 4000
CLUSTERS = (5, 10, 20, 30, 60, 100)
DIFFICULTY_SD = 0.1  # standard deviation among samples of the share of objects that a method recognises
ALPHA = 0.05


def two_methods(
    rng: np.random.Generator, *, right: tuple[float, float], clusters: int, objects: int
) -> PairedPredictions:
    """Simulate predictions of two methods, with samples that differ in difficulty, independently for each method.

    Args:
        rng: random number generator.
        right: share of the objects that each method recognises; the others are guessed, a fifth of them correctly.
        clusters: number of samples, all of the same size.
        objects: number of objects in five classes of unequal size.

    """
    units = np.arange(objects) * clusters // objects
    truth = rng.choice(N_CLASSES, objects, p=SHARES)
    shift = np.clip(rng.normal(0, DIFFICULTY_SD, (2, clusters)), -0.25, 0.25)[:, units]
    recognised = rng.random((2, objects)) < np.array(right)[:, None] + shift
    return PairedPredictions(truth, np.where(recognised, truth, rng.integers(0, N_CLASSES, (2, objects))), units)


def compared(clusters: int, seeds: range, *, draws: int = DRAWS, objects: int = OBJECTS) -> Iterator[Paired]:
    """Compare pairs of equally good methods, one for each seed."""
    for seed in seeds:
        rng = np.random.default_rng((seed, clusters))
        predictions = two_methods(rng, right=(0.7, 0.7), clusters=clusters, objects=objects)
        yield resample([predictions], clusters, N_CLASSES, draws=draws, rng=rng).pair(0, 1)


def main() -> None:
    """Print a table with a row for each number of samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs of methods for each number of samples")
    pairs = parser.parse_args().pairs
    rows = []
    with counting("simulating", pairs * len(CLUSTERS), "pairs") as advance:
        for clusters in CLUSTERS:
            differing = []
            for pair in compared(clusters, range(pairs)):
                differing.append((pair.verdict != "tie", pair.p_value <= ALPHA))
                advance(1)
            by_interval, by_p = np.mean(differing, axis=0)
            rows.append((str(clusters), f"{pairs:,}", f"{by_interval:.1%}", f"{by_p:.1%}"))
    print_table(("samples", "simulated pairs", "different by interval", f"by p <= {ALPHA}"), rows)


if __name__ == "__main__":
    main()
