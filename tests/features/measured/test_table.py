"""Tests of the cached table of measured features: reproducible, reused, resumed, and robust against faulty images."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images.decoding import grey_levels
from planktonbench.data_manifests.images.store import ImageStore, open_images
from planktonbench.features.measured import chunk, table
from planktonbench.features.measured.catalogue import FEATURES, NAMES
from planktonbench.features.measured.measure import measure_chunk
from planktonbench.features.measured.objects.segmentation import Segmentation
from planktonbench.features.measured.table import MeasuredTable, measured_table
from planktonbench.features.preparation import chunk_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.features.preparation.chunk_files import ChunkResult

ROUNDING = {"rtol": 1e-6, "atol": 1e-6}  # sums over a mosaic, partly in 32 bits, depend on the mosaic
LIGHT = Segmentation("light")
COUNT = 23


def ellipse(seed: int) -> NDArray[np.uint8]:
    """Draw a dark textured ellipse on a light background."""
    rng = np.random.default_rng([4, seed])
    height, width = rng.integers(40, 70, 2).tolist()
    image = rng.normal(230, 2, (height, width))
    mask = cv2.ellipse(
        np.zeros((height, width), np.uint8), (width // 2, height // 2), (15, 8), seed * 20, 0, 360, 1, -1
    )
    image[mask > 0] = rng.normal(120, 20, int(mask.sum()))
    return np.clip(image, 0, 255).astype(np.uint8)


def png(pixels: NDArray[np.integer]) -> bytes:
    """Encode pixels as PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def write(source: Path, contents: Mapping[str, bytes]) -> ImageStore:
    """Write files into a folder, zip or tar file, depending on its suffix, and open it."""
    source.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".zip":
        with zipfile.ZipFile(source, "w") as zipped:
            for name, content in contents.items():
                zipped.writestr(name, content)
    elif source.suffix == ".tar":
        with tarfile.open(source, "w") as tarred:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tarred.addfile(info, io.BytesIO(content))
    else:
        for name, content in contents.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
    return open_images(source)


@pytest.fixture
def contents() -> dict[str, bytes]:
    """Return encoded images by name, sorted by name."""
    return {f"imgs/{number:02d}.png": png(ellipse(number)) for number in range(COUNT)}


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set five images per chunk, two chunks per row group, and an empty cache."""
    monkeypatch.setattr(chunk_files, "CHUNK", 5)
    monkeypatch.setattr(table, "CHUNKS_AT_ONCE", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read(measured: MeasuredTable) -> pd.DataFrame:
    """Return the rows of a table."""
    return pd.read_parquet(measured.path).set_index("object_id")


def expected(contents: Mapping[str, bytes]) -> pd.DataFrame:
    """Return the rows of images measured one by one."""
    images = [grey_levels(content) for content in contents.values()]
    rows = [measure_chunk([image], LIGHT)[0] for image in images if image is not None]
    ids = pd.Index([name[5:-4] for name in contents], name="object_id", dtype="str")
    return pd.DataFrame(np.array(rows), ids, list(NAMES))


@pytest.mark.parametrize("name", ["folder", "images.zip", "images.tar"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_match_their_images(tmp_path: Path, contents: dict[str, bytes], name: str, jobs: int) -> None:
    """Any kind of source and number of processes gives the same rows: ids as text, in storage order."""
    counts: list[int] = []
    found = measured_table(write(tmp_path / name, contents), LIGHT, jobs=jobs, advance=counts.append)

    pd.testing.assert_frame_equal(read(found), expected(contents), **ROUNDING)
    assert sum(counts) == COUNT
    assert found.reused == 0
    assert len(found.faults) == 0


def test_rows_are_in_storage_order(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """A zip file is read from start to end, regardless of names."""
    turned = dict(reversed(contents.items()))

    assert read(measured_table(write(tmp_path / "images.zip", turned), LIGHT)).index.tolist() == [
        name[5:-4] for name in turned
    ]


def test_images_are_measured_in_batches(
    tmp_path: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of pixels in memory is limited, which does not change any value."""
    monkeypatch.setattr(chunk, "MOST_PIXELS", 6000)
    most: list[int] = []

    def counted(images: list[NDArray[np.uint8]], *others: object) -> NDArray[np.float64]:
        most.append(sum(image.size for image in images))
        return measure_chunk(images, *others)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(chunk, "measure_chunk", counted)
    found = measured_table(write(tmp_path / "images.zip", contents), LIGHT)

    pd.testing.assert_frame_equal(read(found), expected(contents), **ROUNDING)
    assert max(most) <= 6000
    assert len(most) > 5


