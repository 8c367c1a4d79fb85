"""Tests of image stores: folders, zip and tar files give the same pixels by id, and errors name the file."""

from __future__ import annotations

import copy
import io
import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.data_manifests.files.tables import canonical_text
from planktonbench.data_manifests.images.store import (
    WHOLE_PATH,
    FolderImages,
    ImageStore,
    TarImages,
    ZipImages,
    images_beside,
    open_images,
    reopen_images,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JUNK = ["__MACOSX/imgs/._7.png", "__MACOSX/5.png", "imgs/._7.png", "imgs/.DS_Store", "imgs/notes.txt", "Thumbs.db"]
KINDS = ["folder", "zip", "tar"]
SOURCES = pytest.mark.parametrize("kind", KINDS)


def encoded(level: int = 7, suffix: str = ".png") -> bytes:
    """Return an encoded image of one grey level with a bright corner."""
    picture = np.full((6, 4), level, np.uint8)
    picture[0, 0] = 255
    return cv2.imencode(suffix, picture)[1].tobytes()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar file, with a fixed modification time."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def stored(folder: Path, kind: str, files: Mapping[str, bytes]) -> ImageStore:
    """Write files into a folder, a zip or a tar file and open it."""
    if kind == "tar":
        with tarfile.open(folder / "imgs.tar", "w") as archive:
            for name, content in files.items():
                add(archive, name, content)
        return open_images(folder / "imgs.tar")
    if kind == "zip":
        with zipfile.ZipFile(folder / "imgs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return open_images(folder / "imgs.zip")
    for name, content in files.items():
        (folder / "imgs" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "imgs" / name).write_bytes(content)
    return open_images(folder / "imgs")


def test_folder_zip_and_tar_give_the_same_pixels(tmp_path: Path) -> None:
    """Pixels equal those written, neither inverted nor stretched, for every kind of source."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 9, 5), dtype=np.uint8)
    files = {
        f"imgs/{number}.png": cv2.imencode(".png", picture)[1].tobytes() for number, picture in enumerate(pictures)
    }
    stores = [stored(tmp_path, kind, files) for kind in KINDS]

    assert [type(store) for store in stores] == [FolderImages, ZipImages, TarImages]
    for store in stores:
        np.testing.assert_array_equal(pictures, [store.read(object_id) for object_id in ("0", "1", "2")])
        assert store.read_bytes("1") == files["imgs/1.png"]


def test_a_colour_image_is_read_as_grey(tmp_path: Path) -> None:
    """Colours are converted to 8-bit grey levels with the weights of OpenCV."""
    colours = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    image = stored(tmp_path, "zip", {"1.bmp": cv2.imencode(".bmp", colours)[1].tobytes()}).read("1")
    expected = colours @ np.array([0.114, 0.587, 0.299])  # ITU-R BT.601, for blue, green, red

    assert (image.shape, image.dtype) == ((8, 6), np.uint8)
    np.testing.assert_allclose(expected, image, atol=1)


@SOURCES
def test_other_files_are_ignored(tmp_path: Path, kind: str) -> None:
    """Hidden files of macOS and other non-images are ignored in any folder; suffixes are case-insensitive."""
    files = {"imgs/7.png": encoded(), "imgs/deep/8.PNG": encoded(), "9.JPG": encoded(suffix=".jpg")}
    store = stored(tmp_path, kind, {**dict.fromkeys(JUNK, b"\0"), **files})

    assert set(store.members) == {"7", "8", "9"}
    assert len(store) == 3
    assert ("7" in store, "._7" in store) == (True, False)


@SOURCES
@pytest.mark.parametrize("second", ["b/1.png", "a/1.jpg", "a/1.0.png"])
def test_two_images_of_one_object_are_refused(tmp_path: Path, kind: str, second: str) -> None:
    """The message names the source and the duplicated ids."""
    with pytest.raises(DataError, match=r"imgs(\.zip|\.tar)?: two images have the same id: 1\. Keep one of each\.$"):
        len(stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded(), second: encoded()}))


@pytest.mark.parametrize("stem", ["1", "1.0", "1.00", "-1.0", "007", "a.0", "1.5", "1e3", "7e12", "a b"])
def test_ids_of_images_match_those_of_tables(tmp_path: Path, stem: str) -> None:
    """File names are converted to the same canonical text as ids in tables."""
    store = stored(tmp_path, "folder", {f"{stem}.png": encoded()})

    assert list(canonical_text(pd.Series([stem]))) == list(store.members)


@SOURCES
@pytest.mark.parametrize("content", [b"", b"no image", encoded()[:50]], ids=["empty", "text", "truncated"])
def test_an_unreadable_image_is_named(tmp_path: Path, kind: str, content: bytes) -> None:
    """The message has the source, the file name and its size; other images can still be read."""
    store = stored(tmp_path, kind, {"imgs/1.png": content, "imgs/2.png": encoded()})
    with pytest.raises(DataError, match=rf"imgs/1\.png is not a readable image \({len(content)} bytes\)") as caught:
        store.read("1")

    assert str(caught.value).startswith(str(store.source))
    assert store.read("2").shape == (6, 4)


@pytest.mark.parametrize(
    ("at", "offset", "value"),
    [(b"PK\x01\x02", 8, 1), (b"1.bmp", 5, 0xFF), (b"PK\x01\x02", 16, 0xFF)],
    ids=["encrypted", "not deflated", "other checksum"],
)
def test_a_damaged_member_of_a_zip_file_is_named(tmp_path: Path, at: bytes, offset: int, value: int) -> None:
    """A member that cannot be unpacked raises DataError like any unreadable image."""
    stored(tmp_path, "zip", {"1.bmp": encoded(suffix=".bmp")})
    content = bytearray((tmp_path / "imgs.zip").read_bytes())
    content[content.index(at) + offset] ^= value
    (tmp_path / "imgs.zip").write_bytes(content)

    with pytest.raises(DataError, match=r"imgs\.zip: 1\.bmp cannot be read"):
        ZipImages(tmp_path / "imgs.zip").read("1")


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("content", [None, b"PK no archive"])
def test_an_unreadable_archive_is_named(tmp_path: Path, kind: str, content: bytes | None) -> None:
    """A missing or broken archive raises DataError on first access, not before."""
    if content is not None:
        (tmp_path / f"imgs.{kind}").write_bytes(content)
    store = open_images(tmp_path / f"imgs.{kind}")

    with pytest.raises(DataError, match=rf"imgs\.{kind} is not a readable {kind} file"):
        len(store)


def test_a_truncated_tar_file_is_reported(tmp_path: Path) -> None:
    """Truncation is detected when images are listed, or when an affected image is read after listing."""
    store = stored(tmp_path, "tar", {"1.png": encoded(), "2.png": b"\0" * 2000})
    content = store.source.read_bytes()
    store.source.write_bytes(content[:2000])
    with pytest.raises(DataError, match=r"imgs\.tar is not a readable tar file: unexpected end of data"):
        len(open_images(store.source))

    store.source.write_bytes(content)
    assert len(store) == 2

    store.source.write_bytes(content[:2000])
    with pytest.raises(
        DataError, match=r"imgs\.tar: 2\.png cannot be read: the file ends after 464 of its 2,000 bytes"
    ):
        store.read_bytes("2")
    assert store.read("1").shape == (6, 4)


def test_all_tar_formats_are_read(tmp_path: Path) -> None:
    """Images are found despite long names, names with a leading ./, folders and links."""
    deep = "/".join(["folder" * 5] * 9)
    for tar_format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "imgs.tar", "w", format=tar_format) as archive:
            add(archive, f"{deep}/1.png", encoded(1))
            add(archive, "./a/2.png", encoded(2))
            folder, link = tarfile.TarInfo("empty"), tarfile.TarInfo("a/3.png")
            folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "2.png"
            archive.addfile(folder)
            archive.addfile(link)
        store = open_images(tmp_path / "imgs.tar")

        assert store.members == {"1": f"{deep}/1.png", "2": "a/2.png"}
        assert store.empty_folders == ["empty"]
        assert store.read("2")[1, 1] == 2


def test_backslashes_in_zip_files_separate_folders(tmp_path: Path) -> None:
    """Some Windows programs write backslashes, although the format requires slashes."""
    store = stored(tmp_path, "zip", {"train\\a\\1.png": encoded(5), "train\\b\\1.png": encoded(9)})
    store.id_parts = 2

    assert store.members == {"a/1": "train/a/1.png", "b/1": "train/b/1.png"}
    assert store.read("b/1")[1, 1] == 9


@pytest.mark.parametrize("name", ["imgs.tar.gz", "imgs.TGZ", "a.b.7z"])
def test_a_compressed_archive_is_refused(tmp_path: Path, name: str) -> None:
    """The message advises unpacking it, because single images cannot be read from it."""
    (tmp_path / name).touch()

    with pytest.raises(DataError, match=r"single images cannot be read; .* Unpack it and pass the folder\."):
        open_images(tmp_path / name)


@SOURCES
@pytest.mark.parametrize(("parts", "ids"), [(1, ["2", "1"]), (2, ["b/2", "a/1.0"]), (WHOLE_PATH, ["x/b/2", "y/a/1.0"])])
def test_ids_are_formed_from_trailing_path_components(tmp_path: Path, kind: str, parts: int, ids: list[str]) -> None:
    """A store opened again from its address has the same ids."""
    source = stored(tmp_path, kind, {"x/b/2.png": encoded(), "y/a/1.0.png": encoded(9)}).source
    store = open_images(source, id_parts=parts)
    reopened = reopen_images(store.address)

    assert list(store.members) == ids
    assert (type(reopened), reopened.members) == (type(store), store.members)
    assert reopened.read(ids[1])[1, 1] == 9


@SOURCES
def test_other_files_are_listed(tmp_path: Path, kind: str) -> None:
    """Hidden files are not listed."""
    store = stored(tmp_path, kind, {**dict.fromkeys(JUNK, b""), "a/1.png": encoded()})

    assert sorted(store.other_files) == ["Thumbs.db", "imgs/notes.txt"]


def test_images_beside_tables_have_one_source(tmp_path: Path) -> None:
    """A folder, zip or tar file is opened; two of them are refused, and images may be missing."""
    assert images_beside(tmp_path) is None

    for kind in KINDS:
        (tmp_path / kind).mkdir()
        source = stored(tmp_path / kind, kind, {"1.png": encoded()}).source
        found = images_beside(tmp_path / kind)

        assert found is not None
        assert found.source == source

    stored(tmp_path / "zip", "tar", {"1.png": encoded()})
    with pytest.raises(DataError, match=r"zip has imgs\.zip and imgs\.tar; expected one of them"):
        images_beside(tmp_path / "zip")


def test_a_broken_link_is_an_unreadable_image(tmp_path: Path) -> None:
    """It is listed, so that its object is not lost silently, and it does not prevent hashing."""
    store = stored(tmp_path, "folder", {"1.png": encoded()})
    (store.source / "2.png").symlink_to("nowhere.png")

    assert set(store.members) == {"1", "2"}
    assert len(store.sha256()) == 64
    with pytest.raises(DataError, match=r"2\.png cannot be read"):
        store.read("2")


@SOURCES
def test_a_missing_image_is_reported(tmp_path: Path, kind: str) -> None:
    """Messages name the source and the object, or the file if it was removed after listing."""
    store = stored(tmp_path, kind, {"1.png": encoded()})
    with pytest.raises(DataError, match=r"imgs(\.zip|\.tar)? has no image of object 5\."):
        store.read("5")

    if kind == "folder":
        (store.source / "1.png").rename(store.source / "2.png")
        with pytest.raises(DataError, match=r"imgs: 1\.png cannot be read"):
            store.read("1")


def test_in_storage_order(tmp_path: Path) -> None:
    """Members of a zip file are sorted by offset, not by their order in the directory; unknown ids are dropped."""
    with zipfile.ZipFile(tmp_path / "imgs.zip", "w") as archive:
        for object_id in ("3", "1", "2"):
            archive.writestr(f"{object_id}.png", encoded())
        archive.filelist.sort(key=lambda info: info.filename)

    assert ZipImages(tmp_path / "imgs.zip").in_storage_order(["1", "2", "9", "3"]) == ["3", "1", "2"]
    assert stored(tmp_path, "folder", {"b/1.png": b"", "a/2.png": b""}).in_storage_order("12") == ["2", "1"]


@SOURCES
@pytest.mark.parametrize("change", ["content", "name", "more"])
def test_the_hash_changes_with_the_images(tmp_path: Path, kind: str, change: str) -> None:
    """Other contents (of another size, except in a zip file), names or images change the hash; the order does not."""
    files = {"1.png": encoded(1), "2.png": encoded(2)}
    content = encoded(3) if kind == "zip" else encoded(3, ".bmp")  # only zip files have checksums of contents
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


@pytest.mark.parametrize(
    ("names", "parts", "repeated"),
    [
        (["a/1.png", "b/2.png"], 1, []),
        (["a/1.png", "b/1.png", "b/2.png"], 2, ["1"]),
        (["x/a/1.png", "y/a/1.png", "b/1.png"], WHOLE_PATH, ["1"]),
    ],
)
def test_choose_ids_takes_the_fewest_components(
    tmp_path: Path, names: list[str], parts: int, repeated: list[str]
) -> None:
    """Ids are the file name, folder and file name, or the whole path; repeated file names are returned."""
    store = stored(tmp_path, "zip", dict.fromkeys(names, encoded()))

    assert store.choose_ids() == repeated
    assert store.id_parts == parts
    assert len(store) == len(names)


@SOURCES
def test_the_state_depends_on_ids_and_images(tmp_path: Path, kind: str) -> None:
    """Other ids or another image change the state; opening the source again does not."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded()})
    longer = open_images(store.source, id_parts=2)
    (tmp_path / "more").mkdir()
    more = stored(tmp_path / "more", kind, {"a/1.png": encoded(), "a/2.png": encoded(), "a/3.png": encoded()})

    assert open_images(store.source).state() == store.state()
    assert len({store.state(), longer.state(), more.state()}) == 3


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_the_state_changes_with_pixels_of_the_same_size(tmp_path: Path, kind: str) -> None:
    """Without checksums, pixels changed in place are detected even if the modification time is restored."""
    store = stored(tmp_path, kind, {"1.bmp": encoded(7, ".bmp")})
    before, hashed = store.state(), store.sha256()
    path = store.source / "1.bmp" if kind == "folder" else store.source
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"\x07\x07", b"\x08\x08"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    reopened = open_images(store.source)

    assert path.stat().st_size == len(content)
    assert reopened.sha256() == hashed
    assert reopened.state() != before


def test_the_state_depends_on_storage_order(tmp_path: Path) -> None:
    """The same members packed in another order have the same hash but another state."""
    files = {"1.png": encoded(1), "2.png": encoded(2)}
    (tmp_path / "reversed").mkdir()
    one, other = stored(tmp_path, "zip", files), stored(tmp_path / "reversed", "zip", dict(reversed(files.items())))

    assert one.sha256() == other.sha256()
    assert one.state() != other.state()


@SOURCES
def test_a_copy_reopens_the_source(tmp_path: Path, kind: str) -> None:
    """A store can be copied after images were read, because open files are not copied."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(9)})
    store.id_parts = 2
    store.read("a/1")
    copied = copy.deepcopy(store)

    assert copied is not store
    assert copied.members == store.members
    assert copied.read("a/1")[1, 1] == 9


@SOURCES
def test_an_image_is_read_from_its_location_without_listing(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that receives locations does not list the images; a removed source is reported."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded(9)})
    location = store.location_of("2")
    reopened = open_images(store.source)
    monkeypatch.setattr(type(reopened), "_member_names", lambda _: pytest.fail("listed"))

    assert reopened.read_at(location) == encoded(9)

    store.source.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"a/2\.png cannot be read"):
        reopened.read_at(location)
