"""NetworkImages: bright on dark, in proportion, the channels of source 001, whatever the source of the image."""

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
from planktonbench.features.network_images.form import ImageForm, Source, bright_area, channels_of, prepare, stack
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
    """Compile the kernels before the first example, which may take no longer than the others."""
    stack(np.zeros((1, SIDE, SIDE), np.uint8), FORM)


def rectangle(height: int, width: int, *, margin: int = 40) -> Grey:
    """Return a bright rectangle in the middle of a dark image."""
    image = np.zeros((height + margin, width + margin), np.uint8)
    image[margin // 2 : margin // 2 + height, margin // 2 : margin // 2 + width] = 200
    return image


@given(image=IMAGES, form=st.sampled_from([FORM, STRETCHED]))
def test_a_light_source_gives_what_the_dark_one_gives(image: Grey, form: ImageForm) -> None:
    """The negative of an image is the same object, taken the other way."""
    assert (prepare(255 - image, form, LIGHT) == prepare(image, form, DARK)).all()


def test_an_image_tells_its_own_background() -> None:
    """Where the manifest does not: by its border, which an object seldom reaches."""
    image = rectangle(20, 30)

    assert (prepare(255 - image, FORM, Source()) == prepare(image, FORM, Source())).all()
    assert (prepare(image, FORM, Source()) == prepare(image, FORM, DARK)).all()


@given(
    image=hnp.arrays(np.uint8, st.integers(2, 70).map(lambda side: (side, side))),
    turns=st.integers(1, 3),
    source=st.sampled_from([LIGHT, DARK]),
)
def test_a_turned_square_is_prepared_as_the_square_is_and_turned(image: Grey, turns: int, source: Source) -> None:
    """Within a grey level, since OpenCV sums rows before columns."""
    turned = prepare(np.rot90(image, turns).copy(), FORM, source).astype(int)

    assert np.abs(turned - np.rot90(prepare(image, FORM, source), turns)).max() <= 1


@given(batch=BATCHES, turns=st.integers(1, 3))
def test_channels_of_a_turned_image_are_the_turned_channels(batch: Grey, turns: int) -> None:
    """All three, to the last bit."""
    turned = np.rot90(batch, turns, axes=(1, 2))

    assert (stack(turned, FORM) == np.rot90(stack(batch, FORM), turns, axes=(1, 2))).all()


@settings(max_examples=50)
@given(height=st.integers(20, 300), width=st.integers(20, 300))
def test_padding_keeps_the_proportions_of_the_object(height: int, width: int) -> None:
    """Both sides of the object change by one factor, that of the longer side of the image, to the pixel."""
    grey = prepare(rectangle(height, width), FORM, DARK)
    factor = SIDE / (max(height, width) + 40)
    bright = grey.astype(float) / 200

    assert bright.sum(axis=0).max() == pytest.approx(height * factor, abs=0.6)
    assert bright.sum(axis=1).max() == pytest.approx(width * factor, abs=0.6)


@given(image=IMAGES)
def test_stretching_is_the_resizing_of_source_001(image: Grey) -> None:
    """Bicubic and whatever the proportions, of the image turned bright on dark."""
    expected = cv2.resize(255 - image, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)

    assert (prepare(image, STRETCHED, LIGHT) == expected).all()


def test_padding_has_the_level_of_the_background() -> None:
    """Of a light image the inverted one; no edge is seen where the image ends."""
    image = np.full((10, 64), 235, np.uint8)

    assert (prepare(image, FORM, LIGHT) == 20).all()
    assert (prepare(image, FORM, DARK) == 235).all()


def test_a_row_of_padding_more_is_below() -> None:
    """The image is in the middle as far as that goes."""
    image = np.full((SIDE - 3, SIDE), 200, np.uint8)
    image[1:-1, 1:-1] = 90
    grey = prepare(image, FORM, LIGHT)

    assert (np.flatnonzero((grey == 165).any(axis=1)) == np.arange(2, SIDE - 3)).all()


def test_rows_of_a_scale_bar_are_cut_off() -> None:
    """They are seen by nobody, and the others are in proportion without them."""
    image = rectangle(20, 30)
    with_bar = np.vstack([image, np.full((12, image.shape[1]), 255, np.uint8)])

    assert (prepare(with_bar, FORM, Source("dark", scale_bar=12)) == prepare(image, FORM, DARK)).all()


def test_shrinking_averages() -> None:
    """No pixel is passed over: one in four hundred is still there, as the four hundredth part."""
    image = np.zeros((20 * SIDE, 20 * SIDE), np.uint8)
    image[::20, ::20] = 200

    assert (prepare(image, FORM, DARK) == np.rint(200 / 400)).all()


@given(batch=BATCHES)
def test_threshold_and_opening_are_those_of_scikit_image(batch: Grey) -> None:
    """Written by others; beyond the border there is nothing."""
    network_images = stack(batch, FORM)
    for grey, channels in zip(batch, network_images, strict=True):
        flat = grey.min() == grey.max()
        above = np.zeros_like(grey, bool) if flat else grey > threshold_otsu(grey)

        assert (channels[..., 0] == grey).all()
        assert (channels[..., 1] == 255 * above).all()
        assert (channels[..., 2] == opening(grey, np.ones((3, 3)), mode="ignore")).all()


@given(batch=BATCHES)
def test_channels_are_those_of_opencv(batch: Grey) -> None:
    """What source 001 called, in a loop."""
    for grey, channels in zip(batch, stack(batch, FORM), strict=True):
        _, above = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        opened = cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))

        assert grey.min() == grey.max() or (channels[..., 1] == above).all()
        assert (channels[..., 2] == opened).all()


