"""Tests of zip directories: names, sizes, checksums and contents are as read by the standard library."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.data_manifests.images.zip_directory import read_directory, read_member

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTENTS = {"a/": b"", "a/1.png": b"one" * 500, "a/é.png": b"", "ß.png": bytes(range(256)), "a/2.png": b"2"}


def packed(contents: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, **options: object) -> bytes:
    """Return the bytes of a zip file."""
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
        return {name: read_member(file, directory.entry(k)) for k, name in enumerate(directory.names)}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_contents_are_read(tmp_path: Path, method: int) -> None:
    """All supported compression methods work, including non-ASCII names, folders and empty files."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name, content in CONTENTS.items():
            archive.writestr(name, content)
        expected = [(info.filename, info.file_size, info.CRC) for info in archive.infolist()]
    directory = read_directory(tmp_path / "a.zip")
    entries = [directory.entry(position) for position in range(len(CONTENTS))]

    assert read(tmp_path / "a.zip") == CONTENTS
    assert [(name, entry.size, entry.crc) for name, entry in zip(directory.names, entries, strict=True)] == expected


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=9)
COMMENTS = st.binary(max_size=40).filter(lambda comment: b"PK\x05\x06" not in comment)  # signature of the end record


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=99), max_size=9), st.binary(max_size=40), COMMENTS)
def test_archives_are_read_as_by_the_standard_library(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes], before: bytes, comment: bytes
) -> None:
    """Data before the archive and a comment at its end are allowed."""
    path = tmp_path_factory.getbasetemp() / "any.zip"
    path.write_bytes(before + packed(contents))
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment
    with zipfile.ZipFile(path) as archive:
        expected = {info.filename: archive.read(info) for info in archive.infolist()}

    assert read(path) == expected


def test_zip64_archives_are_read(tmp_path: Path) -> None:
    """Members with 64-bit sizes and a directory of more than 65,535 members are supported."""
    (tmp_path / "large.zip").write_bytes(packed({"1.png": b"content"}, force_zip64=True))
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{number}.png"), b"%d" % number)
    many = read_directory(tmp_path / "many.zip")
    with (tmp_path / "many.zip").open("rb") as file:
        last = read_member(file, many.entry(65_999))

    assert read(tmp_path / "large.zip") == {"1.png": b"content"}
    assert many.names == [f"{number}.png" for number in range(66_000)]
    assert last == b"65999"


def test_a_member_beyond_4_gb_is_read(tmp_path: Path) -> None:
    """The offset is taken from the zip64 extra field."""
    path = tmp_path / "far.zip"
    with path.open("wb") as file:
        file.seek((1 << 32) + 10)  # a sparse file, which takes no disk space
        file.write(b"before")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("1.png", b"far away")

    assert read(path) == {"1.png": b"far away"}


def test_members_are_in_storage_order(tmp_path: Path) -> None:
    """Members are sorted by offset, not by their order in the directory."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("3", "1", "2"):
            archive.writestr(name, name * 3)
        archive.filelist.sort(key=lambda info: info.filename)

    assert read_directory(tmp_path / "a.zip").names == ["3", "1", "2"]
    assert read(tmp_path / "a.zip") == {"3": b"333", "1": b"111", "2": b"222"}


def test_truncated_archives_are_refused(tmp_path: Path) -> None:
    """An archive truncated at any length raises BadZipFile."""
    whole = packed({"1.png": b"one" * 9, "2.png": b"two" * 9}, force_zip64=True)
    path = tmp_path / "cut.zip"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(zipfile.BadZipFile):
            read_directory(path)


def test_a_flipped_bit_never_changes_contents(tmp_path: Path) -> None:
    """With any bit flipped, contents are those written, or an error handled by image stores is raised."""
    contents = {"1.png": b"one" * 9, "2.png": b"two" * 9}
    whole = packed(contents, force_zip64=True)
    path = tmp_path / "flipped.zip"
    handled = (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
    errors = 0
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            found = read(path)
        except handled:
            errors += 1
            continue

        assert set(found.values()) <= set(contents.values())
    assert errors > len(whole)


@pytest.mark.parametrize(("method", "message"), [(zipfile.ZIP_LZMA, "compression method 14 is not supported")])
def test_unsupported_compression_is_refused(tmp_path: Path, method: int, message: str) -> None:
    """The message has the number of the compression method."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("1.png", b"content")

    with pytest.raises(RuntimeError, match=message):
        read(tmp_path / "a.zip")
