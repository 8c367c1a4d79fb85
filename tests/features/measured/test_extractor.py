"""Tests of the Python interface: files and arrays, the function and the scikit-learn transformer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.data_manifests.images.store import open_images
from planktonbench.features.measured.catalogue import FEATURES, NAMES
from planktonbench.features.measured.extractor import NativeExtractor, measure
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def disc(radius: int, level: int = 90) -> NDArray[np.uint8]:
    """Draw a disc with a grey-level gradient on a white image of 60 × 64 px."""
    image = np.full((60, 64), 255, np.uint8)
    inside = cv2.circle(np.zeros_like(image), (30, 28), radius, 1, -1) > 0
    shades = np.broadcast_to(np.arange(64), image.shape)
    image[inside] = level + shades[inside]
    return image


DISCS = [disc(radius) for radius in (5, 9, 14, 20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with four discs in class folders, two with the same file name."""
    for name, image in zip(("egg/1", "egg/2", "round/1", "round/3"), DISCS, strict=True):
        path = tmp_path / "images" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return tmp_path / "images"


def test_arrays_and_files_give_the_same_values(folder: Path) -> None:
    """The index is the position for arrays, and the shortest unambiguous end of the path for files."""
    of_arrays = measure(DISCS, background="light")
    of_files = measure(str(folder), background="light")

    assert list(of_arrays.columns) == list(NAMES)
    assert of_arrays.index.tolist() == [0, 1, 2, 3]
    assert of_files.index.tolist() == ["egg/1", "egg/2", "round/1", "round/3"]
    assert of_files.index.name == "object_id"
    np.testing.assert_allclose(of_arrays, of_files, rtol=1e-6, atol=1e-6)
    assert (of_arrays.dtypes == np.float64).all()
    assert of_arrays["area"].is_monotonic_increasing


def test_a_store_keeps_its_ids(folder: Path) -> None:
    """The index contains the ids of the opened store."""
    store = open_images(folder, id_parts=0)

    assert measure(store).index.tolist() == list(store.members)


@pytest.mark.parametrize("jobs", [1, 2])
def test_arrays_are_measured_in_chunks(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    """The number of processes does not matter, and a generator is accepted."""
    from planktonbench.features.measured import extractor

    monkeypatch.setattr(extractor, "CHUNK", 3)
    found = measure((image for image in DISCS * 2), background="light", jobs=jobs)

    pd.testing.assert_frame_equal(found[:4], measure(DISCS, background="light"), rtol=1e-6, atol=1e-6)
    assert len(found) == 8
    assert len(measure([])) == 0


def test_array_formats_give_the_same_values() -> None:
    """RGB and RGBA are weighted as in files, although OpenCV uses BGR; 16 bits are scaled by their white level."""
    grey = disc(12)
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (60, 64, 3), dtype=np.uint8)
    rgb[grey == 255] = 255
    weighed = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    opaque = np.full_like(grey, 255)
    images = [
        grey,
        grey[..., None],
        grey.astype(np.uint16) * 257,
        np.dstack([grey] * 3),
        np.dstack([grey] * 3 + [opaque]),
    ]
    rows = measure([*images, rgb, weighed], background="light")

    for row in range(1, 5):
        pd.testing.assert_series_equal(rows.loc[row], rows.loc[0], check_names=False, rtol=1e-6, atol=1e-6)
    pd.testing.assert_series_equal(rows.loc[5], rows.loc[6], check_names=False, rtol=1e-6, atol=1e-6)


def test_true_is_white() -> None:
    """A Boolean image is a bright square on black."""
    square = np.zeros((20, 20), bool)
    square[5:12, 5:12] = True

    found = measure([square, np.uint8(255) * square], masks=[square, square], background="dark")

    assert found["area"].tolist() == [49, 49]
    assert found["mean"].tolist() == [255, 255]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            [np.zeros((4, 4))],
            r"Image 0 is float64 of shape \(4, 4\); expected at least one pixel, uint8, uint16 or bool",
        ),
        ([DISCS[0], np.zeros((4, 4), np.int64)], r"Image 1 is int64"),
        ([np.zeros((0, 4), np.uint8)], r"Image 0 is uint8 of shape \(0, 4\)"),
        ([np.zeros((4, 4, 5), np.uint8)], r"Image 0 is uint8 of shape \(4, 4, 5\)"),
        ([np.uint8(3)], r"Image 0 is uint8 of shape \(\)"),
        (DISCS[0], r"Image 0 is uint8 of shape \(64,\); .* For a single image, pass \[image\]\."),
    ],
)
def test_invalid_arrays_are_rejected(images: Any, message: str) -> None:  # noqa: ANN401 - wrong on purpose
    """The message states which image is invalid, its type and shape, and what was expected."""
    with pytest.raises(pb.DataError, match=message):
        measure(images)


