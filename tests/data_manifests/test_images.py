"""Images: the same pixels from a folder and a zip file, found by id, and faults are told with the file's name."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.images import FolderImages, ImageStore, ZipImages, open_images
from planktonbench.data_manifests.tables import canonical_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JUNK = ["__MACOSX/imgs/._7.png", "__MACOSX/5.png", "imgs/._7.png", "imgs/.DS_Store", "imgs/notes.txt", "Thumbs.db"]
SOURCES = pytest.mark.parametrize("kind", ["folder", "zip"])


def encoded(level: int = 7, suffix: str = ".png") -> bytes:
    """Return a picture of one level and a brighter corner."""
    picture = np.full((6, 4), level, np.uint8)
    picture[0, 0] = 255
    return cv2.imencode(suffix, picture)[1].tobytes()


def stored(folder: Path, kind: str, files: Mapping[str, bytes]) -> ImageStore:
    """Write files into a folder or a zip file and open it."""
    if kind == "zip":
        with zipfile.ZipFile(folder / "imgs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return open_images(folder / "imgs.zip")
    for name, content in files.items():
        (folder / "imgs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "imgs" / name).write_bytes(content)
    return open_images(folder / "imgs")


def test_folder_and_zip_hold_the_same_pixels(tmp_path: Path) -> None:
    """Pixels are those that were written, neither inverted nor stretched, whichever way they are kept."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 9, 5), dtype=np.uint8)
    files = {
        f"imgs/{number}.png": cv2.imencode(".png", picture)[1].tobytes() for number, picture in enumerate(pictures)
    }
    stores = [stored(tmp_path, kind, files) for kind in ("folder", "zip")]

    assert [type(store) for store in stores] == [FolderImages, ZipImages]
    for store in stores:
        np.testing.assert_array_equal(pictures, [store.read(object_id) for object_id in ("0", "1", "2")])
        assert store.read_bytes("1") == files["imgs/1.png"]


def test_a_coloured_image_is_read_as_grey(tmp_path: Path) -> None:
    """Colours become one grey level of 8 bits per pixel, as OpenCV weighs them."""
    colours = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    image = stored(tmp_path, "zip", {"1.bmp": cv2.imencode(".bmp", colours)[1].tobytes()}).read("1")
    expected = colours @ np.array([0.114, 0.587, 0.299])  # ITU-R BT.601, for blue, green, red

    assert (image.shape, image.dtype) == ((8, 6), np.uint8)
    np.testing.assert_allclose(expected, image, atol=1)


@SOURCES
def test_what_is_no_image_is_passed_over(tmp_path: Path, kind: str) -> None:
    """What macOS and others leave behind is no image, in any folder; suffixes may be in capitals."""
    files = {"imgs/7.png": encoded(), "imgs/deep/8.PNG": encoded(), "9.JPG": encoded(suffix=".jpg")}
    store = stored(tmp_path, kind, {**dict.fromkeys(JUNK, b"\0"), **files})

    assert set(store.members) == {"7", "8", "9"}
    assert len(store) == 3
    assert ("7" in store, "._7" in store) == (True, False)


@SOURCES
@pytest.mark.parametrize("second", ["b/1.png", "a/1.jpg", "a/1.0.png"])
def test_two_images_of_one_object_are_refused(tmp_path: Path, kind: str, second: str) -> None:
    """Nobody could say which is meant: the source and the ids are named."""
    with pytest.raises(DataError, match=r"imgs(\.zip)?: two images have the same id: 1\. Keep one of each\.$"):
        len(stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded(), second: encoded()}))


@pytest.mark.parametrize("stem", ["1", "1.0", "1.00", "-1.0", "007", "a.0", "1.5", "1e3", "7e12", "a b"])
def test_an_image_has_the_id_that_a_table_would_have(tmp_path: Path, stem: str) -> None:
    """A file name becomes the same canonical text as the same id in a table, so that the two meet."""
    store = stored(tmp_path, "folder", {f"{stem}.png": encoded()})

    assert list(canonical_text(pd.Series([stem]))) == list(store.members)


