"""Every image opened once: the same table whatever the processes, and no image that stops it."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.audit import scan as module
from planktonbench.data_manifests.audit.encoding import PNG
from planktonbench.data_manifests.audit.scan import look_of, scan
from planktonbench.data_manifests.images import ImageStore, open_images, reopen_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from planktonbench.data_manifests.dataset import Dataset


def png_that_claims(width: int, height: int) -> bytes:
    """Return a PNG whose chunks are right and whose header claims a size that its data do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.fixture
def mixed(make_images: Callable[..., Dataset], draw: Callable[..., NDArray[np.uint8]]) -> Dataset:
    """Images of every kind."""
    grey = draw(1000)
    whole = cv2.imencode(".png", grey)[1].tobytes()
    return make_images(
        {
            "egg/absurd.png": png_that_claims(100_000, 100_000),
            "egg/alpha.png": np.dstack([grey, grey, grey, 255 - grey]),
            "egg/colour.png": np.dstack([grey, grey // 2, grey]),
            "egg/cut.png": whole[:-30],
            "egg/deep.png": grey.astype(np.uint16) * 257,
            "egg/empty.png": b"",
            "egg/grey.png": grey[:20, :30],
            "egg/grey-as-colour.png": np.dstack([grey, grey, grey]),
            "egg/hollow.png": png_that_claims(50, 50),
            "egg/text.png": b"not a png",
            "egg/turned.png": whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        }
    )


def by_name(dataset: Dataset) -> pd.DataFrame:
    """Return the table of the images that were added, by file name."""
    assert dataset.images is not None
    table = scan(dataset.images)
    names = table["member"].map(lambda member: PurePath(member).stem)
    return table.set_index(names)[~names.str.isdigit().to_numpy()]


def test_the_state_of_each_image_is_told(mixed: Dataset) -> None:
    """Empty, cut, damaged, foreign, beyond all size: each by its name, and the others are fine."""
    found = by_name(mixed)["status"]

    assert found[found != "ok"].to_dict() == {
        "absurd": "unreadable",
        "cut": "truncated",
        "empty": "empty",
        "hollow": "unreadable",
        "text": "unknown",
        "turned": "damaged",
    }


def test_size_depth_and_colour_are_told(mixed: Dataset) -> None:
    """Three equal channels are no colour; transparency is a channel."""
    columns = ["height", "width", "channels", "coloured", "bits"]
    found = by_name(mixed)[columns]

    assert found.loc["grey"].tolist() == [20, 30, 1, 0, 8]
    assert found.loc[["alpha", "colour", "deep", "grey-as-colour"], columns[2:]].to_numpy().tolist() == [
        [4, 0, 8],
        [3, 1, 8],
        [1, 0, 16],
        [3, 0, 8],
    ]
    assert not found.loc["cut"].any()


def test_the_number_of_processes_changes_nothing(mixed: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or two, in chunks of any size: the same table, and all images are counted."""
    assert mixed.images is not None
    counts: list[int] = []
    alone = scan(mixed.images, jobs=1)
    monkeypatch.setattr(module, "CHUNK", 10)

    pd.testing.assert_frame_equal(scan(mixed.images, jobs=2, advance=counts.append), alone)
    assert sum(counts) == len(mixed.images) == len(alone)
    assert max(counts) == 10
    assert list(alone["object_id"]) == list(mixed.images.members)


def test_a_source_is_listed_once_in_each_process(mixed: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million names are not listed again for every chunk, but for every scan."""
    assert mixed.images is not None
    opened: list[str] = []

    def reopen(address: str) -> ImageStore:
        opened.append(address)
        return reopen_images(address)

    monkeypatch.setattr(module, "CHUNK", 10)
    monkeypatch.setattr(module, "reopen_images", reopen)

    scan(mixed.images)
    scan(mixed.images)

    assert len(opened) == 2


def test_a_member_that_a_zip_file_cannot_give_is_unreadable(
    tmp_path: Path, draw: Callable[..., NDArray[np.uint8]]
) -> None:
    """Its checksum in the archive is wrong; the next one is read all the same."""
    path = tmp_path / "imgs.zip"
    content = cv2.imencode(".png", draw(0))[1].tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", content)
        archive.writestr("b.png", content)
    spoilt = bytearray(path.read_bytes())
    spoilt[100] ^= 1
    path.write_bytes(bytes(spoilt))

    assert list(scan(open_images(path))["status"]) == ["unreadable", "ok"]


def test_the_decoder_is_left_as_it_was(mixed: Dataset, capfd: pytest.CaptureFixture[str]) -> None:
    """Its threads and its log are the user's again afterwards, and it wrote nothing of its own."""
    assert mixed.images is not None
    before = cv2.getNumThreads(), cv2.utils.logging.getLogLevel()

    scan(mixed.images)

    assert (cv2.getNumThreads(), cv2.utils.logging.getLogLevel()) == before
    assert "[ERROR" not in capfd.readouterr().err


def test_no_images_are_an_empty_table(tmp_path: Path) -> None:
    """The columns are there, with their types."""
    table = scan(open_images(tmp_path))

    assert len(table) == 0
    assert table["look"].dtype == np.uint64


def test_the_look_is_that_of_its_definition() -> None:
    """A cosine transform written out as sums gives the same 64 bits."""
    rng = np.random.default_rng(0)
    small = np.asarray(cv2.resize(rng.normal(128, 40, (5, 5)), (16, 16), interpolation=cv2.INTER_CUBIC)).clip(0, 255)
    small = small.astype(np.uint8)
    n = np.arange(16)
    waves = np.sqrt(2 / 16) * np.cos(np.pi * (2 * n[None, :] + 1) * n[:, None] / 32)
    waves[0] /= np.sqrt(2)
    lowest = (waves @ small @ waves.T)[:8, :8].ravel()

    assert f"{look_of(small):064b}" == "".join("1" if value > np.median(lowest) else "0" for value in lowest)
