"""The directory of a zip file: names, sizes, checksums and contents as the standard library reads them."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planktonbench.data_manifests.images.zip_directory import read_directory, read_member

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTENTS = {"a/": b"", "a/1.png": b"one" * 500, "a/é.png": b"", "ß.png": bytes(range(256)), "a/2.png": b"2"}


def packed(contents: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, **options: object) -> bytes:
    """Return a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            with archive.open(zipfile.ZipInfo(name), "w", **options) as member:  # type: ignore[call-overload]
                member.write(content)
    return file.getvalue()


def read(path: Path) -> dict[str, bytes]:
    """Return the contents of all members by name."""
    directory = read_directory(path)
    with path.open("rb") as file:
        return {name: read_member(file, directory.spot(k)) for k, name in enumerate(directory.names)}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_contents_come_back(tmp_path: Path, method: int) -> None:
    """However they are compressed, names in any alphabet, folders and empty files too."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, content in CONTENTS.items():
            archive.writestr(name, content)
        expected = [(info.filename, info.file_size, info.CRC) for info in archive.infolist()]
    directory = read_directory(tmp_path / "a.zip")
    spots = [directory.spot(position) for position in range(len(CONTENTS))]

    assert read(tmp_path / "a.zip") == CONTENTS
    assert [(name, spot.size, spot.crc) for name, spot in zip(directory.names, spots, strict=True)] == expected


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=9)


@given(st.dictionaries(NAMES, st.binary(max_size=99), max_size=9), st.binary(max_size=40), st.binary(max_size=40))
def test_any_archive_is_read_as_the_standard_library_reads_it(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes], before: bytes, comment: bytes
) -> None:
    """With a program in front and a comment behind."""
    path = tmp_path_factory.getbasetemp() / "any.zip"
    path.write_bytes(before + packed(contents))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    with zipfile.ZipFile(path) as archive:
        expected = {info.filename: archive.read(info) for info in archive.infolist()}

    assert read(path) == expected


def test_sizes_of_64_bits_are_read(tmp_path: Path) -> None:
    """Members written for more than 4 GB, and a directory of more than 65,535 members."""
    (tmp_path / "large.zip").write_bytes(packed({"1.png": b"content"}, force_zip64=True))
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{number}.png"), b"%d" % number)
    many = read_directory(tmp_path / "many.zip")
    with (tmp_path / "many.zip").open("rb") as file:
        last = read_member(file, many.spot(65_999))

    assert read(tmp_path / "large.zip") == {"1.png": b"content"}
    assert many.names == [f"{number}.png" for number in range(66_000)]
    assert last == b"65999"


def test_a_place_beyond_4_gb_is_found(tmp_path: Path) -> None:
    """The offset of a member then stands in the entry's extra field."""
    path = tmp_path / "far.zip"
    with path.open("wb") as file:
        file.seek((1 << 32) + 10)  # a hole, which takes no room on the disk
        file.write(b"before")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("1.png", b"far away")

    assert read(path) == {"1.png": b"far away"}


def test_members_come_as_they_lie(tmp_path: Path) -> None:
    """Whatever the order of the directory."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("3", "1", "2"):
            archive.writestr(name, name * 3)
        archive.filelist.sort(key=lambda info: info.filename)

    assert read_directory(tmp_path / "a.zip").names == ["3", "1", "2"]
    assert read(tmp_path / "a.zip") == {"3": b"333", "1": b"111", "2": b"222"}


def test_what_is_cut_anywhere_is_told(tmp_path: Path) -> None:
    """Never a wrong content, never another error than those that stand for a damaged file."""
    whole = packed({"1.png": b"one" * 9, "2.png": b"two" * 9}, force_zip64=True)
    path = tmp_path / "cut.zip"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(zipfile.BadZipFile):
            read_directory(path)


def test_what_is_changed_anywhere_is_told_or_harmless(tmp_path: Path) -> None:
    """Each bit turned: contents are those that were written, or an error that the reader of images knows."""
    contents = {"1.png": b"one" * 9, "2.png": b"two" * 9}
    whole = packed(contents, force_zip64=True)
    path = tmp_path / "turned.zip"
    known = (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
    told = 0
    for place in range(8 * len(whole)):
        turned = bytearray(whole)
        turned[place // 8] ^= 1 << place % 8
        path.write_bytes(turned)
        try:
            found = read(path)
        except known:
            told += 1
            continue

        assert set(found.values()) <= set(contents.values())
    assert told > len(whole)


@pytest.mark.parametrize(("method", "message"), [(zipfile.ZIP_LZMA, "compressed in a way that cannot be read here")])
def test_other_compressions_are_told(tmp_path: Path, method: int, message: str) -> None:
    """By the number of the method."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("1.png", b"content")

    with pytest.raises(RuntimeError, match=message):
        read(tmp_path / "a.zip")
