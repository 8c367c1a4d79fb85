"""Images: the same pixels from a folder, a zip and a tar file, found by id; faults are told with the file's name."""

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
    """Return a picture of one level and a brighter corner."""
    picture = np.full((6, 4), level, np.uint8)
    picture[0, 0] = 255
    return cv2.imencode(suffix, picture)[1].tobytes()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Put a file into a tar file, as old as all others."""
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


def test_folder_zip_and_tar_hold_the_same_pixels(tmp_path: Path) -> None:
    """Pixels are those that were written, neither inverted nor stretched, whichever way they are kept."""
    pictures = np.random.default_rng(0).integers(0, 256, (3, 9, 5), dtype=np.uint8)
    files = {
        f"imgs/{number}.png": cv2.imencode(".png", picture)[1].tobytes() for number, picture in enumerate(pictures)
    }
    stores = [stored(tmp_path, kind, files) for kind in KINDS]

    assert [type(store) for store in stores] == [FolderImages, ZipImages, TarImages]
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
    with pytest.raises(DataError, match=r"imgs(\.zip|\.tar)?: two images have the same id: 1\. Keep one of each\.$"):
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


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("content", [None, b"PK no archive"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, kind: str, content: bytes | None) -> None:
    """A missing or broken archive is told by its name at the first question, not before."""
    if content is not None:
        (tmp_path / f"imgs.{kind}").write_bytes(content)
    store = open_images(tmp_path / f"imgs.{kind}")

    with pytest.raises(DataError, match=rf"imgs\.{kind} is no readable {kind} file"):
        len(store)


def test_a_tar_file_that_was_cut_is_told(tmp_path: Path) -> None:
    """A download that broke off is told when it is listed; one that is cut later, at the image that has gone."""
    store = stored(tmp_path, "tar", {"1.png": encoded(), "2.png": b"\0" * 2000})
    whole = store.source.read_bytes()
    store.source.write_bytes(whole[:2000])
    with pytest.raises(DataError, match=r"imgs\.tar is no readable tar file: unexpected end of data"):
        len(open_images(store.source))

    store.source.write_bytes(whole)
    assert len(store) == 2

    store.source.write_bytes(whole[:2000])
    with pytest.raises(
        DataError, match=r"imgs\.tar: 2\.png cannot be read: the file ends after 464 of its 2,000 bytes"
    ):
        store.read_bytes("2")
    assert store.read("1").shape == (6, 4)


def test_a_tar_file_may_be_of_any_flavour(tmp_path: Path) -> None:
    """Names longer than the header has room for, names with ./ in front, folders and links: images are found."""
    deep = "/".join(["folder" * 5] * 9)
    for flavour in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "imgs.tar", "w", format=flavour) as archive:
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


def test_backslashes_of_windows_are_folders_too(tmp_path: Path) -> None:
    """Some programs write them into zip files, against the rules of the format."""
    store = stored(tmp_path, "zip", {"train\\a\\1.png": encoded(5), "train\\b\\1.png": encoded(9)})
    store.id_parts = 2

    assert store.members == {"a/1": "train/a/1.png", "b/1": "train/b/1.png"}
    assert store.read("b/1")[1, 1] == 9


@pytest.mark.parametrize("name", ["imgs.tar.gz", "imgs.TGZ", "a.b.7z"])
def test_a_compressed_tar_file_is_refused_with_advice(tmp_path: Path, name: str) -> None:
    """Single images cannot be had from it: it has to be unpacked."""
    (tmp_path / name).touch()

    with pytest.raises(DataError, match=r"single images cannot be read; .* Unpack it and give the folder\."):
        open_images(tmp_path / name)


@SOURCES
@pytest.mark.parametrize(("parts", "ids"), [(1, ["2", "1"]), (2, ["b/2", "a/1.0"]), (WHOLE_PATH, ["x/b/2", "y/a/1.0"])])
def test_an_id_is_made_of_the_last_parts_of_the_path(tmp_path: Path, kind: str, parts: int, ids: list[str]) -> None:
    """And another process that gets the address makes the same ids, wherever it works."""
    source = stored(tmp_path, kind, {"x/b/2.png": encoded(), "y/a/1.0.png": encoded(9)}).source
    store = open_images(source, id_parts=parts)
    again = reopen_images(store.address)

    assert list(store.members) == ids
    assert (type(again), again.members) == (type(store), store.members)
    assert again.read(ids[1])[1, 1] == 9


@SOURCES
def test_what_else_lies_there_is_known(tmp_path: Path, kind: str) -> None:
    """Other files are listed, hidden ones are not."""
    store = stored(tmp_path, kind, {**dict.fromkeys(JUNK, b""), "a/1.png": encoded()})

    assert sorted(store.other_files) == ["Thumbs.db", "imgs/notes.txt"]


def test_images_beside_tables_are_in_one_place(tmp_path: Path) -> None:
    """A folder, a zip or a tar file is taken; two of them are refused, and none is no fault."""
    assert images_beside(tmp_path) is None

    for kind in KINDS:
        (tmp_path / kind).mkdir()
        source = stored(tmp_path / kind, kind, {"1.png": encoded()}).source
        found = images_beside(tmp_path / kind)

        assert found is not None
        assert found.source == source

    stored(tmp_path / "zip", "tar", {"1.png": encoded()})
    with pytest.raises(DataError, match=r"zip has both imgs\.zip and imgs\.tar; expected one of them"):
        images_beside(tmp_path / "zip")


def test_a_link_that_leads_nowhere_is_an_unreadable_image(tmp_path: Path) -> None:
    """It is counted, so that its object is not lost in silence, and hashing passes it."""
    store = stored(tmp_path, "folder", {"1.png": encoded()})
    (store.source / "2.png").symlink_to("nowhere.png")

    assert set(store.members) == {"1", "2"}
    assert len(store.sha256()) == 64
    with pytest.raises(DataError, match=r"2\.png cannot be read"):
        store.read("2")


@SOURCES
def test_an_image_that_is_not_there_is_told(tmp_path: Path, kind: str) -> None:
    """Asking for another object's image names the source and the object; so does a file that has gone since."""
    store = stored(tmp_path, kind, {"1.png": encoded()})
    with pytest.raises(DataError, match=r"imgs(\.zip|\.tar)? has no image of object 5\."):
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
    """Another content (a longer one, if not in a zip file), name or image changes the hash; another order does not."""
    files = {"1.png": encoded(1), "2.png": encoded(2)}
    content = encoded(3) if kind == "zip" else encoded(3, ".bmp")  # only a zip file keeps checksums of contents
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
def test_ids_take_the_fewest_parts_that_tell_images_apart(
    tmp_path: Path, names: list[str], parts: int, repeated: list[str]
) -> None:
    """The file's name, with its folder, or the whole path; what made the longer ones needed is told."""
    store = stored(tmp_path, "zip", dict.fromkeys(names, encoded()))

    assert store.choose_ids() == repeated
    assert store.id_parts == parts
    assert len(store) == len(names)