def test_masks_of_arrays() -> None:
    """Non-zero values of any dtype are the object; None is segmented; a wrong shape or number is rejected."""
    mask = np.zeros((60, 64), np.int32)
    mask[3:6, 4:8] = 7
    found = measure(DISCS[:2], masks=[mask, None], background="light")

    assert found["area"].tolist() == [12, measure(DISCS[1:2], background="light").loc[0, "area"]]
    with pytest.raises(pb.DataError, match=r"There are 1 masks for 2 images; expected one mask, or None, for each"):
        measure(DISCS[:2], masks=[mask])
    with pytest.raises(pb.DataError, match=r"Mask 1 has shape \(2, 2\); expected the shape of its image, \(60, 64\)"):
        measure(DISCS[:2], masks=[mask, np.ones((2, 2))])
    with pytest.raises(pb.DataError, match=r"masks are of type str; expected a sequence with an array for each image"):
        measure(DISCS, masks="masks.zip")


def test_masks_of_files(folder: Path, tmp_path: Path) -> None:
    """Masks are matched by the same end of the path; arrays are rejected."""
    for path in folder.rglob("*.png"):
        target = tmp_path / "masks" / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros((60, 64), np.uint8)
        mask[:2, :3] = 1
        cv2.imwrite(str(target), mask)

    assert measure(folder, masks=tmp_path / "masks")["area"].tolist() == [6] * 4
    with pytest.raises(pb.DataError, match=r"masks are of type list; expected a folder, zip or tar file"):
        measure(folder, masks=DISCS)


def test_sizes_in_micrometres(folder: Path) -> None:
    """Lengths scale with the pixel size, areas with its square; files and arrays give the same values."""
    found = measure(DISCS, background="light", pixel_size_um=1.5)
    added = found.columns[len(NAMES) :]
    sized = [feature for feature in FEATURES if feature.unit in {"px", "px²"}]

    assert list(added) == [f"{one.name}_um{'2' if one.unit == 'px²' else ''}" for one in sized]
    np.testing.assert_allclose(found["area_um2"], found["area"] * 2.25)
    np.testing.assert_allclose(found["feret_um"], found["feret"] * 1.5)
    of_files = measure(folder, background="light", pixel_size_um=1.5)
    np.testing.assert_allclose(found, of_files, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"background": "ligth"}, r"background is 'ligth'; expected light or dark\. Did you mean light\?"),
        ({"pieces": "larges"}, r"pieces is 'larges'; expected largest or all\. Did you mean largest\?"),
        ({"scale_bar": -1}, r"The scale bar is -1 rows; expected .* 0 or more"),
        ({"pixel_size_um": 0}, r"The pixel size is 0 µm; expected .* above 0"),
        ({"pixel_size_um": float("nan")}, r"The pixel size is nan µm"),
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any], message: str) -> None:
    """The error states what was expected, before anything is measured."""
    with pytest.raises(pb.DataError, match=message):
        measure([], **options)


def test_missing_sources_are_reported(tmp_path: Path) -> None:
    """The error contains the path."""
    with pytest.raises(pb.DataError, match=r"nowhere does not exist; expected a folder, zip or tar file of images"):
        measure(tmp_path / "nowhere")


def test_unmeasurable_files_cause_a_warning(folder: Path) -> None:
    """One warning names the files and their faults; their rows are NaN."""
    (folder / "egg" / "2.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"cannot be measured; their rows are NaN: egg/2\.png \(empty\)$") as caught:
        found = measure(folder)

    assert [warning.filename for warning in caught] == [__file__]
    assert found.index[found["area"].isna()].tolist() == ["egg/2"]


def test_it_works_in_a_pipeline() -> None:
    """It can be fitted, cloned, and queried for feature names like any scikit-learn transformer."""
    extractor = NativeExtractor(background="light", pieces="largest", pixel_size_um=2)
    pipeline = make_pipeline(clone(extractor), DecisionTreeClassifier(random_state=0))
    pipeline.fit(DISCS, [0, 0, 1, 1])
    table = extractor.fit_transform(DISCS)

    assert pipeline.predict(DISCS).tolist() == [0, 0, 1, 1]
    assert list(pipeline[:1].get_feature_names_out()) == list(table.columns)
    assert clone(extractor).get_params() == extractor.get_params()
    expected = measure(DISCS, background="light", pieces="largest", pixel_size_um=2)
    pd.testing.assert_frame_equal(table, expected, rtol=1e-6, atol=1e-6)


def test_set_output_keeps_names_and_index() -> None:
    """Setting the output to pandas changes nothing, since it is pandas already."""
    plain = NativeExtractor(background="light")
    wrapped = NativeExtractor(background="light").set_output(transform="pandas")

    pd.testing.assert_frame_equal(wrapped.transform(DISCS), plain.transform(DISCS), rtol=1e-6, atol=1e-6)


def test_with_a_source_it_accepts_ids(folder: Path) -> None:
    """Ids may be repeated and in any order, for a path or an opened store, also when cloned; unknown ids are errors."""
    store = open_images(folder, id_parts=2)
    whole = measure(folder)
    for source in (folder, store):
        extractor = clone(NativeExtractor(source=source))
        found = extractor.transform(["round/3", "egg/1", "round/3"])

        pd.testing.assert_frame_equal(found, whole.loc[["round/3", "egg/1", "round/3"]])
    with pytest.raises(pb.DataError, match=r"has no images with these object_ids: egg/9\.$"):
        extractor.transform(["egg/1", "egg/9"])


def test_it_is_part_of_the_public_interface() -> None:
    """The names are `pb.measure` and `pb.NativeExtractor`."""
    assert pb.measure is measure
    assert pb.NativeExtractor is NativeExtractor
