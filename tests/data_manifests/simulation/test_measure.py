"""Measurements of simulated objects, on shapes whose values are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from planktonbench.data_manifests.simulation.measure import FEATURES, REACH, measure

BACKGROUND = 170


def measured(image: np.ndarray, *, frame_known: bool = True) -> dict[str, float]:
    """Return the features of an image by name."""
    return dict(zip(FEATURES, measure(image, frame_known=frame_known), strict=True))


def disc(radius: int, *, hole: int = 0, grey: int = 60) -> np.ndarray:
    """Return a dark disc on a light background, with a clear hole."""
    image = np.full((4 * radius, 4 * radius), BACKGROUND, np.uint8)
    cv2.circle(image, (2 * radius, 2 * radius), radius, grey, cv2.FILLED)
    if hole:
        cv2.circle(image, (2 * radius, 2 * radius), hole, BACKGROUND, cv2.FILLED)
    return image


def test_a_disc_has_its_size() -> None:
    """With the rim by which the mask reaches beyond it: area, ellipse, feret and bounding box."""
    radius = 40
    rim = radius + REACH + 1  # the mask is smoothed by a pixel
    values = measured(disc(radius))

    assert values["area"] == pytest.approx(np.pi * rim**2, rel=0.04)
    for name in ("major", "minor", "feret", "width", "height"):
        assert values[name] == pytest.approx(2 * rim, rel=0.04)
    assert values["perim."] == pytest.approx(2 * np.pi * rim, rel=0.08)
    assert values["circ."] == pytest.approx(1, abs=0.15)


def test_grey_levels_are_relative_to_the_background() -> None:
    """The background is 255, and the darkest level in proportion."""
    values = measured(disc(30, grey=BACKGROUND // 2))

    assert values["min"] == pytest.approx(127.5)
    assert values["range"] == pytest.approx(127.5)
    assert values["histcum1"] == values["histcum2"] == values["histcum3"] == 128
    assert values["median"] == pytest.approx(127.5, abs=0.6)
    assert values["meanimagegrey"] == pytest.approx(disc(30, grey=BACKGROUND // 2).mean())


def test_grey_statistics_are_those_of_scipy() -> None:
    """Mean, deviation, skewness and excess kurtosis over the mask."""
    from scipy import stats

    rng = np.random.default_rng(0)
    image = np.full((60, 60), BACKGROUND, np.uint8)
    image[8:52, 8:52] = rng.integers(20, 140, (44, 44))
    values = measured(image)
    grey = np.clip(image * (255 / BACKGROUND), 0, 255)[3:57, 3:57].ravel()

    assert values["area"] == pytest.approx(len(grey), rel=0.03)
    assert values["mean"] == pytest.approx(grey.mean(), rel=0.02)
    assert values["stddev"] == pytest.approx(grey.std(), rel=0.02)
    assert values["skew"] == pytest.approx(stats.skew(grey), abs=0.05)
    assert values["kurt"] == pytest.approx(stats.kurtosis(grey), abs=0.05)


def test_holes_are_counted() -> None:
    """Their area and share; without one nothing is divided by it."""
    with_hole, without = measured(disc(40, hole=15)), measured(disc(40))

    assert with_hole["area_exc"] == pytest.approx(np.pi * 15**2, rel=0.05)
    assert with_hole["%area"] == pytest.approx(100 - 100 * with_hole["area_exc"] / with_hole["area"])
    assert with_hole["perimareaexc"] == pytest.approx(with_hole["perim."] / with_hole["area_exc"])
    assert without["area_exc"] == 0
    assert np.isnan(without["perimareaexc"])
    assert np.isnan(without["feretareaexc"])


def test_an_unknown_frame_divides_nothing() -> None:
    """The grey level of the frame is 0, and what is divided by it is missing."""
    values = measured(disc(20), frame_known=False)

    assert values["meanimagegrey"] == 0
    assert np.isnan(values["convarea_area"])
    assert np.isnan(values["nb1_area"])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_quarter_turn_changes_nothing_but_the_box(turns: int) -> None:
    """Width and height change places."""
    image = disc(30)
    cv2.ellipse(image, (60, 50), (40, 12), 20, 0, 360, 90, cv2.FILLED)
    one, two = measured(image), measured(np.ascontiguousarray(np.rot90(image, turns)))
    if turns % 2:
        two["width"], two["height"] = two["height"], two["width"]

    assert two == pytest.approx(one, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize("image", [np.full((5, 7), 170, np.uint8), np.zeros((6, 6), np.uint8)], ids=["empty", "black"])
def test_an_image_without_contrast_is_an_object_as_a_whole(image: np.ndarray) -> None:
    """Every value is a number or missing by its rule."""
    values = measured(image)

    assert values["area"] == image.size
    assert all(np.isfinite(value) for name, value in values.items() if not name.endswith(("areaexc", "_area")))
