"""Drawing programmes: each taxon of the manifest has one, and it draws a dark object within its frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.data_manifests.simulation.imaging import draw_conditions, photograph
from planktonbench.data_manifests.simulation.taxa import LONGEST, PROGRAMMES


def test_the_taxa_are_those_of_the_manifest() -> None:
    """They are in the same order, so that the number of a taxon is the same in both."""
    assert list(PROGRAMMES) == list(load_manifest("flowcam").classes)


@pytest.mark.parametrize("taxon", PROGRAMMES)
def test_objects_are_dark_on_light_and_within_the_frame(taxon: str) -> None:
    """For many seeds, the border is light, the inside is clearly darker, and the size is plausible."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        image = photograph(PROGRAMMES[taxon].body(rng), draw_conditions(np.random.default_rng(3)), rng)
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(float)

        assert image.dtype == np.uint8
        assert min(image.shape) >= 8
        assert max(image.shape) <= 2 * LONGEST
        assert 140 < np.median(border) < 200
        assert np.quantile(cv2.blur(image, (3, 3)), 0.02) < np.median(border) - 10
        assert np.mean(border < np.median(border) - 30) < 0.05


@pytest.mark.parametrize("taxon", PROGRAMMES)
def test_objects_of_a_taxon_differ(taxon: str) -> None:
    """They differ in size and shape, not only by noise."""
    densities = [PROGRAMMES[taxon].body(np.random.default_rng(seed)).density for seed in range(6)]

    assert len({density.tobytes() for density in densities}) == 6
    assert len({density.shape for density in densities}) > 3


@pytest.mark.parametrize("taxon", ["Copepoda", "Chaetoceros", "multiple (other)"])
def test_the_same_generator_draws_the_same_object(taxon: str) -> None:
    """The images are identical."""
    one, two = (PROGRAMMES[taxon].body(np.random.default_rng(9)).density for _ in range(2))

    assert np.array_equal(one, two)
