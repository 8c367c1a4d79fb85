"""Form of network images: bright on dark, with preserved proportions and the channels of source 001."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from planktonbench.data_manifests.errors import TrackError
from planktonbench.features.network_images.form import (
    ImageForm,
    Source,
    add_channels,
    bright_area,
    channels_of,
    cropped,
    prepare,
)
from skimage.filters import threshold_otsu
from skimage.morphology import opening

Grey = NDArray[np.uint8]

SIDE = 32
FORM = ImageForm(side=SIDE)
STRETCHED = ImageForm(side=SIDE, resize="stretch")
LIGHT, DARK = Source("light"), Source("dark")
IMAGES = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70))
BATCHES = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(SIDE), st.just(SIDE)))


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Compile the kernels, so that the first example does not exceed the deadline of hypothesis."""
    add_channels(np.zeros((1, SIDE, SIDE), np.uint8), FORM)
    cropped(rectangle(8, 8))


def rectangle(height: int, width: int, *, margin: int = 40) -> Grey:
    """Return a bright rectangle in the middle of a dark image."""
    image = np.zeros((height + margin, width + margin), np.uint8)
    image[margin // 2 : margin // 2 + height, margin // 2 : margin // 2 + width] = 200
    return image


@given(image=IMAGES, form=st.sampled_from([FORM, STRETCHED]))
def test_light_and_dark_background_are_equivalent(image: Grey, form: ImageForm) -> None:
    """An image and its negative give the same network image."""
    assert (prepare(255 - image, form, LIGHT) == prepare(image, form, DARK)).all()


def test_background_is_inferred_from_the_border() -> None:
    """It is inferred if the manifest does not state it."""
    image = rectangle(20, 30)

    assert (prepare(255 - image, FORM, Source()) == prepare(image, FORM, Source())).all()
    assert (prepare(image, FORM, Source()) == prepare(image, FORM, DARK)).all()


@given(
    image=hnp.arrays(np.uint8, st.integers(2, 70).map(lambda side: (side, side))),
    turns=st.integers(1, 3),
    source=st.sampled_from([LIGHT, DARK]),
)
def test_rotation_commutes_with_preparation(image: Grey, turns: int, source: Source) -> None:
    """Results are equal within one grey level, since OpenCV sums rows before columns."""
    rotated = prepare(np.rot90(image, turns).copy(), FORM, source).astype(int)

    assert np.abs(rotated - np.rot90(prepare(image, FORM, source), turns)).max() <= 1


@given(batch=BATCHES, turns=st.integers(1, 3))
def test_rotation_commutes_with_channels(batch: Grey, turns: int) -> None:
    """All three channels are identical."""
    rotated = np.rot90(batch, turns, axes=(1, 2))

    assert (add_channels(rotated, FORM) == np.rot90(add_channels(batch, FORM), turns, axes=(1, 2))).all()


@settings(max_examples=50)
@given(height=st.integers(20, 300), width=st.integers(20, 300))
def test_padding_preserves_proportions(height: int, width: int) -> None:
    """Both sides of the object are scaled by the factor of the longer side of the image, within a pixel."""
    grey = prepare(rectangle(height, width), FORM, DARK)
    factor = SIDE / (max(height, width) + 40)
    bright = grey / grey.max()  # thin objects may not cover any row of pixels completely

    assert bright.sum(axis=0).max() == pytest.approx(height * factor, abs=0.6)
    assert bright.sum(axis=1).max() == pytest.approx(width * factor, abs=0.6)


@given(image=IMAGES)
def test_stretching_equals_source_001(image: Grey) -> None:
    """The inverted image is resized with bicubic interpolation, regardless of its proportions."""
    expected = cv2.resize(255 - image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)

    assert (prepare(image, STRETCHED, LIGHT) == expected).all()


def test_padding_has_the_level_of_the_background() -> None:
    """There is no edge at the border of the image; a light background is inverted."""
    image = np.full((10, 64), 235, np.uint8)

    assert (prepare(image, FORM, LIGHT) == 20).all()
    assert (prepare(image, FORM, DARK) == 235).all()


def test_extra_row_of_padding_is_at_the_bottom() -> None:
    """Otherwise the image is centred."""
    image = np.full((SIDE - 3, SIDE), 200, np.uint8)
    image[1:-1, 1:-1] = 90
    grey = prepare(image, FORM, LIGHT)

    assert (np.flatnonzero((grey == 165).any(axis=1)) == np.arange(2, SIDE - 3)).all()


def test_scale_bar_is_cropped() -> None:
    """The network image is that of the image without its scale bar."""
    image = rectangle(20, 30)
    with_bar = np.vstack([image, np.full((12, image.shape[1]), 255, np.uint8)])

    assert (prepare(with_bar, FORM, Source("dark", scale_bar=12)) == prepare(image, FORM, DARK)).all()


def test_shrinking_averages() -> None:
    """No pixel is skipped: one bright pixel in 400 contributes 1/400 of its value."""
    image = np.zeros((20 * SIDE, 20 * SIDE), np.uint8)
    image[::20, ::20] = 200

    assert (prepare(image, FORM, DARK) == np.rint(200 / 400)).all()


@given(batch=BATCHES)
def test_threshold_and_opening_equal_scikit_image(batch: Grey) -> None:
    """The opening ignores pixels outside of the image."""
    network_images = add_channels(batch, FORM)
    for grey, channels in zip(batch, network_images, strict=True):
        flat = grey.min() == grey.max()
        above = np.zeros_like(grey, bool) if flat else grey > threshold_otsu(grey)

        assert (channels[..., 0] == grey).all()
        assert (channels[..., 1] == 255 * above).all()
        assert (channels[..., 2] == opening(grey, np.ones((3, 3)), mode="ignore")).all()


@given(batch=BATCHES)
def test_channels_equal_opencv(batch: Grey) -> None:
    """Source 001 used these functions, one image at a time."""
    for grey, channels in zip(batch, add_channels(batch, FORM), strict=True):
        _, above = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        opened = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))

        assert grey.min() == grey.max() or (channels[..., 1] == above).all()
        assert (channels[..., 2] == opened).all()


