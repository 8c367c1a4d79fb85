"""How often a comparison tells methods apart that are equally good, by the number of samples; all of it simulated.

`tox -e bench-statistics` prints the table that the warnings quote. Percentile intervals know only the samples that are
there: of few samples they are too narrow.
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
HARDNESS = 0.1  # standard deviation between samples of the share that a method recognises
ALPHA = 0.05


def two_methods(
    rng: np.random.Generator, *, right: tuple[float, float], clusters: int, objects: int
) -> PairedPredictions:
    """Make up what two methods call the objects of a lake, whose samples are not equally hard, nor so for both.

    Args:
        rng: all randomness.
        right: share of the objects that each knows; the others are guessed, a fifth of them rightly.
        clusters: number of samples, as large as each other.
        objects: number of objects, of five classes of unequal size.

    """
    units = np.arange(objects) * clusters // objects
    truth = rng.choice(N_CLASSES, objects, p=SHARES)
    hardness = np.clip(rng.normal(0, HARDNESS, (2, clusters)), -0.25, 0.25)[:, units]
    known = rng.random((2, objects)) < np.array(right)[:, None] + hardness
    return PairedPredictions(truth, np.where(known, truth, rng.integers(0, N_CLASSES, (2, objects))), units)


def compared(clusters: int, seeds: range, *, draws: int = DRAWS, objects: int = OBJECTS) -> Iterator[Paired]:
    """Compare pairs of equally good methods, one for each seed."""
    for seed in seeds:
        rng = np.random.default_rng((seed, clusters))
        predictions = two_methods(rng, right=(0.7, 0.7), clusters=clusters, objects=objects)
        yield resample([predictions], clusters, N_CLASSES, draws=draws, rng=rng).pair(0, 1)


def main() -> None:
    """Print a table with a line for each number of samples."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--pairs", type=int, default=PAIRS, help="pairs of methods for each number of samples")
    pairs = asked.parse_args().pairs
    rows = []
    with counting("simulating", pairs * len(CLUSTERS), "pairs") as advance:
        for clusters in CLUSTERS:
            told = []
            for found in compared(clusters, range(pairs)):
                told.append((found.verdict != "tie", found.p_value <= ALPHA))
                advance(1)
            by_interval, by_p = np.mean(told, axis=0)
            rows.append((str(clusters), f"{pairs:,}", f"{by_interval:.1%}", f"{by_p:.1%}"))
    print_table(("samples", "simulated pairs", "told apart by interval", f"by p <= {ALPHA}"), rows)


if __name__ == "__main__":
    main()