def test_opening_takes_specks_away() -> None:
    """A speck of two pixels goes, a square of three stays, because both are bright."""
    batch = np.zeros((1, SIDE, SIDE), np.uint8)
    batch[0, 4:6, 4:6] = 255
    batch[0, 20:23, 20:23] = 180
    opened = stack(batch, FORM)[0, ..., 2]

    assert not opened[:10, :10].any()
    assert (opened[20:23, 20:23] == 180).all()


def test_a_threshold_can_be_given() -> None:
    """What is above it is 255; what has the level itself is not."""
    batch = np.arange(SIDE * SIDE, dtype=np.uint16).astype(np.uint8).reshape(1, SIDE, SIDE)
    above = stack(batch, ImageForm(side=SIDE, threshold=100))[..., 1]

    assert ((above == 255) == (batch > 100)).all()
    assert set(np.unique(above)) == {0, 255}


@pytest.mark.parametrize("threshold", [None, 90])
def test_the_area_is_counted_above_the_same_threshold(threshold: int | None) -> None:
    """Of the image as it is, before it is resized."""
    image = rectangle(20, 30)

    assert bright_area(image, ImageForm(threshold=threshold)) == 600


@given(image=hnp.arrays(np.uint8, (SIDE, SIDE)))
def test_area_and_channel_agree(image: Grey) -> None:
    """On an image that needs no resizing both tell the same, flat ones included."""
    assert bright_area(image, FORM) == np.count_nonzero(stack(image[None], FORM)[..., 1])


def test_nothing_is_above_the_threshold_of_a_flat_image() -> None:
    """There is no object in it."""
    flat = np.full((1, SIDE, SIDE), 20, np.uint8)

    assert not stack(flat, FORM)[..., 1].any()
    assert bright_area(flat[0], FORM) == 0


def test_a_batch_may_be_empty_or_not_contiguous() -> None:
    """As slices of a larger array are."""
    batch = np.random.default_rng(0).integers(0, 256, (3, 2 * SIDE, SIDE), np.uint8)[:, ::2]

    assert stack(batch[:0], FORM).shape == (0, SIDE, SIDE, 3)
    assert (stack(batch, FORM) == stack(batch.copy(), FORM)).all()


def test_the_stack_of_one_image_is_that_of_a_batch() -> None:
    """Prepared and stacked in one call."""
    image = rectangle(20, 30)

    assert (channels_of(image, FORM, DARK) == stack(prepare(image, FORM, DARK)[None], FORM)[0]).all()


def test_a_form_can_be_told() -> None:
    """By what a person would ask."""
    assert ImageForm().words == "64 px, padded, Otsu's threshold"
    assert ImageForm(side=32, resize="stretch", threshold=90).words == "32 px, stretched, threshold 90"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"side": 31}, "side is 31; expected the side of a stack, 32 to 224 pixels"),
        ({"side": "64"}, "side is '64'; expected"),
        ({"resize": "crop"}, "resize is 'crop'; expected 'pad' or 'stretch'"),
        ({"threshold": 255}, "threshold is 255; expected a grey level, 0 to 254"),
    ],
)
def test_a_form_that_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    """With the value, and what can be."""
    with pytest.raises(TrackError, match=words):
        ImageForm(**options)
