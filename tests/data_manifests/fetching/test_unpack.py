"""Unpacking of archives: sound ones are unpacked, unsafe or damaged ones are rejected with the member named."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from planktonbench import DataError
from planktonbench.data_manifests.fetching import unpack as archives
from planktonbench.data_manifests.fetching.unpack import Contents, inspect_archive, is_archive, unpack

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"set/a.txt": b"alpha", "set/deep/b.bin": bytes(300_000), "set/empty": b""}
OUTSIDE = ["../up.txt", "set/../../up.txt", "/root.txt", "C:/windows.txt", "set\\back.txt", "a/../../b"]


def write_zip(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    """Write a zip file; `mode` is the Unix mode of its members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.filename = name  # ZipInfo normalises backslashes
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def write_tar(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE, mode: str = "w") -> Path:
    """Write a tar file; `kind` is the type of its members."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # the mode is a variable
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "target" if kind != tarfile.REGTYPE else ""
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    return path


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files in a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_a_sound_archive_is_unpacked(tmp_path: Path, kind: str) -> None:
    """All files are identical, hidden ones are skipped, and progress counts the bytes written."""
    files = FILES | {"set/._a.txt": b"junk", "__MACOSX/set/a.txt": b"junk"}
    path = tmp_path / "archive"
    path = write_zip(path, files) if kind == "zip" else write_tar(path, files, mode=kind)
    seen: list[int] = []

    assert is_archive(path)
    contents = inspect_archive(path)
    assert contents == Contents(path, 3, sum(map(len, FILES.values())), 4096 + 74 * 4096)
    unpack(contents, tmp_path / "out", seen.append)
    assert read_folder(tmp_path / "out") == FILES
    assert sum(seen) == sum(map(len, FILES.values()))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_with_a_path_outside_the_folder_is_rejected(tmp_path: Path, kind: str, name: str) -> None:
    """The message names the member."""
    files = {"fine.txt": b"fine", name: b"bad"}
    path = (write_zip if kind == "zip" else write_tar)(tmp_path / "archive", files)
    with pytest.raises(DataError, match="would be written outside the folder") as caught:
        inspect_archive(path)

    assert f"'{name}'" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [(tarfile.SYMTYPE, "a link"), (tarfile.LNKTYPE, "a link"), (tarfile.CHRTYPE, "a device or a pipe"),
     (tarfile.FIFOTYPE, "a device or a pipe")],
)  # fmt: skip
def test_links_and_devices_in_a_tar_file_are_rejected(tmp_path: Path, kind: bytes, words: str) -> None:
    """The message names the member and its type."""
    path = write_tar(tmp_path / "archive.tar", {"evil": b""}, kind)

    with pytest.raises(DataError, match=f"member 'evil' is {words}; expected files and folders only"):
        inspect_archive(path)


@pytest.mark.parametrize(("mode", "words"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a device or a pipe")])
def test_links_and_pipes_in_a_zip_file_are_rejected(tmp_path: Path, mode: int, words: str) -> None:
    """They are recognised by their Unix mode."""
    path = write_zip(tmp_path / "archive.zip", {"evil": b"/etc/passwd"}, mode | 0o777)

    with pytest.raises(DataError, match=f"member 'evil' is {words}"):
        inspect_archive(path)


@pytest.mark.parametrize("kind", ["zip", "w:gz"])
def test_a_decompression_bomb_is_rejected_before_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """An archive that exceeds the ratio is recognised by its announced sizes."""
    monkeypatch.setattr(archives, "FREE_OF_RATIO", 1_000_000)
    files = {"small.txt": b"small", "bomb.bin": bytes(50_000_000)}
    path = tmp_path / "archive"
    path = write_zip(path, files) if kind == "zip" else write_tar(path, files, mode=kind)
    with pytest.raises(DataError, match=r"up to member 'bomb.bin', .* unpacks to 50,000,005 bytes in 2 members"):
        inspect_archive(path)


def test_too_many_members_are_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of members is limited regardless of their size."""
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    path = write_zip(tmp_path / "archive.zip", {f"{number}": b"" for number in range(4)})

    with pytest.raises(DataError, match="in 4 members"):
        inspect_archive(path)