def test_images_are_measured_once(tmp_path: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call finds the table with its faults; all images are reported as done immediately."""
    images = write(tmp_path / "images.zip", contents | {"imgs/cut.png": contents["imgs/00.png"][:-9]})
    first = measured_table(images, LIGHT)
    monkeypatch.setattr(table, "measure_opened", lambda *_, **__: pytest.fail("measured again"))
    counts: list[int] = []
    second = measured_table(open_images(images.source), LIGHT, advance=counts.append)

    assert second.path == first.path
    assert second.reused == sum(counts) == COUNT + 1
    pd.testing.assert_frame_equal(second.faults, first.faults)
    assert first.faults.to_numpy().tolist() == [["cut", "imgs/cut.png", "truncated"]]


def test_a_moved_archive_is_not_measured_again(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """The cache key depends on the content of an archive, not on its path."""
    images = write(tmp_path / "images.zip", contents)
    first = measured_table(images, LIGHT)

    assert measured_table(open_images(images.source.rename(tmp_path / "other.zip")), LIGHT).path == first.path


def test_an_image_changed_in_place_is_measured_again(tmp_path: Path) -> None:
    """A changed file in a folder is noticed even if its size and modification time are the same."""
    small, large = (np.full((30, 30), 230, np.uint8) for _ in range(2))
    small[10:15, 10:15], large[5:25, 5:25] = 50, 50
    encoded = [cv2.imencode(".bmp", image)[1].tobytes() for image in (small, large)]
    source = tmp_path / "folder"
    before = read(measured_table(write(source, {"1.bmp": encoded[0]}), LIGHT))
    times = (source / "1.bmp").stat()
    (source / "1.bmp").write_bytes(encoded[1])
    os.utime(source / "1.bmp", ns=(times.st_atime_ns, times.st_mtime_ns))
    after = read(measured_table(open_images(source), LIGHT))

    assert len(encoded[0]) == len(encoded[1])
    assert before.loc["1", "area"] < 100 < after.loc["1", "area"]


def test_cache_keys_depend_on_everything_that_affects_values(
    tmp_path: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options, masks, ids and version each lead to a different table."""
    images = write(tmp_path / "images.zip", contents)
    options = [LIGHT, Segmentation("dark"), Segmentation("light", "largest"), Segmentation("light", scale_bar=2)]
    paths = [measured_table(images, one).path for one in options]
    paths.append(measured_table(images, LIGHT, masks=images).path)
    paths.append(measured_table(open_images(images.source, id_parts=2), LIGHT).path)
    monkeypatch.setattr(table, "VERSION", -1)
    paths.append(measured_table(images, LIGHT).path)

    assert len(set(paths)) == len(paths) == 7


def test_the_file_describes_its_columns(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """The metadata contain the version, the segmentation, and each feature's unit and source."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(measured_table(write(tmp_path / "images.zip", contents), LIGHT).path).metadata
    description = json.loads(metadata[b"planktonbench"])

    assert description["segmentation"] == {"background": "light", "pieces": "all", "scale_bar": 0}
    assert description["version"] == table.VERSION
    assert [one["name"] for one in description["features"]] == list(NAMES)
    assert [one["unit"] for one in description["features"]] == [feature.unit for feature in FEATURES]


def test_an_interrupted_call_is_resumed(
    tmp_path: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured images are not measured again, the table equals that of an uninterrupted call, and no files remain."""
    images = write(tmp_path / "images.zip", contents | {"imgs/03.png": b""})
    counts: list[int] = []

    def interrupt(more: int) -> None:
        counts.append(more)
        if sum(counts) == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured_table(images, LIGHT, advance=interrupt)
    measured: list[int] = []
    original = table.measure_opened

    def counted(openings: object, members: list[object], options: object) -> ChunkResult:
        measured.append(len(members))
        return original(openings, members, options)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(table, "measure_opened", counted)
    found = measured_table(images, LIGHT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    uninterrupted = measured_table(images, LIGHT)

    assert measured[:3] == [5, 5, 3]
    assert found.reused == 10
    pd.testing.assert_frame_equal(read(found), read(uninterrupted), **ROUNDING)
    assert found.faults["fault"].tolist() == ["empty"]
    assert sorted(path.suffix for path in found.path.parent.iterdir()) == [".lock", ".parquet"]


def test_faulty_images_are_reported_and_the_others_continue(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """Each fault is named and its row is NaN; 16 bits, alpha, colour and a single pixel are not faults."""
    whole = contents["imgs/00.png"]
    grey = ellipse(0)
    spoiled = {
        "imgs/alpha.png": png(np.dstack([grey, grey, grey, np.full_like(grey, 255)])),
        "imgs/colour.png": png(np.dstack([grey, grey, grey])),
        "imgs/damaged.png": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        "imgs/deep.png": png(grey.astype(np.uint16) * 257),
        "imgs/empty.png": b"",
        "imgs/pixel.png": png(np.zeros((1, 1), np.uint8)),
        "imgs/text.png": b"this is no image",
        "imgs/truncated.png": whole[:-20],
    }
    found = measured_table(write(tmp_path / "folder", contents | spoiled), LIGHT, jobs=2)
    rows = read(found)
    faulty = ["damaged", "empty", "text", "truncated"]

    assert dict(zip(found.faults["object_id"], found.faults["fault"], strict=True)) == {
        "damaged": "damaged",
        "empty": "empty",
        "text": "unknown",
        "truncated": "truncated",
    }
    assert found.faults["member"].tolist() == [f"imgs/{name}.png" for name in faulty]
    assert rows.index[rows["area"].isna()].tolist() == faulty
    assert rows.loc[faulty].isna().all(axis=None)
    for same in ("alpha", "colour", "deep"):
        pd.testing.assert_series_equal(rows.loc[same], rows.loc["00"], check_names=False, **ROUNDING)
    assert rows.loc["pixel", "area"] == 0
    pd.testing.assert_frame_equal(rows.drop(index=[name[5:-4] for name in spoiled]), expected(contents), **ROUNDING)


def test_transparent_images_are_put_on_black_for_dark_backgrounds(tmp_path: Path) -> None:
    """A bright cut-out animal remains the object, regardless of hidden values around it."""
    pixels = np.full((20, 20, 4), 200, np.uint8)
    pixels[..., 3] = 0
    pixels[5:15, 8:12, 3] = 255
    on_black = np.where(pixels[..., 3] > 0, pixels[..., 0], np.uint8(0))
    images = write(tmp_path / "folder", {"cut out.png": png(pixels), "on black.png": png(on_black)})
    rows = read(measured_table(images, Segmentation("dark")))

    assert rows.loc["on black", "area"] > 0
    pd.testing.assert_series_equal(rows.loc["cut out"], rows.loc["on black"], check_names=False, **ROUNDING)


def masks_of(contents: Mapping[str, bytes], value: int = 255) -> dict[str, NDArray[np.uint8]]:
    """Return a mask of 6 × 5 px for each image, in other folders."""
    masks = {}
    for number, name in enumerate(contents):
        mask = np.zeros_like(ellipse(number))
        mask[10:16, 20:25] = value
        masks[name.replace("imgs/", "masks/of/")] = mask
    return masks


@pytest.mark.parametrize("value", [1, 255])
def test_masks_are_used_unchanged(tmp_path: Path, contents: dict[str, bytes], value: int) -> None:
    """Masks are matched by the image's id; all non-zero pixels are the object."""
    masks = {name: png(mask) for name, mask in masks_of(contents, value).items()}
    found = measured_table(
        write(tmp_path / "images.zip", contents), LIGHT, masks=write(tmp_path / "masks", masks), jobs=2
    )

    assert (read(found)["area"] == 30).all()
    assert len(found.faults) == 0


def test_an_image_without_a_matching_mask_is_a_fault(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """A missing, unreadable or differently sized mask is reported; its row is NaN and other rows are not affected."""
    masks = {name: png(mask) for name, mask in masks_of(contents).items()}
    del masks["masks/of/03.png"]
    masks["masks/of/05.png"] = png(np.zeros((7, 9), np.uint8))
    masks["masks/of/08.png"] = masks["masks/of/08.png"][:-5]
    images = write(tmp_path / "images.zip", contents | {"imgs/09.png": b""})
    found = measured_table(images, LIGHT, masks=write(tmp_path / "masks", masks))
    height, width = ellipse(5).shape

    assert found.faults[["object_id", "fault"]].to_numpy().tolist() == [
        ["03", "no mask"],
        ["05", f"mask of 9 × 7 px, image of {width} × {height} px"],
        ["08", "mask truncated"],
        ["09", "empty"],
    ]
    rows = read(found)
    assert rows.index[rows["area"].isna()].tolist() == ["03", "05", "08", "09"]
    assert (rows["area"].dropna() == 30).all()


def test_masks_of_other_images_are_rejected(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """A wrong folder is reported before anything is measured, with example names of both."""
    masks = write(tmp_path / "masks", {f"a_{number}.png": b"" for number in range(5)})
    with pytest.raises(
        DataError, match=r"masks contains no mask of any image in .*images\.zip: masks are named a_0, a_1, a_2"
    ):
        measured_table(write(tmp_path / "images.zip", contents), LIGHT, masks=masks)


def test_no_images_and_no_processes_are_rejected(tmp_path: Path, contents: dict[str, bytes]) -> None:
    """The error states what was expected."""
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"nothing contains no images; expected a folder, zip or tar file with images"):
        measured_table(open_images(tmp_path / "nothing"), LIGHT)
    with pytest.raises(DataError, match=r"jobs is 0; expected a number of processes, 1 or more"):
        measured_table(write(tmp_path / "images.zip", contents), LIGHT, jobs=0)


def test_an_unwritable_cache_is_reported(
    tmp_path: Path, contents: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in place of the cache folder is an error that states what to do."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        DataError, match=r"measured cannot be written: .* Set XDG_CACHE_HOME to a folder with enough free space\."
    ):
        measured_table(write(tmp_path / "images.zip", contents), LIGHT)


def test_measuring_processes_import_few_libraries() -> None:
    """Libraries that are only needed for tables are not imported in worker processes."""
    code = (
        "import sys; import planktonbench.features.measured.chunk; "
        "print(sorted({'pandas', 'pyarrow', 'skimage', 'sklearn', 'scipy.linalg', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")

    assert done.stdout.strip() == "[]"