@SOURCES
def test_the_state_tells_the_ids_and_changes_with_the_hash(tmp_path: Path, kind: str) -> None:
    """The same images under other ids are another state, so is another image; opened twice they are the same."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded()})
    longer = open_images(store.source, id_parts=2)
    (tmp_path / "more").mkdir()
    more = stored(tmp_path / "more", kind, {"a/1.png": encoded(), "a/2.png": encoded(), "a/3.png": encoded()})

    assert open_images(store.source).state() == store.state()
    assert len({store.state(), longer.state(), more.state()}) == 3


@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_the_state_sees_a_change_of_the_same_size(tmp_path: Path, kind: str) -> None:
    """Where no checksums are kept: pixels changed in place, even by a program that sets the time back."""
    store = stored(tmp_path, kind, {"1.bmp": encoded(7, ".bmp")})
    before, hashed = store.state(), store.sha256()
    path = store.source / "1.bmp" if kind == "folder" else store.source
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"\x07\x07", b"\x08\x08"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = open_images(store.source)

    assert path.stat().st_size == len(content)
    assert again.sha256() == hashed
    assert again.state() != before


def test_the_state_tells_the_order_in_which_images_lie(tmp_path: Path) -> None:
    """The same members packed in another order are the same data, but another table."""
    files = {"1.png": encoded(1), "2.png": encoded(2)}
    (tmp_path / "turned").mkdir()
    one, other = stored(tmp_path, "zip", files), stored(tmp_path / "turned", "zip", dict(reversed(files.items())))

    assert one.sha256() == other.sha256()
    assert one.state() != other.state()


@SOURCES
def test_a_copy_opens_the_source_anew(tmp_path: Path, kind: str) -> None:
    """After images were read, too: open files do not travel."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(9)})
    store.id_parts = 2
    store.read("a/1")
    again = copy.deepcopy(store)

    assert again is not store
    assert again.members == store.members
    assert again.read("a/1")[1, 1] == 9


@SOURCES
def test_an_image_is_read_from_its_place_without_a_list(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is told places need not list a million others; an image that has gone since is told."""
    store = stored(tmp_path, kind, {"a/1.png": encoded(), "a/2.png": encoded(9)})
    place = store.location_of("2")
    again = open_images(store.source)
    monkeypatch.setattr(type(again), "_entries", lambda _: pytest.fail("listed"))

    assert again.read_at(place) == encoded(9)

    store.source.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"a/2\.png cannot be read"):
        again.read_at(place)