def test_a_zip_file_with_a_wrong_announced_size_is_rejected(tmp_path: Path) -> None:
    """A file that is longer or shorter than announced is not accepted."""
    path = write_zip(tmp_path / "archive.zip", {"a": b"x" * 1000})
    content = path.read_bytes()
    path.write_bytes(content.replace((1000).to_bytes(4, "little"), (900).to_bytes(4, "little")))
    contents = inspect_archive(path)

    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(contents, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:xz"])
def test_a_damaged_archive_is_reported(tmp_path: Path, kind: str) -> None:
    """An archive truncated in the middle is rejected."""
    path = tmp_path / "archive"
    path = write_zip(path, FILES) if kind == "zip" else write_tar(path, FILES, mode=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(DataError, match=r"cannot be unpacked \(damaged, truncated or not an archive\)"):
        inspect_archive(path)


def tar_of_images(count: int = 20) -> bytearray:
    """Return a tar file of `count` members of 1,536 bytes each, including the header of 512."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for number in range(count):
            info = tarfile.TarInfo(f"egg/{number}.png")
            info.size = 1024
            archive.addfile(info, io.BytesIO(bytes([number + 1]) * 1024))
    return bytearray(content.getvalue())


@pytest.mark.parametrize("length", [1536 * 10, 1536 * 10 + 100, 1536 * 20])
def test_a_tar_file_without_end_mark_is_reported(tmp_path: Path, length: int) -> None:
    """Truncated between two members, in a header or before the end mark, it is not mistaken for a smaller set."""
    path = tmp_path / "archive.tar"
    path.write_bytes(tar_of_images()[:length])

    with pytest.raises(DataError, match=r"cannot be unpacked \(damaged, truncated or not an archive\)"):
        inspect_archive(path)


def test_a_tar_file_with_a_damaged_header_is_reported(tmp_path: Path) -> None:
    """The members after it are not silently dropped."""
    content = tar_of_images()
    content[1536 * 10 : 1536 * 10 + 512] = b"\xff" * 512
    path = tmp_path / "archive.tar"
    path.write_bytes(content)

    with pytest.raises(DataError, match="the end mark is missing after 15,872 bytes"):
        inspect_archive(path)


def test_the_checksum_of_a_compressed_tar_file_is_verified(tmp_path: Path) -> None:
    """One flipped bit in one image is detected."""
    content = bytearray(gzip.compress(bytes(tar_of_images()), compresslevel=0))
    content[content.find(b"egg/9.png") + 600] ^= 1
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"not an archive\): CRC check failed"):
        inspect_archive(path)


def test_a_header_that_would_fill_the_memory_is_rejected(tmp_path: Path) -> None:
    """Extended headers are read into memory, so their length is limited."""
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, 5_000_000
    path = tmp_path / "archive.tar.gz"
    path.write_bytes(gzip.compress(head.tobuf(tarfile.USTAR_FORMAT) + bytes(5_000_192)))

    assert is_archive(path)
    with pytest.raises(DataError, match="a header claims 5,000,192 bytes"):
        inspect_archive(path)


def test_a_file_that_is_also_a_folder_is_rejected(tmp_path: Path) -> None:
    """One of the two would be lost."""
    contents = inspect_archive(write_zip(tmp_path / "archive.zip", {"egg": b"", "egg/1.png": b"1"}))

    with pytest.raises(DataError, match=r"contains '.*egg' twice, or both as a file and as a folder"):
        unpack(contents, tmp_path / "out")


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_a_duplicate_name_is_rejected(tmp_path: Path, write: object) -> None:
    """It is ambiguous which member is meant."""
    path = tmp_path / "archive"
    if write is write_zip:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", b"1")
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("a", b"2")
    else:
        with tarfile.open(path, "w") as tar:
            for data in (b"1", b"2"):
                info = tarfile.TarInfo("a")
                info.size = 1
                tar.addfile(info, io.BytesIO(data))

    contents = inspect_archive(path)
    with pytest.raises(DataError, match="twice"):
        unpack(contents, tmp_path / "out")


def test_a_text_file_is_not_an_archive(tmp_path: Path) -> None:
    """Archives are recognised by their contents."""
    (tmp_path / "text").write_text("no archive")
    assert not is_archive(tmp_path / "text")
