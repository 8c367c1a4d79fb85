"""Composition of a simulated data set: taxa in published proportions, unevenly distributed over samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LEAST_PER_TAXON = 12
OBJECTS_PER_SAMPLE = 250
FEWEST_SAMPLES, MOST_SAMPLES = 16, 400
EVENNESS = (
    0.7  # shape of the gamma distribution of a taxon's share in samples; below 1, some samples have very few objects
)


@dataclass(frozen=True)
class Composition:
    """Taxon and sample of every object, in the order of the files.

    Attributes:
        taxa: names of the taxa.
        taxon: position of each object's taxon in `taxa`, uint8 of shape (n_objects,).
        labelled: whether the taxon is given in the table, bool of shape (n_objects,).
        sample: number of each object's sample, uint16 of shape (n_objects,).
        n_samples: number of samples.

    """

    taxa: tuple[str, ...]
    taxon: NDArray[np.uint8]
    labelled: NDArray[np.bool_]
    sample: NDArray[np.uint16]
    n_samples: int

    def subset(self, rows: slice) -> Composition:
        """Return the composition of a slice of the objects."""
        return replace(self, taxon=self.taxon[rows], labelled=self.labelled[rows], sample=self.sample[rows])


def compose(published: Mapping[str, int], unlabelled: float, objects: int, rng: np.random.Generator) -> Composition:
    """Draw taxon and sample of each object.

    Args:
        published: number of objects of each taxon in the real data set; proportions are kept.
        unlabelled: share of objects without taxon in the table.
        objects: number of objects.
        rng: random generator.

    Raises:
        DataError: there are too few objects for `LEAST_PER_TAXON` of each taxon.

    """
    missing = round(unlabelled * objects)
    counts = apportion(np.array(list(published.values())), objects - missing)
    order = rng.permutation(objects)
    codes = np.empty(objects, np.uint8)
    codes[order[: objects - missing]] = np.repeat(np.arange(len(counts), dtype=np.uint8), counts)
    codes[order[objects - missing :]] = rng.choice(len(counts), missing, p=counts / counts.sum())
    labelled = np.ones(objects, bool)
    labelled[order[objects - missing :]] = False
    n_samples = int(np.clip(objects // OBJECTS_PER_SAMPLE, FEWEST_SAMPLES, MOST_SAMPLES))
    sizes = rng.gamma(3, size=n_samples)
    sample = np.empty(objects, np.uint16)
    for code in range(len(counts)):
        rows = np.flatnonzero(codes == code)
        shares = sizes * rng.gamma(EVENNESS, size=n_samples)
        sample[rows] = rng.choice(n_samples, len(rows), p=shares / shares.sum())
    return Composition(tuple(published), codes, labelled, sample, n_samples)


def apportion(published: NDArray[np.integer], objects: int) -> NDArray[np.int64]:
    """Distribute objects over taxa in published proportions, with at least `LEAST_PER_TAXON` each.

    Rounding follows the largest-remainder method; the extra objects of rare taxa are taken from the others.

    Raises:
        DataError: there are too few objects.

    """
    if objects < LEAST_PER_TAXON * len(published):
        least = int(np.ceil(LEAST_PER_TAXON * len(published) * 1.01))
        message = (
            f"{objects:,} labelled objects are too few for {len(published)} taxa of at least {LEAST_PER_TAXON} each; "
            f"request {least:,} objects or more."
        )
        raise DataError(message)
    rare = np.zeros(len(published), bool)
    while True:
        left = objects - LEAST_PER_TAXON * int(rare.sum())
        shares = np.where(rare, LEAST_PER_TAXON, left * published / published[~rare].sum())
        if not (shares < LEAST_PER_TAXON).any():
            break
        rare |= shares < LEAST_PER_TAXON
    counts = np.floor(shares).astype(np.int64)
    remainders = np.where(rare, -1.0, shares - counts)
    counts[np.argsort(-remainders, kind="stable")[: objects - counts.sum()]] += 1
    return counts