def test_opening_removes_bright_specks() -> None:
    """A speck of 2 × 2 pixels is removed; a square of 3 × 3 pixels remains."""
    batch = np.zeros((1, SIDE, SIDE), np.uint8)
    batch[0, 4:6, 4:6] = 255
    batch[0, 20:23, 20:23] = 180
    opened = add_channels(batch, FORM)[0, ..., 2]

    assert not opened[:10, :10].any()
    assert (opened[20:23, 20:23] == 180).all()


def test_threshold_can_be_set() -> None:
    """Pixels above the threshold are 255, and pixels equal to it are 0."""
    batch = np.arange(SIDE * SIDE, dtype=np.uint16).astype(np.uint8).reshape(1, SIDE, SIDE)
    above = add_channels(batch, ImageForm(side=SIDE, threshold=100))[..., 1]

    assert ((above == 255) == (batch > 100)).all()
    assert set(np.unique(above)) == {0, 255}


@pytest.mark.parametrize("threshold", [None, 90])
def test_area_uses_the_same_threshold(threshold: int | None) -> None:
    """The area is that of the image before resizing."""
    image = rectangle(20, 30)

    assert bright_area(image, ImageForm(threshold=threshold)) == 600


@given(image=hnp.arrays(np.uint8, (SIDE, SIDE)))
def test_area_agrees_with_threshold_channel(image: Grey) -> None:
    """They are equal for images that need no resizing, including flat ones."""
    assert bright_area(image, FORM) == np.count_nonzero(add_channels(image[None], FORM)[..., 1])


def test_flat_image_has_no_pixels_above_the_threshold() -> None:
    """A flat image shows no object."""
    flat = np.full((1, SIDE, SIDE), 20, np.uint8)

    assert not add_channels(flat, FORM)[..., 1].any()
    assert bright_area(flat[0], FORM) == 0


