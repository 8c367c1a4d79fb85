"""Tests of properties that hold for all features: independent rows, scaling, translation, undefined values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation.rotation_invariance import mirrored, turned
from planktonbench.benchmarks.feature_validation.shapes import Shape, shapes
from planktonbench.features.measured.catalogue import FEATURES, GROUPS, NAMES
from planktonbench.features.measured.measure import measure_chunk
from planktonbench.features.measured.objects.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = {shape.name: shape for shape in shapes()}
BLOBS = [shape for name, shape in SHAPES.items() if name.startswith("blob")]
OPTIONS = Segmentation(background="light")
PLACE = {name: position for position, name in enumerate(NAMES)}


def test_features_are_unique_and_documented() -> None:
    """Each feature has a unique name, a formula and a source."""
    assert len(set(NAMES)) == len(NAMES)
    assert all(feature.formula and feature.source for feature in FEATURES)
    assert {feature.unit for feature in FEATURES} == {"px", "px²", "grey", "°", ""}


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """An image measured alone, with others, and with others in reverse order gives the same row, up to rounding."""
    images = [shape.image for shape in SHAPES.values()]
    together, reverse = measure_chunk(images, OPTIONS), measure_chunk(images[::-1], OPTIONS)[::-1]
    alone = np.concatenate([measure_chunk([image], OPTIONS) for image in images])

    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(together, reverse, rtol=1e-9, atol=1e-12)


def test_repeated_calls_give_identical_values() -> None:
    """The values do not depend on the memory addresses of arrays."""
    images = [shape.image for shape in SHAPES.values()]
    first = measure_chunk(images, OPTIONS)

    for _ in range(5):
        again = measure_chunk([image.copy() for image in images], OPTIONS)
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    "image",
    [
        np.full((1, 1), 7, np.uint8),
        np.full((40, 50), 255, np.uint8),
        np.zeros((40, 50), np.uint8),
        np.arange(60, dtype=np.uint8)[None],
        np.arange(60, dtype=np.uint8)[:, None],
        np.random.default_rng(0).integers(0, 256, (50, 60)).astype(np.uint8),
        (np.indices((50, 50)).sum(axis=0) % 2 * 255).astype(np.uint8),
        np.eye(50, dtype=np.uint8) * 255,
    ],
    ids=["pixel", "white", "black", "row", "column", "noise", "chequers", "diagonal"],
)
@pytest.mark.parametrize("mask", ["none", "empty", "full", "chequers", "pixel"])
@pytest.mark.filterwarnings("error")
def test_unusual_images_give_a_row(image: np.ndarray, mask: str) -> None:
    """Any image and mask: no warning, no infinite value, and an area equal to the number of pixels."""
    masks = {
        "empty": np.zeros_like(image),
        "full": np.ones_like(image),
        "chequers": (np.indices(image.shape).sum(axis=0) % 2 == 0).astype(np.uint8),
        "pixel": np.pad(np.ones((1, 1), np.uint8), [(0, side - 1) for side in image.shape]),
    }
    (row,) = measure_chunk([image], Segmentation(), [masks.get(mask)])
    area_exc = row[PLACE["area_exc"]]

    assert not np.isinf(row).any()
    assert mask == "none" or area_exc == masks[mask].sum()
    assert row[PLACE["area"]] >= area_exc
    assert row[PLACE["meanimagegrey"]] == pytest.approx(image.mean())
    assert area_exc > 0 or np.isnan(np.delete(row, [PLACE[n] for n in ("area", "area_exc", "pieces", "holes")])).sum()


def test_without_an_object_only_counts_are_defined() -> None:
    """Areas, pieces and holes are 0, the frame has its grey level, and all other values are missing."""
    (row,) = measure_chunk([np.full((30, 40), 200, np.uint8)], OPTIONS)
    known = {name: row[place] for name, place in PLACE.items() if not np.isnan(row[place])}

    assert known == {"area": 0, "area_exc": 0, "pieces": 0, "holes": 0, "meanimagegrey": 200}


def test_a_single_pixel_has_no_direction() -> None:
    """Features undefined for a single pixel are missing: eccentricity, angle, grey-level spread, neighbour pairs."""
    image = np.full((9, 9), 240, np.uint8)
    image[4, 4] = 10
    (row,) = measure_chunk([image], OPTIONS, [(image < 100).astype(np.uint8)])
    missing = ("angle", "eccentricity", "stddev", "skew", "kurt", "slope", "sr", "meanpos", "efd2", "fcons",
               "symetriehc", "perimmajor", "haralick_asm_d1", "haralick_correlation_d4", "section1_area",
               "nb1_range")  # fmt: skip

    assert np.isnan(row[[PLACE[name] for name in missing]]).all()
    assert (row[PLACE["area"]], row[PLACE["feret"]], row[PLACE["convarea"]], row[PLACE["elongation"]]) == (1, 1, 0.5, 1)


@pytest.mark.parametrize("shape", BLOBS[:4], ids=lambda shape: shape.name)
def test_moving_an_object_changes_nothing(shape: Shape) -> None:
    """More background on two sides moves the object in its image."""
    moved = [np.pad(array, ((11, 0), (5, 2)), constant_values=array[0, 0]) for array in (shape.image, shape.mask)]
    (here,) = measure_chunk([shape.image], OPTIONS, [shape.mask])
    (there,) = measure_chunk([moved[0]], OPTIONS, [moved[1]])
    same = [place for name, place in PLACE.items() if name != "meanimagegrey"]

    np.testing.assert_allclose(there[same], here[same], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", BLOBS[:4], ids=lambda shape: shape.name)
def test_doubling_the_size_doubles_lengths(shape: Shape) -> None:
    """At twice the size, an object has four times the area, about twice the lengths, and the same grey levels."""
    pixels = np.ones((2, 2), np.uint8)
    (large,) = measure_chunk([np.kron(shape.image, pixels)], OPTIONS, [np.kron(shape.mask, pixels)])
    (small,) = measure_chunk([shape.image], OPTIONS, [shape.mask])
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = dict(zip(NAMES, large / small, strict=True))

    for feature in ("area", "area_exc", "bbox_area"):
        assert factor[feature] == 4
    for feature in ("width", "height", "esd"):
        assert factor[feature] == pytest.approx(2)
    for feature in ("major", "minor", "feret", "minferet", "perim.", "convperim", "thickmax"):
        assert factor[feature] == pytest.approx(2, rel=0.12)
    for feature in ("mean", "median", "min", "max", "mode", "entropy", "elongation", "%area", "holes", "symetrieh"):
        assert factor[feature] == pytest.approx(1, rel=0.05) or small[PLACE[feature]] == 0


@pytest.mark.parametrize("shape", BLOBS[:4], ids=lambda shape: shape.name)
@pytest.mark.parametrize("change", [turned, mirrored])
def test_rotation_and_mirroring_change_nothing(shape: Shape, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Features of pixels, pairs, neighbours and distances are the same for the rotated and for the mirrored image."""
    (here,) = measure_chunk([shape.image], OPTIONS, [shape.mask])
    (there,) = measure_chunk([change(shape.image)], OPTIONS, [change(shape.mask)])
    free = {"hull", "outline", "thickness", "boundary", "contrast", "cooccurrence", "patterns", "smoothed", "gradients",
            "granulometry", "angular"}  # fmt: skip
    same = [place for place, feature in enumerate(FEATURES) if feature.group in free]

    np.testing.assert_allclose(there[same], here[same], rtol=1e-9, atol=1e-9)


