"""Tests of the reference implementations on shapes with known features, and of their agreement with the kernels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from planktonbench.benchmarks.feature_validation.formulas import histogram_levels
from planktonbench.benchmarks.feature_validation.outline_walks import (
    boundary_chains,
    chain_length,
    elliptic_fourier,
    skeleton_length,
)
from planktonbench.benchmarks.feature_validation.reference import reference_features
from planktonbench.benchmarks.feature_validation.shapes import LIGHT, Shape, shapes
from planktonbench.benchmarks.feature_validation.subject import PAD, Subject
from planktonbench.features.measured.catalogue import NAMES
from planktonbench.features.measured.measure import measure_chunk
from planktonbench.features.measured.objects.segmentation import Segmentation

SHAPES = {shape.name: shape for shape in shapes()}


def reference_values(shape: Shape) -> dict[str, float]:
    """Return the reference values of all features; the last program takes precedence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # some programs divide by zero
        found = reference_features(Subject.of(shape.image, shape.mask))
    return {
        name: value
        for program in ("mahotas", "scikit-image", "SciPy", "NumPy")
        for name, value in found[program].items()
    }


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (
            "rectangle",
            {
                "area": 64 * 16, "width": 64, "height": 16, "extent": 1, "angle": 0,
                "perim.": 2 * (63 + 15) + np.pi, "convarea": 64 * 16 - 0.5, "solidity": 1024 / 1023.5, "minferet": 16,
                "feret": np.hypot(64, 15), "thickmax": 15, "symetrieh": 1, "symetrievc": 1, "stddev": 0,
                "section1_area": 1 / 8, "section5_contrast": 150, "nu20": (64**2 - 1) / 12 / (64 * 16),
                "major": 4 * np.sqrt((64**2 - 1) / 12), "major_zp": np.sqrt(4 * 64 * 64 / np.pi), "elongation": 4,
            },
        ),
        ("ring", {"holes": 1, "pieces": 1, "symetriev": 1, "hu2": 0, "hu3": 0}),
        ("two discs", {"pieces": 2, "holes": 0}),
        ("line", {"skelarea": 40, "skellength": 39, "perim.": 2 * 39 + np.pi, "minor": 0, "eccentricity": 1}),
        ("slanting line", {"skellength": 39 * np.sqrt(2), "angle": 135, "pieces": 1, "fcons": 0}),
        ("pixel", {"area": 1, "perim.": np.pi, "convarea": 0.5, "feret": 1, "thickmax": 1, "esd": 2 / np.sqrt(np.pi)}),
    ],
)  # fmt: skip
def test_reference_values_match_known_values(name: str, known: dict[str, float]) -> None:
    """Lengths, areas and moments of plain shapes equal the analytical values."""
    found = reference_values(SHAPES[name])

    assert {key: found[key] for key in known} == pytest.approx(known, abs=1e-3 if name == "ring" else 1e-9)


def test_reference_values_of_a_disc() -> None:
    """Diameter and fractal dimension are close to the ideal values; there is no major axis."""
    found = reference_values(SHAPES["disc"])

    assert found["esd"] == pytest.approx(60, rel=0.01)
    assert found["feret"] == pytest.approx(60, abs=1)
    assert found["fractal"] == pytest.approx(1, abs=0.05)
    assert np.isnan(found["angle"])
    assert np.isnan(found["symetriehc"])


@pytest.mark.parametrize("name", SHAPES)
def test_kernels_agree_with_reference_implementations(name: str) -> None:
    """Every feature of every shape equals its reference, including undefined values."""
    shape = SHAPES[name]
    ours = dict(zip(NAMES, measure_chunk([shape.image], Segmentation(), [shape.mask])[0].tolist(), strict=True))
    expected = reference_values(shape)
    wrong = [f for f in NAMES if ours[f] != pytest.approx(expected[f], rel=1e-6, abs=tolerance(f, shape), nan_ok=True)]

    assert set(NAMES) <= set(expected)
    assert not {feature: (ours[feature], expected[feature]) for feature in wrong}


def tolerance(feature: str, shape: Shape) -> float:
    """Return the tolerance of a feature, which is larger than rounding if implementations differ."""
    if feature.startswith(("lbp_r2", "lbp_r3", "lbp_s")):
        return 2 / shape.mask.sum()  # interpolated positions differ by up to 1/2048 px, which affects ties
    if feature.startswith("zernike"):
        return 2e-3  # OpenCV interpolates with a resolution of 1/32 px
    return 1e-2 if "hu7" in feature else 1e-6  # close to 0, in units of its rounding error


def test_narrow_structures_are_traced_twice() -> None:
    """The border of a square with a tail runs along the tail in both directions."""
    form = np.zeros((8, 10), bool)
    form[2:5, 2:5], form[3, 5:8] = True, True
    (chain,) = boundary_chains(form)

    assert chain_length(chain) == pytest.approx(2 + 2 + 2 + 2 * 2 + 2 * np.sqrt(2))
    assert (chain == [3, 6]).all(axis=1).sum() == 2


def test_the_first_harmonic_dominates_in_a_circle() -> None:
    """The first amplitude of a disc combines its radius in x and y; other amplitudes are small."""
    (chain,) = boundary_chains(np.pad(SHAPES["disc"].mask > 0, PAD))
    amplitudes = elliptic_fourier(chain, 12)

    assert amplitudes[0] == pytest.approx(30 * np.sqrt(2), rel=0.02)
    assert (amplitudes[1:] < 0.03 * amplitudes[0]).all()


def test_a_corner_of_a_skeleton_is_not_counted_twice() -> None:
    """Three pixels around a corner have two direct links and no diagonal one."""
    corner = np.zeros((4, 4), bool)
    corner[1, 1:3], corner[2, 2] = True, True

    assert skeleton_length(corner) == 2


def test_histogram_levels_are_interpolated_within_a_grey_level() -> None:
    """Four pixels of a single level reach 25 % at a quarter of the width of the level."""
    assert histogram_levels(np.array([7.0] * 4)) == [6.75, 7.0, 7.25]


def test_a_subject_has_a_margin_of_background() -> None:
    """The padding has the grey level of the background and no object pixels."""
    subject = Subject.of(SHAPES["disc"].image, SHAPES["disc"].mask)

    assert (subject.grey[:PAD] == LIGHT).all()
    assert not subject.filled[:PAD].any()
    assert subject.contrast.max() == LIGHT - 90