@SOURCES
@pytest.mark.parametrize("content", [b"", b"no image", encoded()[:50]], ids=["empty", "text", "cut"])
def test_an_unreadable_image_is_named(tmp_path: Path, kind: str, content: bytes) -> None:
    """The message names the source, the file in it and its size; other images can still be read."""
    store = stored(tmp_path, kind, {"imgs/1.png": content, "imgs/2.png": encoded()})
    with pytest.raises(DataError, match=rf"imgs/1\.png is no readable image \({len(content)} bytes\)") as caught:
        store.read("1")

    assert str(caught.value).startswith(str(store.source))
    assert store.read("2").shape == (6, 4)


@pytest.mark.parametrize(
    ("at", "offset", "value"),
    [(b"PK\x01\x02", 8, 1), (b"1.bmp", 5, 0xFF), (b"PK\x01\x02", 16, 0xFF)],
    ids=["encrypted", "not deflated", "other checksum"],
)
def test_a_damaged_member_of_a_zip_file_is_named(tmp_path: Path, at: bytes, offset: int, value: int) -> None:
    """A member that cannot be unpacked is told like any unreadable image, not as a crash."""
    stored(tmp_path, "zip", {"1.bmp": encoded(suffix=".bmp")})
    content = bytearray((tmp_path / "imgs.zip").read_bytes())
    content[content.index(at) + offset] ^= value
    (tmp_path / "imgs.zip").write_bytes(content)

    with pytest.raises(DataError, match=r"imgs\.zip: 1\.bmp cannot be read"):
        ZipImages(tmp_path / "imgs.zip").read("1")


@pytest.mark.parametrize("content", [None, b"PK no zip"])
def test_a_file_that_is_no_zip_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing or broken zip file is told by its name at the first question, not before."""
    if content is not None:
        (tmp_path / "imgs.zip").write_bytes(content)
    store = open_images(tmp_path / "imgs.zip")

    with pytest.raises(DataError, match=r"imgs\.zip is no readable zip file"):
        len(store)


@SOURCES
def test_an_image_that_is_not_there_is_told(tmp_path: Path, kind: str) -> None:
    """Asking for another object's image names the source and the object; so does a file that has gone since."""
    store = stored(tmp_path, kind, {"1.png": encoded()})
    with pytest.raises(DataError, match=r"imgs(\.zip)? has no image of object 5\."):
        store.read("5")

    if kind == "folder":
        (store.source / "1.png").rename(store.source / "2.png")
        with pytest.raises(DataError, match=r"imgs: 1\.png cannot be read"):
            store.read("1")


def test_storage_order_is_where_the_bytes_lie(tmp_path: Path) -> None:
    """A zip file is read from front to back, whatever its directory says; ids without an image are passed over."""
    with zipfile.ZipFile(tmp_path / "imgs.zip", "w") as archive:
        for object_id in ("3", "1", "2"):
            archive.writestr(f"{object_id}.png", encoded())
        archive.filelist.sort(key=lambda info: info.filename)

    assert ZipImages(tmp_path / "imgs.zip").in_storage_order(["1", "2", "9", "3"]) == ["3", "1", "2"]
    assert stored(tmp_path, "folder", {"b/1.png": b"", "a/2.png": b""}).in_storage_order("12") == ["2", "1"]


@SOURCES
@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_the_hash_changes_with_the_images(tmp_path: Path, kind: str, change: str) -> None:
    """Another content (a longer one, in a folder), another name and another image change the hash; order does not."""
    files = {"1.png": encoded(1), "2.png": encoded(2)}
    content = encoded(3) if kind == "zip" else encoded(3, ".bmp")
    changed = {
        "content": {**files, "2.png": content},
        "name": {"1.png": files["1.png"], "3.png": files["2.png"]},
        "more": {**files, "3.png": encoded()},
    }[change]
    hashes = []
    for number, members in enumerate([files, dict(reversed(files.items())), changed]):
        folder = tmp_path / str(number)
        folder.mkdir()
        hashes.append(stored(folder, kind, members).sha256())

    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
