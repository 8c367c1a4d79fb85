"""Archives from elsewhere: good ones are unpacked, and every known trick is refused with the member named."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from planktonbench import DataError
from planktonbench.data_manifests import archives
from planktonbench.data_manifests.archives import is_archive, unpack, unpacked_bytes

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"set/a.txt": b"alpha", "set/deep/b.bin": bytes(300_000), "set/empty": b""}
OUTSIDE = ["../up.txt", "set/../../up.txt", "/root.txt", "C:/windows.txt", "set\\back.txt", "a/../../b"]


def write_zip(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    """Write a zip file; `mode` is the Unix mode of its members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.filename = name  # ZipInfo mends backslashes and the like
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


def held(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_a_good_archive_is_unpacked(tmp_path: Path, kind: str) -> None:
    """Every file, byte for byte; hidden ones are passed over, and progress counts what is written."""
    files = FILES | {"set/._a.txt": b"junk", "__MACOSX/set/a.txt": b"junk"}
    path = tmp_path / "archive"
    path = write_zip(path, files) if kind == "zip" else write_tar(path, files, mode=kind)
    seen: list[int] = []

    assert is_archive(path)
    assert unpack(path, tmp_path / "out", seen.append) == 3
    assert held(tmp_path / "out") == FILES
    assert sum(seen) == sum(map(len, FILES.values()))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_would_leave_the_folder_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    """By its name, and nothing is written outside."""
    files = {"fine.txt": b"fine", name: b"bad"}
    path = (write_zip if kind == "zip" else write_tar)(tmp_path / "archive", files)
    with pytest.raises(DataError, match="would be written outside of the folder") as told:
        unpack(path, tmp_path / "inner" / "out")

    assert f"'{name}'" in str(told.value)
    assert set(held(tmp_path)) <= {"archive", "inner/out/fine.txt"}


@pytest.mark.parametrize(
    ("kind", "words"),
    [(tarfile.SYMTYPE, "a link"), (tarfile.LNKTYPE, "a link"), (tarfile.CHRTYPE, "a device or a pipe"),
     (tarfile.FIFOTYPE, "a device or a pipe")],
)  # fmt: skip
def test_links_and_devices_in_a_tar_file_are_refused(tmp_path: Path, kind: bytes, words: str) -> None:
    """Named, with what they are."""
    path = write_tar(tmp_path / "archive.tar", {"evil": b""}, kind)

    with pytest.raises(DataError, match=f"member 'evil' is {words}; expected files and folders only"):
        unpack(path, tmp_path / "out")


def test_links_in_a_zip_file_are_refused(tmp_path: Path) -> None:
    """A link is a file with a mode of its own."""
    path = write_zip(tmp_path / "archive.zip", {"evil": b"/etc/passwd"}, stat.S_IFLNK | 0o777)

    with pytest.raises(DataError, match="member 'evil' is a link"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "w:gz"])
def test_a_bomb_is_refused_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What swells beyond the ratio is not written."""
    monkeypatch.setattr(archives, "FREE_OF_RATIO", 1_000_000)
    files = {"small.txt": b"small", "bomb.bin": bytes(50_000_000)}
    path = tmp_path / "archive"
    path = write_zip(path, files) if kind == "zip" else write_tar(path, files, mode=kind)
    with pytest.raises(DataError, match=r"member 'bomb.bin' would make 50,000,005 bytes in 2 members"):
        unpack(path, tmp_path / "out")

    assert held(tmp_path / "out") == {"small.txt": b"small"}


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small they are."""
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    path = write_zip(tmp_path / "archive.zip", {f"{number}": b"" for number in range(4)})

    with pytest.raises(DataError, match="in 4 members"):
        unpack(path, tmp_path / "out")


def test_a_zip_file_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    """More or less than announced is not taken."""
    path = write_zip(tmp_path / "archive.zip", {"a": b"x" * 1000})
    content = path.read_bytes()
    path.write_bytes(content.replace((1000).to_bytes(4, "little"), (900).to_bytes(4, "little")))

    with pytest.raises(DataError, match="no archive that can be unpacked"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:xz"])
def test_a_damaged_archive_is_told(tmp_path: Path, kind: str) -> None:
    """Cut off in the middle."""
    path = tmp_path / "archive"
    path = write_zip(path, FILES) if kind == "zip" else write_tar(path, FILES, mode=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(DataError, match=r"no archive that can be unpacked \(damaged or cut off\)"):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("write", [write_zip, write_tar])
def test_one_name_twice_is_refused(tmp_path: Path, write: object) -> None:
    """Nobody can say which is meant."""
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

    with pytest.raises(DataError, match="twice"):
        unpack(path, tmp_path / "out")


def test_the_size_of_a_zip_file_is_known_beforehand(tmp_path: Path) -> None:
    """That of a tar file is not."""
    assert unpacked_bytes(write_zip(tmp_path / "a.zip", FILES)) == sum(map(len, FILES.values()))
    assert unpacked_bytes(write_tar(tmp_path / "a.tar", FILES)) is None
    (tmp_path / "text").write_text("no archive")
    assert not is_archive(tmp_path / "text")