def test_angular_harmonics_of_simple_shapes() -> None:
    """A bar has only even angular harmonics; a square has only the fourth and the eighth."""
    (bar,) = measure_chunk([SHAPES["line"].image], OPTIONS, [SHAPES["line"].mask])
    (square,) = measure_chunk([SHAPES["square"].image], OPTIONS, [SHAPES["square"].mask])
    for weight in ("contrast", "spread", "rim"):
        of_bar, of_square = ([row[PLACE[f"angular_{weight}{m}"]] for m in range(1, 9)] for row in (bar, square))

        assert of_bar == pytest.approx([0, 1] * 4, abs=1e-9)
        assert of_square == pytest.approx([0, 0, 0, of_square[3], 0, 0, 0, of_square[7]], abs=1e-9)
    assert square[PLACE["angular_rim4"]] > 0.1


def test_smoothing_reduces_the_effect_of_pixel_noise() -> None:
    """For broad stripes with weak noise, patterns of the smoothed image are far more often uniform."""
    rows, columns = np.indices((60, 60))
    noise = np.random.default_rng(0).normal(0, 12, rows.shape)
    image = np.clip(120 + 60 * np.sin(columns / 12) + noise, 0, 255).astype(np.uint8)
    (row,) = measure_chunk([image], OPTIONS, [np.ones_like(image)])

    assert row[PLACE["lbp_s1_r2_9"]] < row[PLACE["lbp_r2_9"]] / 3
    assert row[PLACE["lbp_s2_r4_9"]] < row[PLACE["lbp_r3_9"]] / 3


def test_contrast_is_counted_in_its_bin() -> None:
    """A disc of 90 on 240 has a contrast of 150, which is in the bin from 144 to 159."""
    (row,) = measure_chunk([SHAPES["disc"].image], OPTIONS, [SHAPES["disc"].mask])

    assert [row[PLACE[f"contrast_bin{k}"]] for k in range(1, 17)] == [float(k == 10) for k in range(1, 17)]


def test_groups_can_be_measured_separately() -> None:
    """A single group gives the same values as all groups together, and no other columns."""
    image = BLOBS[0].image
    (everything,) = measure_chunk([image], OPTIONS)
    for group in GROUPS:
        (row,) = measure_chunk([image], OPTIONS, groups=frozenset({group}))
        own = [place for place, feature in enumerate(FEATURES) if feature.group == group]

        np.testing.assert_array_equal(row[own], everything[own])
        assert np.isnan(np.delete(row, own)).all()


def test_a_large_image_gives_a_row() -> None:
    """A cross of 4,800 px in an image of 5,000 × 5,000 px is measured."""
    image = np.full((5000, 5000), 250, np.uint8)
    image[2440:2560, 100:4900] = image[100:4900, 2440:2560] = 60
    (row,) = measure_chunk([image], OPTIONS, [(image < 100).astype(np.uint8)])

    assert row[PLACE["area"]] == 2 * 4800 * 120 - 120**2
    assert row[PLACE["thickmax"]] >= 119
    assert row[PLACE["skellength"]] == pytest.approx(2 * 4800, rel=0.05)
    assert row[PLACE["skelends"]] == 4
    assert row[PLACE["symetriehc"]] == row[PLACE["symetriev"]] == 1 or np.isnan(row[PLACE["symetriehc"]])
    assert not np.isinf(row).any()
