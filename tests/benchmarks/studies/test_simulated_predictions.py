"""Simulated predictions: supports, samples, patches and the quality of methods are as designed."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies.simulated_predictions import (
    SimulatedDesign,
    draw_predictions,
    draw_test_set,
    repeated,
)

EVEN, PATCHY = SimulatedDesign(repeated([200, 50], 6), 40), SimulatedDesign(repeated([200, 50], 6), 40, patchy=True)


def test_classes_have_their_expected_support() -> None:
    """On average over test sets; approximately if patchy, since samples with little of all classes raise rare ones."""
    for design, tolerance in ((EVEN, 0.1), (PATCHY, 0.5)):
        drawn = [draw_test_set(design, np.random.default_rng(seed)).truth for seed in range(200)]
        counts = np.mean([np.bincount(truth, minlength=design.n_classes) for truth in drawn], axis=0)
        np.testing.assert_allclose(counts, design.supports, rtol=tolerance)


def test_classes_of_a_patchy_design_come_in_patches() -> None:
    """The number of objects of a class varies between samples more than by chance (a variance above its mean)."""

    def dispersion(design: SimulatedDesign) -> float:
        drawn = draw_test_set(design, np.random.default_rng(1))
        counts = np.bincount(drawn.units[drawn.truth == 0], minlength=design.samples)
        return float(counts.var() / counts.mean())

    assert dispersion(EVEN) < 2
    assert dispersion(PATCHY) > 3


@pytest.mark.parametrize("design", [EVEN, PATCHY, SimulatedDesign(repeated([300], 5))])
def test_methods_of_the_same_skill_are_equally_good(design: SimulatedDesign) -> None:
    """Their mean accuracies over test sets agree; a method of less skill is worse."""
    drawn = [draw_predictions(design, (0, 0, -0.5), np.random.default_rng(seed)) for seed in range(60)]
    accuracy = np.mean([(one.predicted == one.truth).mean(axis=1) for one in drawn], axis=0)

    assert accuracy[0] == pytest.approx(accuracy[1], abs=0.02)
    assert accuracy[2] < accuracy[0] - 0.05


def test_without_samples_each_object_is_a_unit() -> None:
    """The number of units is that of the objects."""
    design = SimulatedDesign((5, 3))

    assert draw_test_set(design, np.random.default_rng(0)).units.tolist() == list(range(8))
    assert design.n_units == 8
    assert str(design) == "objects, 2 classes, support 3-5"