def test_batch_may_be_empty_or_not_contiguous() -> None:
    """Slices of a larger array are not contiguous."""
    batch = np.random.default_rng(0).integers(0, 256, (3, 2 * SIDE, SIDE), np.uint8)[:, ::2]

    assert add_channels(batch[:0], FORM).shape == (0, SIDE, SIDE, 3)
    assert (add_channels(batch, FORM) == add_channels(batch.copy(), FORM)).all()


def test_single_image_equals_batch() -> None:
    """`channels_of` combines `prepare` and `add_channels`."""
    image = rectangle(20, 30)

    assert (channels_of(image, FORM, DARK) == add_channels(prepare(image, FORM, DARK)[None], FORM)[0]).all()


def test_description_of_a_form() -> None:
    """It states side, resizing and threshold."""
    assert ImageForm().description == "64 px, padded, Otsu's threshold"
    assert ImageForm(side=32, resize="stretch", threshold=90).description == "32 px, stretched, threshold 90"
    assert (
        ImageForm(side=48, resize="shrink", crop=True, channels="grey").description
        == "48 px, cropped, padded, never enlarged, three grey channels"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 31}, "side is 31; expected a side of 32 to 256 pixels"),
        ({"side": "64"}, "side is '64'; expected"),
        ({"resize": "crop"}, "resize is 'crop'; expected 'pad' or 'shrink' or 'stretch'"),
        ({"threshold": 255}, "threshold is 255; expected a grey level, 0 to 254"),
    ],
)
def test_invalid_form_is_rejected(options: dict[str, Any], message: str) -> None:
    """The error states the value and the valid values."""
    with pytest.raises(TrackError, match=message):
        ImageForm(**options)


def test_shrink_never_enlarges() -> None:
    """A small object keeps its pixels in the middle of the square; a larger one is shrunk as by `pad`."""
    form = ImageForm(side=64, resize="shrink")
    small, large = rectangle(20, 30, margin=4), rectangle(100, 70)
    expected = np.zeros((64, 64), np.uint8)
    expected[22:42, 17:47] = 200

    assert np.array_equal(prepare(small, form, DARK), expected)
    assert np.array_equal(prepare(large, form, DARK), prepare(large, ImageForm(side=64), DARK))


@given(top=st.integers(0, 30), left=st.integers(0, 30), bottom=st.integers(0, 30), right=st.integers(0, 30))
def test_crop_removes_the_margin(top: int, left: int, bottom: int, right: int) -> None:
    """The network image does not depend on the background around the object."""
    form = ImageForm(side=48, resize="shrink", crop=True)
    object_ = np.full((24, 31), 200, np.uint8)
    image = np.pad(object_, [(top + 2, bottom + 2), (left + 2, right + 2)])

    assert np.array_equal(prepare(image, form, DARK), prepare(np.pad(object_, 2), form, DARK))


def test_crop_is_the_bounding_box_of_all_pieces() -> None:
    """Two pieces are both kept, a faint speck of noise is not, and a flat image stays as it is."""
    image = np.zeros((60, 80), np.uint8)
    image[10:20, 15:30] = image[40:50, 50:65] = 180
    image[2, 2] = 3
    found = cropped(image)

    assert abs(found.shape[0] - 40) <= 2
    assert abs(found.shape[1] - 50) <= 2
    assert cropped(np.full((9, 7), 30, np.uint8)).shape == (9, 7)


def test_grey_channels_are_equal() -> None:
    """All three channels are the first one."""
    batch = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE), np.uint8)
    found = add_channels(batch, ImageForm(side=SIDE, channels="grey"))

    assert found.shape == (3, SIDE, SIDE, 3)
    assert (found == batch[..., None]).all()


@pytest.mark.parametrize(("option", "value"), [("resize", "crop"), ("channels", "rgb")])
def test_unknown_choices_are_refused(option: str, value: str) -> None:
    """The message names the choices."""
    with pytest.raises(TrackError, match=f"{option} is '{value}'; expected '"):
        ImageForm(**{option: value})  # type: ignore[arg-type]  # wrong on purpose
