"""Simulated predictions of methods of known quality, for studies of the statistics.

An object is recognised if a latent quality is positive: the skill of the method, the difficulties of the class, of the
object (for all methods), of the sample and, in patchy designs, of the class within the sample (for each method). In
patchy designs, classes also come in patches: their abundance varies between samples by a gamma distribution of shape
0.5. Objects that are not recognised are predicted as another class, large ones more often.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...reports.comparisons.paired_predictions import PairedPredictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SKILL = 1.1  # recognises about 70 % of the objects
CLASS_SD, OBJECT_SD, NOISE_SD, SAMPLE_SD = 0.8, 1.0, 1.0, 0.6
PATCH_SHAPE = 0.5
CLASS_SEED = 5  # the difficulties of the classes are the same in all replicates


@dataclass(frozen=True)
class SimulatedDesign:
    """SimulatedDesign of a simulated test set.

    Attributes:
        supports: expected number of objects of each class; approximate if patchy.
        samples: number of samples; 0 for independent objects.
        patchy: whether the abundance and the difficulty of a class vary between samples.

    """

    supports: tuple[float, ...]
    samples: int = 0
    patchy: bool = False

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.supports)

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return round(sum(self.supports))

    @property
    def n_units(self) -> int:
        """Number of samples, or of objects if there are no samples."""
        return self.samples or self.n_objects

    @property
    def shares(self) -> NDArray[np.float64]:
        """Expected share of each class."""
        return np.array(self.supports) / sum(self.supports)

    def __str__(self) -> str:
        """Return units, classes and supports in words."""
        units = f"{self.samples} samples, {'patchy' if self.patchy else 'even'}" if self.samples else "objects"
        low, high = min(self.supports), max(self.supports)
        support = f"support {low:.0f}" if low == high else f"support {low:.0f}-{high:.0f}"
        return f"{units}, {self.n_classes} classes, {support}"


def repeated(supports: Sequence[float], n_classes: int) -> tuple[float, ...]:
    """Return the supports of a number of classes, cycling through the given ones."""
    return tuple(np.resize(np.array(supports, float), n_classes).tolist())


@dataclass(frozen=True)
class TestSet:
    """Objects of a simulated test set.

    Attributes:
        design: its design.
        truth: class codes, int64 of shape (n_objects,).
        units: sample of each object, or the object, int64 of shape (n_objects,).
        quality: latent quality of each object for all methods, float64 of shape (n_objects,).

    """

    design: SimulatedDesign
    truth: NDArray[np.int64]
    units: NDArray[np.int64]
    quality: NDArray[np.float64]

    def take(self, rows: NDArray[np.integer]) -> TestSet:
        """Return some of the objects."""
        return replace(self, truth=self.truth[rows], units=self.units[rows], quality=self.quality[rows])

    def predicted(self, effects: NDArray[np.float64], rng: np.random.Generator) -> PairedPredictions:
        """Return predictions of methods.

        Args:
            effects: skill of each method for each object, float64 of shape (n_methods, n_objects).
            rng: random generator.

        """
        recognised = self.quality + effects + rng.normal(0, NOISE_SD, effects.shape) > 0
        shares = np.sqrt(self.design.shares)
        guessed = rng.choice(self.design.n_classes, effects.shape, p=shares / shares.sum())
        return PairedPredictions(self.truth, np.where(recognised, self.truth, guessed), self.units)


def draw_test_set(design: SimulatedDesign, rng: np.random.Generator) -> TestSet:
    """Draw the objects of a test set."""
    n = design.n_objects
    units = np.sort(rng.integers(design.samples, size=n)) if design.samples else np.arange(n)
    if design.patchy:
        abundance = rng.gamma(PATCH_SHAPE, 1 / PATCH_SHAPE, (design.samples, design.n_classes)) * design.shares
        shares = abundance / abundance.sum(axis=1, keepdims=True)
        truth = (rng.random(n)[:, None] > shares.cumsum(axis=1)[units]).sum(axis=1).clip(max=design.n_classes - 1)
    else:
        truth = rng.choice(design.n_classes, n, p=design.shares)
    of_class = np.random.default_rng(CLASS_SEED).normal(0, CLASS_SD, design.n_classes)
    return TestSet(design, truth, units, of_class[truth] + rng.normal(0, OBJECT_SD, n))


def sample_effects(test_set: TestSet, n_methods: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the difficulty of each object's sample for each method, float64 of shape (n_methods, n_objects)."""
    design = test_set.design
    if not design.samples:
        return np.zeros((n_methods, len(test_set.truth)))
    effects = rng.normal(0, SAMPLE_SD, (n_methods, design.samples, 1))
    if design.patchy:
        return (effects + rng.normal(0, SAMPLE_SD, (n_methods, design.samples, design.n_classes)))[
            :, test_set.units, test_set.truth
        ]
    return effects[:, test_set.units, 0]


def draw_predictions(design: SimulatedDesign, skills: Sequence[float], rng: np.random.Generator) -> PairedPredictions:
    """Draw a test set and the predictions of methods for it.

    Args:
        design: design of the test set.
        skills: skill of each method relative to `SKILL`; methods of the same skill are equally good.
        rng: random generator.

    """
    test_set = draw_test_set(design, rng)
    effects = sample_effects(test_set, len(skills), rng) + SKILL + np.array(skills)[:, None]
    return test_set.predicted(effects, rng)
