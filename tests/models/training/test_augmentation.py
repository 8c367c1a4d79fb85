"""Augmentations: comparison with NumPy and SciPy, and properties that hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench.models.training.augmentation import VIEWS, Augmentation, turned
from planktonbench.models.training.recipe import Recipe
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 32
EACH: list[dict[str, Any]] = [
    {"rotate90": True},
    {"flip": True},
    {"rotation": 20.0},
    {"shift": 0.2},
    {"zoom": 0.3},
    {"noise": 0.05},
]


def pictures(n: int = 40) -> NDArray[np.uint8]:
    """Return distinct images of smooth random shapes on a uniform background."""
    rng = np.random.default_rng(1)
    grey = np.full((n, SIDE, SIDE), 20.0)
    grey[:, 8:-8, 8:-8] += 200 * rng.random((n, SIDE - 16, SIDE - 16))
    smooth = ndimage.gaussian_filter(grey, (0, 1.5, 1.5), mode="nearest")
    return smooth.astype(np.uint8)


def changed(seed: int = 0, **options: Any) -> NDArray[np.uint8]:  # noqa: ANN401 - of several types
    """Return the augmented pictures."""
    return Augmentation(**options).apply(pictures(), np.random.default_rng(seed))


def which_views(images: NDArray[np.uint8]) -> list[list[int]]:
    """Return for each image the views of its original that it equals."""
    views = [turned(pictures()[..., None], view)[..., 0] for view in range(VIEWS)]
    return [[k for k in range(VIEWS) if (views[k][i] == image).all()] for i, image in enumerate(images)]


def test_eight_views_equal_those_of_numpy() -> None:
    """They are the quarter turns and their mirror images, each once."""
    image = pictures(1)[..., None]
    expected = [np.rot90(image[0], k) for k in range(4)] + [np.fliplr(np.rot90(image[0], k)) for k in range(4)]

    assert all((turned(image, view)[0] == expected[view]).all() for view in range(VIEWS))
    assert len({turned(image, view).tobytes() for view in range(VIEWS)}) == VIEWS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"rotate90": True}, {0, 1, 2, 3}),
        ({"flip": True}, {0, 4}),
        ({"rotate90": True, "flip": True}, set(range(VIEWS))),
        ({}, {0}),
    ],
)
def test_turns_and_flips_draw_from_their_views(options: dict[str, bool], expected: set[int]) -> None:
    """Every image is one of the enabled views, and all of these occur among forty images."""
    found = which_views(changed(**options))

    assert all(len(views) == 1 for views in found)
    assert {view for views in found for view in views} == expected


@pytest.mark.parametrize("options", EACH, ids=lambda options: next(iter(options)))
def test_augmentation_depends_on_its_generator_only(options: dict[str, Any]) -> None:
    """Most images change; the same draws give identical images, others do not; the originals are left unchanged."""
    before = pictures()
    same = (changed(**options) == before).all(axis=(1, 2)).mean()

    assert same < 0.8
    assert (changed(**options) == changed(**options)).all()
    assert (changed(**options) != changed(1, **options)).any()


@pytest.mark.parametrize("options", EACH, ids=lambda options: next(iter(options)))
def test_augmentation_keeps_shape_and_background(options: dict[str, Any]) -> None:
    """Images stay uint8 of the same shape, and new pixels have the level of the background."""
    images = changed(**options)
    corners = images[:, :: SIDE - 1, :: SIDE - 1].astype(float)

    assert images.shape == pictures().shape
    assert images.dtype == np.uint8
    assert abs(np.median(corners) - 20) <= 2


def test_shift_moves_the_centre_by_at_most_its_share() -> None:
    """Centres of mass move by up to a fifth of the side, in both directions."""
    moved = centres(changed(shift=0.2)) - centres(pictures())

    assert 0.1 * SIDE < np.abs(moved).max() <= 0.2 * SIDE + 0.5
    assert (moved.min(), moved.max()) == (pytest.approx(-moved.max(), abs=2.5), pytest.approx(-moved.min(), abs=2.5))


def centres(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the centre of mass of each image above the background, shape (n, 2)."""
    return np.array([ndimage.center_of_mass(np.maximum(image.astype(float) - 25, 0)) for image in images])


def test_rotation_and_zoom_leave_the_centre_and_scale_the_area() -> None:
    """A central bright disc stays in place under rotation, and its area scales with the square of the zoom."""
    y, x = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    disc = np.where(np.hypot(x, y) < 8, 200, 20).astype(np.uint8)
    discs = np.repeat(disc[None], 60, axis=0)
    rotated = Augmentation(rotation=45.0).apply(discs, np.random.default_rng(0))
    zoomed = Augmentation(zoom=0.25).apply(discs, np.random.default_rng(0))
    area = (zoomed > 110).sum(axis=(1, 2)) / (disc > 110).sum()

    assert np.abs(centres(rotated) - (SIDE - 1) / 2).max() < 0.2
    assert 0.75**2 - 0.05 < area.min() < 0.65
    assert 1.45 < area.max() < 1.25**2 + 0.05


def test_resampling_equals_that_of_scipy() -> None:
    """Rotating, scaling and shifting a smooth image at once agrees with SciPy's linear interpolation."""
    options = {"rotation": 30.0, "zoom": 0.2, "shift": 0.1}
    images = pictures(3)
    rng = np.random.default_rng(5)
    found = Augmentation(**options).apply(images, np.random.default_rng(5))
    angle = np.radians(rng.uniform(-30, 30, 3))
    factor = 1 + rng.uniform(-0.2, 0.2, 3)
    offset = rng.uniform(-0.1, 0.1, (3, 2))[:, ::-1] * SIDE  # down, then to the right

    for number, image in enumerate(images):
        cosine, sine = np.cos(angle[number]), np.sin(angle[number])
        back = np.array([[cosine, sine], [-sine, cosine]]) / factor[number]  # output to input coordinates
        middle = np.full(2, (SIDE - 1) / 2)
        expected = ndimage.affine_transform(
            image.astype(float), back, middle - back @ (middle + offset[number]), order=1, cval=20
        )
        assert np.abs(found[number] - expected).max() < 4


def test_noise_has_the_given_standard_deviation() -> None:
    """Gaussian noise of 0.05 is 12.75 grey levels, does not shift the mean, and differs between images."""
    grey = np.full((50, SIDE, SIDE), 128, np.uint8)
    noise = Augmentation(noise=0.05).apply(grey, np.random.default_rng(0)).astype(float) - 128

    assert noise.std() == pytest.approx(12.75, rel=0.02)
    assert abs(noise.mean()) < 0.2
    assert len({image.tobytes() for image in noise}) == 50


def test_augmentation_of_a_recipe() -> None:
    """The augmentation has the values of the recipe."""
    recipe = Recipe(rotate90=False, flip=True, shift=0.1)

    assert Augmentation.of(recipe) == Augmentation(flip=True, shift=0.1)
    assert not Recipe(rotate90=False, flip=False).augments
