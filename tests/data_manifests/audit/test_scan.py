"""Scan of all images: the same table for any number of processes, and no image that stops it."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.audit import scan as module
from planktonbench.data_manifests.audit.scan import perceptual_hash, scan
from planktonbench.data_manifests.images import opened as opening
from planktonbench.data_manifests.images.encoding import PNG
from planktonbench.data_manifests.images.store import ImageStore, open_images, reopen_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.data_manifests.dataset import Dataset


def png_with_announced_size(width: int, height: int) -> bytes:
    """Return a PNG with valid chunks whose header announces a size that its data do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.fixture
def mixed(make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]) -> Dataset:
    """Images of all kinds, sound and faulty."""
    grey = draw(1000)
    whole = cv2.imencode(".png", grey)[1].tobytes()
    return make_images(
        {
            "egg/absurd.png": png_with_announced_size(100_000, 100_000),
            "egg/alpha.png": np.dstack([grey, grey, grey, 255 - grey]),
            "egg/colour.png": np.dstack([grey, grey // 2, grey]),
            "egg/cut.png": whole[:-30],
            "egg/deep.png": grey.astype(np.uint16) * 257,
            "egg/empty.png": b"",
            "egg/flat.png": np.full((30, 40), 7, np.uint8),
            "egg/grey.png": grey[:20, :30],
            "egg/grey-as-colour.png": np.dstack([grey, grey, grey]),
            "egg/hollow.png": png_with_announced_size(50, 50),
            "egg/pixel.png": np.full((1, 1), 9, np.uint8),
            "egg/text.png": b"not a png",
            "egg/turned.png": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        }
    )


def scan_added(dataset: Dataset) -> pd.DataFrame:
    """Return the table of the added images, indexed by file name."""
    assert dataset.images is not None
    table = scan(dataset.images)
    names = table["member"].map(lambda member: PurePath(member).stem)
    return table.set_index(names)[~names.str.isdigit().to_numpy()]


def test_the_status_of_each_image_is_reported(mixed: Dataset) -> None:
    """Empty, truncated, damaged, not an image, or absurdly large; all others are ok."""
    found = scan_added(mixed)["status"]

    assert found[found != "ok"].to_dict() == {
        "absurd": "unreadable",
        "cut": "truncated",
        "empty": "empty",
        "hollow": "unreadable",
        "text": "unknown",
        "turned": "damaged",
    }


def test_size_depth_and_colour_are_reported(mixed: Dataset) -> None:
    """Three equal channels are not colour; transparency counts as a channel."""
    columns = ["height", "width", "channels", "coloured", "bits"]
    found = scan_added(mixed)[columns]

    assert found.loc["grey"].tolist() == [20, 30, 1, 0, 8]
    assert found.loc[["alpha", "colour", "deep", "grey-as-colour"], columns[2:]].to_numpy().tolist() == [
        [4, 0, 8],
        [3, 1, 8],
        [1, 0, 16],
        [3, 0, 8],
    ]
    assert not found.loc["cut"].any()


def test_grey_levels_are_reported(mixed: Dataset, draw: Callable[..., NDArray[np.uint8]]) -> None:
    """Lowest and highest, with transparent images on white; equal for a single pixel and for a single grey level."""
    found = scan_added(mixed)
    grey = cv2.imread(str(mixed.folder / "egg" / "grey.png"), cv2.IMREAD_GRAYSCALE)
    assert grey is not None

    assert found.loc["flat", ["lowest", "highest"]].tolist() == [7, 7]
    assert found.loc["pixel", ["height", "width", "lowest", "highest"]].tolist() == [1, 1, 9, 9]
    assert found.loc["grey", ["lowest", "highest"]].tolist() == [grey.min(), grey.max()]
    whole = draw(1000)
    share = 1 - whole / 255
    on_white = np.rint(share * whole + (1 - share) * 255)
    assert found.loc["deep", ["lowest", "highest"]].tolist() == [whole.min(), whole.max()]
    assert found.loc["alpha", ["lowest", "highest"]].tolist() == [on_white.min(), on_white.max()]


def test_the_number_of_processes_changes_nothing(mixed: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or two, and chunks of any size, give the same table; progress counts all images."""
    assert mixed.images is not None
    counts: list[int] = []
    expected = scan(mixed.images, jobs=1)
    monkeypatch.setattr(module, "CHUNK", 10)

    pd.testing.assert_frame_equal(scan(mixed.images, jobs=2, advance=counts.append), expected)
    assert sum(counts) == len(mixed.images) == len(expected)
    assert max(counts) == 10
    assert list(expected["object_id"]) == list(mixed.images.members)


def test_a_source_is_listed_once_in_each_process(mixed: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are listed once per scan, not once per chunk."""
    assert mixed.images is not None
    opened: list[str] = []

    def reopen(address: str) -> ImageStore:
        opened.append(address)
        return reopen_images(address)

    monkeypatch.setattr(module, "CHUNK", 10)
    monkeypatch.setattr(opening, "reopen_images", reopen)

    scan(mixed.images)
    scan(mixed.images)

    assert len(opened) == 2


def pack(path: Path, contents: dict[str, bytes]) -> ImageStore:
    """Write a zip or tar file with these members, in this order, and open it; ids are `<folder>/<name>`."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for name, content in contents.items():
                zipped.writestr(name, content)
    else:
        with tarfile.open(path, "w") as tarred:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tarred.addfile(info, io.BytesIO(content))
    return open_images(path, id_parts=2)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_give_the_same_table_as_folders(mixed: Dataset, kind: str) -> None:
    """A folder, a zip file and a tar file of the same images give the same table, also with several processes."""
    images = open_images(mixed.folder, id_parts=2)
    packed = pack(
        mixed.folder.parent / f"packed.{kind}", {name: (mixed.folder / name).read_bytes() for name in images.names}
    )

    pd.testing.assert_frame_equal(scan(packed, jobs=2), scan(images))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_rows_are_in_storage_order(
    tmp_path: Path, draw: Callable[..., NDArray[np.uint8]], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives are read sequentially, not in the order of names, for any number of processes."""
    order = [7, 3, 9, 1, 8, 2]
    contents = {f"imgs/{number}.png": cv2.imencode(".png", draw(number))[1].tobytes() for number in order}
    images = pack(tmp_path / f"packed.{kind}", contents)
    monkeypatch.setattr(module, "CHUNK", 2)
    table = scan(images, jobs=2)

    assert table["member"].tolist() == list(contents)
    assert table["object_id"].tolist() == [f"imgs/{number}" for number in order]
    assert table["width"].tolist() == [draw(number).shape[1] for number in order]


def tiff(pixels: NDArray[np.uint8], end: str) -> bytes:
    """Write grey levels as ImageJ does, the directory before the pixels; `end` is the byte order of struct, `<` or `>`.

    After TIFF 6.0 (Adobe 1992), section 4: width, height, bits, no compression, black is zero, offset of the strip,
    channels, its rows and its bytes.
    """
    height, width = pixels.shape
    entries = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8 + 2 + 9 * 12 + 4, 277: 1, 278: height}
    fields = [struct.pack(f"{end}HHII", tag, 4, 1, value) for tag, value in (entries | {279: pixels.size}).items()]
    head = (b"II*\x00" if end == "<" else b"MM\x00*") + struct.pack(f"{end}IH", 8, len(fields))
    return head + b"".join(fields) + bytes(4) + pixels.tobytes()


@pytest.mark.parametrize("end", ["<", ">"])
def test_a_truncated_tiff_is_reported(
    tmp_path: Path, draw: Callable[..., NDArray[np.uint8]], end: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the length, only the complete file is ok; faults not visible in the header are found by the decoder."""
    whole = tiff(draw(0)[:6, :7], end)
    cuts = {f"{length}.tif": whole[:length] for length in range(len(whole) + 1)}
    table = scan(pack(tmp_path / "imgs.zip", cuts)).set_index("object_id")

    assert table.index[table["status"] == "ok"].tolist() == [str(len(whole))]
    assert table.loc[str(len(whole)), ["height", "width", "bits"]].tolist() == [6, 7, 8]
    assert set(table["status"]) == {"ok", "empty", "truncated", "unreadable"}
    assert capfd.readouterr().err == ""


def test_a_damaged_member_of_a_zip_file_is_unreadable(tmp_path: Path, draw: Callable[..., NDArray[np.uint8]]) -> None:
    """Its checksum in the archive is wrong; the next member is still read."""
    path = tmp_path / "imgs.zip"
    content = cv2.imencode(".png", draw(0))[1].tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", content)
        archive.writestr("b.png", content)
    spoilt = bytearray(path.read_bytes())
    spoilt[100] ^= 1
    path.write_bytes(bytes(spoilt))

    assert list(scan(open_images(path))["status"]) == ["unreadable", "ok"]


def test_the_settings_of_the_decoder_are_restored(mixed: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    """Its number of threads and log level are restored, and it logs nothing."""
    assert mixed.images is not None
    before = cv2.getNumThreads(), cv2.utils.logging.getLogLevel()

    scan(mixed.images)

    assert (cv2.getNumThreads(), cv2.utils.logging.getLogLevel()) == before
    assert "[ERROR" not in capfd.readouterr().err


def test_worker_processes_log_nothing_about_undecodable_images(
    mixed: Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    """This includes the libraries used by OpenCV, whose messages contain no file names."""
    assert mixed.images is not None

    scan(mixed.images, jobs=2)

    assert capfd.readouterr().err == ""


def test_no_images_give_an_empty_table(tmp_path: Path) -> None:
    """The columns are present with their types."""
    table = scan(open_images(tmp_path))

    assert len(table) == 0
    assert table["look"].dtype == np.uint64


def test_the_perceptual_hash_follows_its_definition() -> None:
    """A cosine transform written as a matrix product gives the same 64 bits."""
    rng = np.random.default_rng(0)
    small = np.asarray(cv2.resize(rng.normal(128, 40, (5, 5)), (16, 16), interpolation=cv2.INTER_CUBIC)).clip(0, 255)
    small = small.astype(np.uint8)
    n = np.arange(16)
    waves = np.sqrt(2 / 16) * np.cos(np.pi * (2 * n[None, :] + 1) * n[:, None] / 32)
    waves[0] /= np.sqrt(2)
    lowest = (waves @ small @ waves.T)[:8, :8].ravel()

    assert f"{perceptual_hash(small):064b}" == "".join("1" if value > np.median(lowest) else "0" for value in lowest)
